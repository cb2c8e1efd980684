//! What is taken from directory's feed: what every service learns, that what is remembered of a person holds no more, and
//! that published days are to be planned anew, because a calendar or opening hours have changed (BB-9.2b).

use std::sync::Arc;

use bangban_learned::effects::{FromDirectory, amended, year_loaded};
use bangban_proto::bangban::{
    directory::v1::{DirectoryAct, Site, SiteOpened, SiteUpdated, directory_act::Act as Learned},
    events::v1::Act,
};
use bangban_store::{Error, Transaction, consume::Effects, copy};
use prost::Message as _;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};

use crate::{
    rpc::Specials,
    store::plans::{self, Whose},
};

/// Why days are compared when directory's log begins anew.
const ANEW: &str = "已从头读取名录";

/// Takes acts of directory in.
#[derive(Debug, Clone)]
pub(crate) struct Learns {
    /// What every service learns.
    pub(crate) from: FromDirectory,
    /// What this process remembers of people.
    pub(crate) specials: Arc<Specials>,
}

fn learned(act: &Act) -> Option<Learned> {
    DirectoryAct::decode(act.payload.as_slice()).ok()?.act
}

/// Of whom directory says something else from this act on.
fn changed<'a>(act: &'a Act, learned: Option<&Learned>) -> Option<&'a str> {
    let (Learned::ApplicantUpdated(_) | Learned::ApplicantErased(_)) = learned? else {
        return None;
    };
    act.subject.strip_prefix("applicants/")
}

/// The days that are to be planned anew because of an act, and why. What is known is what was known before it.
async fn replanned(
    db: &Transaction,
    backend: DbBackend,
    district: &str,
    learned: &Learned,
) -> Result<Option<(Whose, String)>, Error> {
    let found = match learned {
        Learned::CalendarAmended(a) => a.amendment.as_ref().map(|amendment| {
            let whose = Whose {
                district: district.to_owned(),
                first: amendment.date.clone(),
                last: amendment.date.clone(),
                ..Whose::default()
            };
            (whose, amended(amendment))
        }),
        Learned::CalendarYearLoaded(a) => {
            // The notice of a year also names make-up days in the December before.
            let whose = Whose {
                first: format!("{:04}-12-01", a.year.saturating_sub(1)),
                last: format!("{:04}-12-31", a.year),
                ..Whose::default()
            };
            Some((whose, year_loaded(a.year)))
        }
        Learned::SiteOpened(SiteOpened { site: Some(site) })
        | Learned::SiteUpdated(SiteUpdated { site: Some(site) }) => {
            let was: Option<Site> = copy::get(db, district, "site", &site.id).await?;
            let reason = match was {
                Some(was) => (was.opening_hours != site.opening_hours)
                    .then(|| format!("{} 的开放时间已变更", site.name)),
                None => plans::was_passed_by(db, backend, district, &site.id)
                    .await?
                    .then(|| ANEW.to_owned()),
            };
            let whose = Whose {
                district: district.to_owned(),
                site: site.id.clone(),
                last: "9999".to_owned(),
                ..Whose::default()
            };
            reason.map(|reason| (whose, reason))
        }
        _ => None,
    };
    Ok(found)
}

#[async_trait::async_trait]
impl Effects for Learns {
    async fn take(&self, db: &Transaction, act: &Act) -> Result<(), Error> {
        let learned = learned(act);
        let backend = self.from.store.backend;
        let days = match &learned {
            Some(learned) => replanned(db, backend, &act.district, learned).await?,
            None => None,
        };
        if let Some(person) = changed(act, learned.as_ref()) {
            let sql = "UPDATE persons SET is_known = 0, mask = '', groups = '', version = version + 1 \
                       WHERE district = $1 AND id = $2";
            let values: [Value; 2] = [act.district.clone().into(), person.into()];
            db.execute_raw(Statement::from_sql_and_values(backend, sql, values))
                .await?;
        }
        self.from.take(db, act).await?;
        match days {
            Some((whose, reason)) => plans::changed(db, backend, whose, reason).await,
            None => Ok(()),
        }
    }

    async fn forget(&self, db: &Transaction) -> Result<(), Error> {
        db.execute_unprepared("UPDATE persons SET is_known = 0, version = version + 1")
            .await?;
        self.from.forget(db).await?;
        plans::anew(db, self.from.store.backend, ANEW.to_owned()).await
    }

    fn heard(&self, acts: &[Act]) {
        for act in acts {
            if let Some(person) = changed(act, learned(act).as_ref()) {
                self.specials.changed(person);
            }
        }
    }

    fn missed(&self) {
        self.specials.missed();
    }

    async fn caught_up(&self, db: &Transaction) -> Result<(), Error> {
        plans::ready(db, self.from.store.backend).await
    }
}
