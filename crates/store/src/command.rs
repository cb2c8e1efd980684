//! The life of a command: is it a repetition, what time is it, decide, write; again when somebody else was faster.
//!
//! ```text
//! let mut command = Command::new(&caller, &request);
//! loop {
//!     let now = match store.begin::<Answer>(&command).await? {
//!         Begun::Repeated(answer, position) => return Ok((answer, position)),
//!         Begun::New(now) => now,
//!     };
//!     // read the state, decide, build chain and states
//!     if let Some(position) = store.finish(&mut command, chain, Some(&answer), states).await? {
//!         return Ok((answer, position));
//!     }
//! }
//! ```

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::Head;
use prost::Message;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Statement};
use sha2::{Digest as _, Sha256};

use crate::{
    Error, Now, Position, Store, act,
    clock::now_sql,
    write::{Asked, Chain, State},
};

/// How often a command is decided anew because somebody else was faster.
const MOST_TRIES: u32 = 12;

/// A command on its way.
#[derive(Debug, Clone)]
pub struct Command {
    /// District; empty for commands on the installation.
    pub district: String,
    /// What stands with the act.
    pub asked: Asked,
    tries: u32,
}

/// What a command finds when it begins.
#[derive(Debug)]
pub enum Begun<A> {
    /// It is new; this is the time.
    New(Now),
    /// It was done before: its first answer.
    Repeated(A, Position),
}

impl Command {
    /// The command that `request` asks for.
    #[must_use]
    pub fn new<R: Head + Message>(caller: &Caller, request: &R) -> Self {
        let digest = Sha256::digest(request.encode_to_vec()).into();
        Self {
            district: request.district().to_owned(),
            asked: Asked {
                caller: caller.subject.clone(),
                method: R::NAME,
                request_id: request.request_id().to_lowercase(),
                digest,
                answer: None,
            },
            tries: 0,
        }
    }

    /// By what a repetition is found.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        self.asked.key(&self.district)
    }
}

/// REQUEST_ID_REUSED when the body is another one than the first time.
///
/// # Errors
/// The refusal.
pub fn same_body(command: &Command, first: &act::Model) -> Result<(), Refusal> {
    if first.request_digest.as_deref() == Some(command.asked.digest.as_slice()) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "REQUEST_ID_REUSED",
        "",
        "该请求号已用于内容不同的请求，请换一个新的请求号",
        "this request id was used for a request with another body: choose a new one",
    )
    .field("request_id", "used before with another body"))
}

impl Store {
    /// The act that a request led to, if it was done before.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED; the database's.
    pub async fn repeated(&self, command: &Command) -> Result<Option<act::Model>, Error> {
        let found = act::Entity::find()
            .filter(act::Column::RequestKey.eq(command.key()))
            .one(&self.db)
            .await?;
        if let Some(found) = &found {
            same_body(command, found)?;
        }
        Ok(found)
    }

    /// Time and, for a repetition, the first answer: one statement for what is new.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED; the database's.
    pub async fn begin<A: Message + Default>(&self, command: &Command) -> Result<Begun<A>, Error> {
        let sql = format!(
            "SELECT {}, c.offset_seconds, EXISTS (SELECT 1 FROM acts a WHERE a.request_key = $1) \
             FROM clock c WHERE c.id = 1",
            now_sql(self.backend)
        );
        let values = [command.key().into()];
        let row = self
            .row(Statement::from_sql_and_values(self.backend, sql, values))
            .await?
            .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
        if row.try_get_by_index::<bool>(2)?
            && let Some(found) = self.repeated(command).await?
        {
            let answer = A::decode(found.answer.as_deref().unwrap_or_default())
                .map_err(Refusal::internal)?;
            return Ok(Begun::Repeated(
                answer,
                self.position(found.tx, found.position),
            ));
        }
        Ok(Begun::New(Now::from_row(
            row.try_get_by_index(0)?,
            row.try_get_by_index(1)?,
        )))
    }

    /// Writes what was decided. `None`: somebody else was faster, begin again.
    ///
    /// # Errors
    /// [`Error::Taken`] by another key than the log's; [`Error::Conflict`] after twelve tries; the database's.
    pub async fn finish<A: Message>(
        &self,
        command: &mut Command,
        chain: &Chain,
        answer: Option<&A>,
        states: Vec<State>,
    ) -> Result<Option<Position>, Error> {
        command.asked.answer = answer.map(Message::encode_to_vec);
        match self.write(chain, Some(&command.asked), states).await {
            Ok(position) => Ok(Some(position)),
            Err(error) => self.again(command, error).await.map(|()| None),
        }
    }

    /// Whether a command that was not written is to begin again: somebody else was faster, or the same request was done
    /// meanwhile, which may be what refuses it now. Pauses a little, longer each time.
    ///
    /// # Errors
    /// The error when it does not pass, or after twelve tries.
    pub async fn again(&self, command: &mut Command, error: Error) -> Result<(), Error> {
        command.tries += 1;
        let error = match error {
            Error::Taken(what) if is_ours(&what) => Error::Conflict,
            // A key is taken, or the state is not as it must be: perhaps by this very request, sent twice at once.
            error @ (Error::Taken(_) | Error::Refused(_)) => {
                match self.repeated(command).await?.is_some() {
                    true => Error::Conflict,
                    false => error,
                }
            }
            error => error,
        };
        if !error.is_passing() || command.tries >= MOST_TRIES {
            return Err(error);
        }
        let pause = u64::from(command.tries) * rand::random_range(500..1500);
        tokio::time::sleep(std::time::Duration::from_micros(pause)).await;
        Ok(())
    }
}

/// Whether the taken key is the log's own: the same request, or the next act of the subject, was written meanwhile.
/// PostgreSQL names the index, SQLite the columns.
fn is_ours(what: &str) -> bool {
    what.split(|c: char| !c.is_ascii_alphanumeric() && !"_.".contains(c))
        .any(|word| matches!(word, "acts_request" | "acts_pkey") || word.starts_with("acts."))
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_the_log_s_own_keys_are_taken_for_somebody_faster() {
        for ours in [
            r#"duplicate key value violates unique constraint "acts_pkey""#,
            "重复键违反唯一约束“acts_request”",
            "UNIQUE constraint failed: acts.district, acts.subject, acts.number",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            r#"duplicate key value violates unique constraint "contacts_pkey""#,
            "UNIQUE constraint failed: contacts.district, contacts.id",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
