//! The one way in which every command on a consultation goes: load, decide, write, answer.

use bangban_kit::{
    access::Deadline,
    identity::Caller,
    refusal::{Kind as Why, Refusal},
    scope::{Reach, Scope},
};
use bangban_learned::district;
use bangban_ledger::Hash;
use bangban_proto::{
    Head,
    bangban::consultation::v1::{Consultation, ConsultationAct, ConsultationChange},
};
use bangban_store::{
    Error, Now, Position, Store, act,
    command::Command,
    write::{Chain, State},
};
use prost::Message;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use tonic::{Request, Response, Status};

use super::{Rpc, answer, ask, of_department, taken, unknown};
use crate::{
    domain::{
        Act, Outside, fold,
        outside::timestamp,
        responsibility::{self, Who},
    },
    store::{self, Loaded},
};

/// A pure decision.
pub(super) type Decide<R> = fn(&Consultation, &R, &Outside<'_>) -> Result<Vec<Act>, Refusal>;

/// About whom directory is to be asked, staff id and site; nobody.
pub(super) type Whom<R> = fn(&Consultation, &R) -> Option<(String, String)>;

/// How often a change that no request asked for is decided anew because somebody else was faster.
const MOST_TRIES: u32 = 12;

/// Applies acts to a consultation and adds them to its chain.
pub(crate) fn carry_out(
    consultation: &mut Consultation,
    mut chain: Chain,
    acts: Vec<Act>,
    now: Now,
) -> Chain {
    for act in acts {
        fold::apply(consultation, &act, timestamp(now.at), now.is_demonstration);
        let kind = fold::kind(&act);
        chain = chain.act(kind, ConsultationAct { act: Some(act) }.encode_to_vec());
    }
    chain
}

/// What the log says that acts are about.
pub(super) fn subject(consultation: &str) -> String {
    format!("consultations/{consultation}")
}

/// Writes acts that no request asked for. `None`: somebody else was faster.
///
/// # Errors
/// The database's.
pub(crate) async fn written(
    store: &Store,
    caller: &Caller,
    (mut consultation, version, head): (Consultation, u64, Hash),
    acts: Vec<Act>,
    (now, revision): (Now, i64),
) -> Result<Option<(Consultation, Position)>, Error> {
    let subject = subject(&consultation.id);
    let chain = Chain::new(&consultation.district, subject, version, head, caller, now);
    let chain = carry_out(&mut consultation, chain, acts, now);
    let state = store::update(&consultation, version, &chain, revision);
    match store.write(&chain, None, vec![state]).await {
        Ok(position) => Ok(Some((consultation, position))),
        Err(error) if error.is_passing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Counts the tries of something that is decided anew when somebody else was faster.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// # Errors
    /// [`Error::Conflict`] after the twelfth.
    pub(crate) async fn again(&mut self) -> Result<(), Error> {
        self.0 += 1;
        if self.0 >= MOST_TRIES {
            return Err(Error::Conflict);
        }
        let pause = u64::from(self.0) * rand::random_range(500..1500);
        tokio::time::sleep(std::time::Duration::from_micros(pause)).await;
        Ok(())
    }
}

pub(super) fn sees(scope: &Scope, consultation: &Consultation, caller: &Caller) -> bool {
    match scope.reach() {
        Reach::Whole => true,
        Reach::Region { prefix, site, .. } => {
            consultation.region.starts_with(prefix)
                || (!site.is_empty() && &consultation.site == site)
                || responsibility::pending(consultation)
                    .is_some_and(|h| h.to_agent == caller.subject)
        }
        Reach::Department(department) => consultation
            .referrals
            .iter()
            .any(|r| &r.department == department),
        Reach::Case(_) => false,
    }
}

/// The consultation of what was loaded, if the caller may see it and give the command.
pub(super) fn permitted(
    loaded: &mut Loaded,
    caller: &Caller,
    district: &str,
    who: Who,
) -> Result<(Consultation, u64, Hash), Refusal> {
    of_department(caller)?;
    let scope = district::of(&loaded.known, caller, district)?;
    let found = loaded
        .consultation
        .take()
        .filter(|(consultation, ..)| sees(&scope, consultation, caller))
        .ok_or_else(unknown)?;
    responsibility::may(who, &found.0, caller)?;
    Ok(found)
}

impl Rpc {
    /// A command on a consultation that is there.
    pub(super) async fn act<R: Head + Message>(
        &self,
        request: Request<R>,
        who: Who,
        decide: Decide<R>,
    ) -> Result<Response<ConsultationChange>, Status> {
        let (caller, deadline, request) = taken(request);
        self.act_on(&caller, deadline, &request, who, |_, _| None, decide)
            .await
    }

    /// A command that directory must agree to.
    pub(super) async fn act_asking<R: Head + Message>(
        &self,
        request: Request<R>,
        who: Who,
        whom: Whom<R>,
        decide: Decide<R>,
    ) -> Result<Response<ConsultationChange>, Status> {
        let (caller, deadline, request) = taken(request);
        self.act_on(&caller, deadline, &request, who, whom, decide)
            .await
    }

    async fn act_on<R: Head + Message>(
        &self,
        caller: &Caller,
        deadline: Option<Deadline>,
        request: &R,
        who: Who,
        whom: Whom<R>,
        decide: Decide<R>,
    ) -> Result<Response<ConsultationChange>, Status> {
        self.store.wait_for(request.after()).await?;
        let mut command = Command::new(caller, request);
        loop {
            let mut loaded =
                store::load(&self.store, &self.learned, &command, request.consultation()).await?;
            if loaded.is_repeated {
                return Ok(self.first_answer(&command).await?);
            }
            let revision = loaded.counted_by();
            let now = loaded.now;
            let (mut consultation, version, head) =
                permitted(&mut loaded, caller, request.district(), who)?;
            fresh(request, &consultation)?;
            let assigned = match whom(&consultation, request) {
                None => None,
                Some((staff, site)) => {
                    let about = ask::About {
                        district: request.district(),
                        staff: &staff,
                        site: &site,
                        applicant: &consultation.applicant,
                    };
                    let today = now.local().date_naive();
                    Some(ask::assigned(&self.directory, deadline, about, today).await?)
                }
            };
            let known = &loaded.known;
            let outside = Outside {
                now: now.at,
                caller,
                calendar: &known.calendar,
                items: known.versions(&consultation.item),
                departments: known.departments(),
                assigned: assigned.as_ref(),
            };
            let acts = decide(&consultation, request, &outside)?;
            let joined = joining(&consultation, &acts);
            let subject = subject(request.consultation());
            let chain = Chain::new(request.district(), subject, version, head, caller, now);
            let chain = carry_out(&mut consultation, chain, acts, now);
            let mut states = vec![store::update(&consultation, version, &chain, revision)];
            states.extend(joined);
            if let Some(position) = self
                .store
                .finish::<ConsultationChange>(&mut command, &chain, None, states)
                .await?
            {
                return Ok(answer(consultation, &position));
            }
        }
    }

    /// The first answer of a command that is repeated: the consultation as it was after its act.
    pub(super) async fn first_answer(
        &self,
        command: &Command,
    ) -> Result<Response<ConsultationChange>, Error> {
        let first = self.store.repeated(command).await?.ok_or(Error::Conflict)?;
        self.as_of(&first).await
    }

    /// The consultation as it was after an act.
    pub(super) async fn as_of(
        &self,
        last: &act::Model,
    ) -> Result<Response<ConsultationChange>, Error> {
        let acts = act::Entity::find()
            .filter(act::Column::District.eq(&last.district))
            .filter(act::Column::Subject.eq(&last.subject))
            .filter(act::Column::Number.lte(last.number))
            .order_by_asc(act::Column::Number)
            .all(&self.store.db)
            .await?;
        Ok(answer(
            folded(&acts)?,
            &self.store.position(last.tx, last.position),
        ))
    }
}

/// The rows by which departments that are asked for the first time take part.
fn joining(consultation: &Consultation, acts: &[Act]) -> Vec<State> {
    let asked = acts.iter().filter_map(|act| match act {
        Act::Referred(a) => a.referral.as_ref().map(|r| r.department.as_str()),
        _ => None,
    });
    let is_new = |department: &&str| {
        let mut known = consultation.referrals.iter();
        !known.any(|r| r.department == *department)
    };
    asked
        .filter(is_new)
        .map(|department| store::participant(consultation, department))
        .collect()
}

/// The consultation that acts lead to.
///
/// # Errors
/// INTERNAL for an act that cannot be read.
pub fn folded(acts: &[act::Model]) -> Result<Consultation, Refusal> {
    let mut consultation = Consultation::default();
    for row in acts {
        let ConsultationAct { act: Some(act) } =
            ConsultationAct::decode(row.payload.as_slice()).map_err(Refusal::internal)?
        else {
            continue;
        };
        let at = Now::from_row(row.acted_at_us, 0).at;
        fold::apply(&mut consultation, &act, timestamp(at), row.is_demonstration);
    }
    Ok(consultation)
}

/// The etag is the one that is in force, where one was sent.
pub(super) fn fresh(request: &impl Head, consultation: &Consultation) -> Result<(), Refusal> {
    if request.etag().is_empty() || request.etag() == consultation.etag {
        return Ok(());
    }
    Err(Refusal::new(
        Why::Stale,
        "STALE_ETAG",
        "BB-8d",
        "该咨询已被更新，请刷新后再操作",
        "the consultation has changed since you read it: read it again",
    )
    .field("etag", "stale"))
}
