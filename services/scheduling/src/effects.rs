//! What is taken from directory's feed: what every service learns, and that what is remembered of a person holds no more.

use bangban_learned::effects::FromDirectory;
use bangban_proto::bangban::{
    directory::v1::{DirectoryAct, directory_act::Act as Learned},
    events::v1::Act,
};
use bangban_store::{Error, consume::Effects};
use prost::Message as _;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, Statement, Value};

/// Takes acts of directory in.
#[derive(Debug, Clone)]
pub struct Learns(pub FromDirectory);

#[async_trait::async_trait]
impl Effects for Learns {
    async fn take(&self, db: &DatabaseTransaction, act: &Act) -> Result<(), Error> {
        let learned = DirectoryAct::decode(act.payload.as_slice()).ok();
        let is_of_person = matches!(
            learned.and_then(|l| l.act),
            Some(Learned::ApplicantUpdated(_) | Learned::ApplicantErased(_))
        );
        if let Some(person) = act
            .subject
            .strip_prefix("applicants/")
            .filter(|_| is_of_person)
        {
            let sql = "UPDATE persons SET is_known = 0, mask = '', groups = '', version = version + 1 \
                       WHERE district = $1 AND id = $2";
            let values: [Value; 2] = [act.district.clone().into(), person.into()];
            let backend = self.0.store.backend;
            db.execute_raw(Statement::from_sql_and_values(backend, sql, values))
                .await?;
        }
        self.0.take(db, act).await
    }

    async fn forget(&self, db: &DatabaseTransaction) -> Result<(), Error> {
        db.execute_unprepared("UPDATE persons SET is_known = 0, version = version + 1")
            .await?;
        self.0.forget(db).await
    }
}
