//! The one way in which every command on a case goes: load, decide, write, answer.

use bangban_codes::ReceiptNumber;
use bangban_kit::{
    access::Deadline,
    identity::Caller,
    refusal::{Kind as Why, Refusal},
    scope::{Reach, Scope},
};
use bangban_learned::{assignment, district};
use bangban_ledger::START;
use bangban_proto::{
    Head,
    bangban::{
        casework::v1::{
            AcceptHandoverRequest, Case, CaseAct, CaseChange, OfferHandoverRequest,
            OpenCaseRequest, TakeMaterialRequest,
        },
        directory::v1::{CheckAssignmentRequest, CheckAssignmentResponse},
        types::v1::Channel,
    },
};
use bangban_store::{Error, Now, Position, act, command::Command, write::Chain};
use prost::Message;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Rpc, case_unknown, taken};
use crate::{
    domain::{
        Act, Outside, fold, material, opening,
        outside::timestamp,
        responsibility::{self, Who},
    },
    store::{self, Loaded},
};

/// A pure decision.
pub(super) type Decide<R> = fn(&Case, &R, &Outside<'_>) -> Result<Vec<Act>, Refusal>;

/// Applies acts to a case and adds them to its chain.
pub(crate) fn carry_out(case: &mut Case, mut chain: Chain, acts: Vec<Act>, now: Now) -> Chain {
    for act in acts {
        fold::apply(case, &act, timestamp(now.at), now.is_demonstration);
        let kind = fold::kind(&act);
        chain = chain.act(kind, CaseAct { act: Some(act) }.encode_to_vec());
    }
    chain
}

fn subject(case: &str) -> String {
    format!("cases/{case}")
}

fn sees(scope: &Scope, case: &Case, caller: &Caller) -> bool {
    match scope.reach() {
        Reach::Whole => true,
        Reach::Region { prefix, site, .. } => {
            case.region.starts_with(prefix)
                || (!site.is_empty() && &case.site == site)
                || responsibility::pending(case).is_some_and(|h| h.to_agent == caller.subject)
        }
        Reach::Department(department) => &case.department == department,
        Reach::Case(id) => &case.id == id,
    }
}

impl Rpc {
    /// A command on a case that is there.
    pub(super) async fn act<R: Head + Message>(
        &self,
        request: Request<R>,
        who: Who,
        decide: Decide<R>,
    ) -> Result<Response<CaseChange>, Status> {
        let (caller, _, request) = taken(request);
        self.act_on(&caller, &request, who, None, |case, outside| {
            decide(case, &request, outside)
        })
        .await
    }

    /// Records a material; one that is reused is looked up in the case that it was taken for.
    pub(super) async fn take(
        &self,
        request: Request<TakeMaterialRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        let (caller, _, request) = taken(request);
        let district = Scope::whole(&request.district);
        let earlier = match request.reused_from.as_str() {
            "" => None,
            id => store::find(&self.store, &district, store::By::Id, id).await?,
        };
        self.act_on(
            &caller,
            &request,
            Who::Responsible,
            earlier,
            |case, outside| material::take(case, &request, outside),
        )
        .await
    }

    async fn act_on<R: Head + Message>(
        &self,
        caller: &Caller,
        request: &R,
        who: Who,
        earlier: Option<Case>,
        decide: impl Fn(&Case, &Outside<'_>) -> Result<Vec<Act>, Refusal>,
    ) -> Result<Response<CaseChange>, Status> {
        self.store.wait_for(request.after()).await?;
        let mut command = Command::new(caller, request);
        loop {
            let loaded = store::load(&self.store, &self.learned, &command, request.case()).await?;
            if loaded.is_repeated {
                return Ok(self.first_answer(&command).await?);
            }
            let revision = loaded.counted_by();
            let Loaded {
                now, known, case, ..
            } = loaded;
            let scope = district::of(&known, caller, request.district())?;
            let (mut case, version, head) = case
                .filter(|(case, ..)| sees(&scope, case, caller))
                .ok_or_else(case_unknown)?;
            fresh(request, &case)?;
            responsibility::may(who, &case, caller)?;
            let outside = Outside {
                now: now.at,
                caller,
                calendar: &known.calendar,
                item: known.item(&case.item, case.item_version),
                department: known.department(&case.department),
                earlier: earlier.as_ref(),
            };
            let acts = decide(&case, &outside)?;
            let chain = Chain::new(
                request.district(),
                subject(request.case()),
                version,
                head,
                caller,
                now,
            );
            let chain = carry_out(&mut case, chain, acts, now);
            let state = store::update(&case, version, &chain, revision);
            if let Some(position) = self
                .store
                .finish::<CaseChange>(&mut command, &chain, None, vec![state])
                .await?
            {
                return Ok(answer(case, &position));
            }
        }
    }

    /// Opens a case.
    pub(super) async fn open(
        &self,
        request: Request<OpenCaseRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        let (caller, deadline, request) = taken(request);
        self.store.wait_for(&request.after).await?;
        let mut command = Command::new(&caller, &request);
        loop {
            let loaded = store::load(&self.store, &self.learned, &command, "").await?;
            if loaded.is_repeated {
                return Ok(self.first_answer(&command).await?);
            }
            let (now, known) = (loaded.now, &loaded.known);
            district::of(known, &caller, &request.district)?;
            let number = known.district.as_ref().map_or(0, |d| d.number);
            let today = now.local().date_naive().to_string();
            let item = known
                .in_force(&request.item, &today)
                .ok_or_else(|| opening::not_published(&request.item))?;
            let assignment = CheckAssignmentRequest {
                district: request.district.clone(),
                staff: caller.subject.clone(),
                site: request.site.clone(),
                item: request.item.clone(),
                channel: request.mode,
                applicant: request.applicant.clone(),
            };
            let assignment = self.assignable(&caller, deadline, assignment).await?;
            let outside = Outside {
                now: now.at,
                caller: &caller,
                calendar: &known.calendar,
                item,
                department: known.department(&item.department),
                earlier: None,
            };
            let id = Uuid::now_v7().to_string();
            let serial = rand::random_range(0..u64::from(bangban_codes::Serial::COUNT));
            let receipt = ReceiptNumber::new(number, serial)
                .map_err(Refusal::internal)?
                .to_string();
            let acts = opening::open(id.clone(), receipt, &request, &assignment, &outside)?;
            let mut case = Case::default();
            let chain = Chain::new(&request.district, subject(&id), 0, START, &caller, now);
            let chain = carry_out(&mut case, chain, acts, now);
            let state = store::insert(&case, &chain, known.calendar_revision);
            match self
                .store
                .finish::<CaseChange>(&mut command, &chain, None, vec![state])
                .await
            {
                Ok(Some(position)) => return Ok(answer(case, &position)),
                Ok(None) => {}
                Err(Error::Taken(what)) if what.contains("consultation") => {
                    return Err(consultation_taken().into());
                }
                // The receipt was drawn before: draw another.
                Err(Error::Taken(what)) if what.contains("receipt") => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Offers a hand-over to somebody who may be given the case.
    pub(super) async fn offer(
        &self,
        request: Request<OfferHandoverRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        let (caller, deadline, request) = taken(request);
        let command = Command::new(&caller, &request);
        if self.store.repeated(&command).await?.is_some() {
            // Done before: whether it would be allowed now is not asked again.
            return Ok(self.first_answer(&command).await?);
        }
        let scope = self.scope(&caller, &request.district).await?;
        let case = store::find(&self.store, &scope, store::By::Id, &request.case)
            .await?
            .ok_or_else(case_unknown)?;
        let receiver = CheckAssignmentRequest {
            district: request.district.clone(),
            staff: request.to_agent.clone(),
            site: request.to_site.clone(),
            item: case.item,
            channel: Channel::Unspecified.into(),
            applicant: case.applicant,
        };
        self.assignable(&caller, deadline, receiver).await?;
        self.act_on(
            &caller,
            &request,
            Who::Responsible,
            None,
            |case, outside| responsibility::offer(case, &request, outside),
        )
        .await
    }

    /// A command about a delegation, for which directory is asked again whether the agent may be given the matter: a
    /// relative may have been declared meanwhile (BB-6.1).
    pub(super) async fn act_asking<R: Head + Message>(
        &self,
        request: Request<R>,
        decide: Decide<R>,
    ) -> Result<Response<CaseChange>, Status> {
        let (caller, deadline, request) = taken(request);
        let command = Command::new(&caller, &request);
        if self.store.repeated(&command).await?.is_some() {
            return Ok(self.first_answer(&command).await?);
        }
        let scope = self.scope(&caller, request.district()).await?;
        let case = store::find(&self.store, &scope, store::By::Id, request.case())
            .await?
            .ok_or_else(case_unknown)?;
        let agent = CheckAssignmentRequest {
            district: request.district().to_owned(),
            staff: case.agent,
            site: case.site,
            item: case.item,
            channel: Channel::Unspecified.into(),
            applicant: case.applicant,
        };
        self.assignable(&caller, deadline, agent).await?;
        self.act_on(
            &caller,
            &request,
            Who::Responsible,
            None,
            |case, outside| decide(case, &request, outside),
        )
        .await
    }

    /// Accepts a hand-over; whether the receiver may be given the case is asked again, because it takes effect now.
    pub(super) async fn accept(
        &self,
        request: Request<AcceptHandoverRequest>,
    ) -> Result<Response<CaseChange>, Status> {
        let (caller, deadline, request) = taken(request);
        let command = Command::new(&caller, &request);
        let district = Scope::whole(&request.district);
        let case = store::find(&self.store, &district, store::By::Id, &request.case)
            .await?
            .ok_or_else(case_unknown)?;
        // Asked behind the case: what was done before the case was read is found, however shortly before.
        if self.store.repeated(&command).await?.is_some() {
            // Done before: whether it would be allowed now is not asked again.
            return Ok(self.first_answer(&command).await?);
        }
        responsibility::may(Who::Receiver, &case, &caller)?;
        let to_site = responsibility::pending(&case)
            .map(|h| h.to_site.clone())
            .unwrap_or_default();
        let receiver = CheckAssignmentRequest {
            district: request.district.clone(),
            staff: caller.subject.clone(),
            site: to_site,
            item: case.item,
            channel: Channel::Unspecified.into(),
            applicant: case.applicant,
        };
        let assignment = self.assignable(&caller, deadline, receiver).await?;
        self.act_on(&caller, &request, Who::Receiver, None, |case, outside| {
            responsibility::accept(case, &assignment, outside)
        })
        .await
    }

    async fn assignable(
        &self,
        caller: &Caller,
        deadline: Option<Deadline>,
        request: CheckAssignmentRequest,
    ) -> Result<CheckAssignmentResponse, Status> {
        assignment::check(&self.directory, caller, deadline, request).await
    }

    /// The first answer of a command that is repeated: the case as it was after its act.
    async fn first_answer(&self, command: &Command) -> Result<Response<CaseChange>, Error> {
        let first = self.store.repeated(command).await?.ok_or(Error::Conflict)?;
        let acts = act::Entity::find()
            .filter(act::Column::District.eq(&first.district))
            .filter(act::Column::Subject.eq(&first.subject))
            .filter(act::Column::Number.lte(first.number))
            .order_by_asc(act::Column::Number)
            .all(&self.store.db)
            .await?;
        Ok(answer(
            folded(&acts)?,
            &self.store.position(first.tx, first.position),
        ))
    }
}

fn consultation_taken() -> Refusal {
    Refusal::exists(
        "CASE_OF_CONSULTATION_EXISTS",
        "BB-4.2a",
        "该咨询已转为办件",
        "a case was made of this consultation already",
    )
    .field("consultation", "has its case")
}

/// The case that acts lead to.
///
/// # Errors
/// INTERNAL for an act that cannot be read.
pub fn folded(acts: &[act::Model]) -> Result<Case, Refusal> {
    let mut case = Case::default();
    for row in acts {
        let CaseAct { act: Some(act) } =
            CaseAct::decode(row.payload.as_slice()).map_err(Refusal::internal)?
        else {
            continue;
        };
        let at = Now::from_row(row.acted_at_us, 0).at;
        fold::apply(&mut case, &act, timestamp(at), row.is_demonstration);
    }
    Ok(case)
}

fn answer(case: Case, position: &Position) -> Response<CaseChange> {
    Response::new(CaseChange {
        case: Some(case),
        position: position.to_string(),
    })
}

/// The etag is the one that is in force, where one was sent.
fn fresh(request: &impl Head, case: &Case) -> Result<(), Refusal> {
    if request.etag().is_empty() || request.etag() == case.etag {
        return Ok(());
    }
    Err(Refusal::new(
        Why::Stale,
        "STALE_ETAG",
        "BB-8d",
        "该办件已被更新，请刷新后再操作",
        "the case has changed since you read it: read it again",
    )
    .field("etag", "stale"))
}
