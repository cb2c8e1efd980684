//! Makes a case of a consultation: the intent is written, casework is asked, its word is written (BB-4.2a).

use bangban_kit::{access::Deadline, identity::Caller, refusal};
use bangban_learned::known::Learned;
use bangban_net::peer::Peer;
use bangban_proto::bangban::{
    casework::v1::{OpenCaseRequest, case_service_client::CaseServiceClient},
    consultation::v1::{
        Consultation, ConsultationChange, ConsultationState, Conversion, ConvertConsultationRequest,
    },
};
use bangban_store::{Error, Position, act, command::Command, write::Chain};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use tonic::{Code, Request, Response, Status};

use super::{
    Rpc, answer,
    command::{Tries, carry_out, fresh, permitted, subject, written},
    taken,
};
use crate::{
    domain::{Outside, conversion, fold, responsibility::Who},
    store,
};

/// What came of asking casework.
#[derive(Debug)]
pub(crate) enum Settled {
    /// The case is there, and on record.
    Acknowledged(Box<Consultation>, Position),
    /// Casework refused, and that is on record.
    Refused(Status),
    /// Nothing is known: it is asked again. Whether casework could not be reached at all.
    Waiting(bool),
    /// Somebody else has settled it meanwhile.
    Elsewhere,
}

impl Rpc {
    pub(super) async fn convert(
        &self,
        request: Request<ConvertConsultationRequest>,
    ) -> Result<Response<ConsultationChange>, Status> {
        let (caller, deadline, request) = taken(request);
        self.store.wait_for(&request.after).await?;
        let command = Command::new(&caller, &request);
        let mut tries = Tries::default();
        loop {
            let loading = store::load(&self.store, &self.learned, &command, &request.consultation);
            let mut loaded = loading.await?;
            if loaded.is_repeated {
                return Ok(self.first_answer(&command).await?);
            }
            let (revision, now) = (loaded.counted_by(), loaded.now);
            let found = permitted(&mut loaded, &caller, &request.district, Who::Responsible)?;
            let meant = match found.0.state() {
                ConsultationState::Converted => return Ok(self.converted(&found.0).await?),
                // Meant before, by whatever request: gone on with.
                ConsultationState::Converting => found.0,
                _ => {
                    fresh(&request, &found.0)?;
                    let known = &loaded.known;
                    let item = match request.item.as_str() {
                        "" => &found.0.item,
                        item => item,
                    };
                    let outside = Outside {
                        now: now.at,
                        caller: &caller,
                        calendar: &known.calendar,
                        items: known.versions(item),
                        departments: known.departments(),
                        assigned: None,
                    };
                    let acts = conversion::start(&found.0, &request, &outside)?;
                    let put = written(&self.store, &caller, found, acts, (now, revision));
                    match put.await? {
                        Some((meant, _)) => meant,
                        None => {
                            tries.again().await?;
                            continue;
                        }
                    }
                }
            };
            let asked = Some(&command);
            match settle(
                &self.learned,
                &self.casework,
                &caller,
                deadline,
                &meant,
                asked,
            )
            .await?
            {
                Settled::Acknowledged(consultation, position) => {
                    return Ok(answer(*consultation, &position));
                }
                Settled::Refused(status) => return Err(status),
                Settled::Waiting(_) => return Err(conversion::waiting().into()),
                Settled::Elsewhere => tries.again().await?,
            }
        }
    }

    /// What is answered to whoever asks again: the consultation as it was when casework had acknowledged.
    async fn converted(
        &self,
        consultation: &Consultation,
    ) -> Result<Response<ConsultationChange>, Error> {
        let acknowledged = act::Entity::find()
            .filter(act::Column::District.eq(&consultation.district))
            .filter(act::Column::Subject.eq(subject(&consultation.id)))
            .filter(act::Column::Kind.eq(fold::ACKNOWLEDGED))
            .one(&self.store.db)
            .await?
            .ok_or(Error::Conflict)?;
        self.as_of(&acknowledged).await
    }
}

/// Asks casework for the case that is meant, and puts its word on record. `asked` is the request that gets the answer;
/// none for what runs unasked.
///
/// # Errors
/// The database's. What was meant stands.
pub(crate) async fn settle(
    learned: &Learned,
    casework: &Peer,
    caller: &Caller,
    deadline: Option<Deadline>,
    meant: &Consultation,
    asked: Option<&Command>,
) -> Result<Settled, Status> {
    let (Some(request), Some(intent)) = (conversion::request(meant), meant.conversion.clone())
    else {
        return Ok(Settled::Elsewhere);
    };
    let word = open_case(casework, &conversion::agent(meant), deadline, request).await;
    match &word {
        Err(status) if !conversion::is_refusal(status) => {
            tracing::warn!(code = ?status.code(), reason = refusal::reason(status), "casework could not be asked for a case");
            return Ok(Settled::Waiting(status.code() == Code::Unavailable));
        }
        _ => {}
    }
    record(learned, caller, meant, &intent, asked, word).await
}

async fn open_case(
    casework: &Peer,
    agent: &Caller,
    deadline: Option<Deadline>,
    request: OpenCaseRequest,
) -> Result<(String, String), Status> {
    let request = casework.request(agent, deadline, request)?;
    let mut cases = CaseServiceClient::new(casework.channel.clone());
    let opened = cases.open_case(request).await?.into_inner().case;
    let opened = opened.filter(|case| !case.id.is_empty());
    // An answer without a case says nothing.
    opened
        .map(|case| (case.id, case.receipt))
        .ok_or_else(|| Status::unknown("casework answered without a case"))
}

/// Puts casework's word on record, whatever the consultation has become meanwhile.
async fn record(
    learned: &Learned,
    caller: &Caller,
    meant: &Consultation,
    intent: &Conversion,
    asked: Option<&Command>,
    word: Result<(String, String), Status>,
) -> Result<Settled, Status> {
    let nobody = ConvertConsultationRequest {
        district: meant.district.clone(),
        ..ConvertConsultationRequest::default()
    };
    let mut command = asked.map_or_else(|| Command::new(caller, &nobody), Command::clone);
    let store = learned.store();
    let mut tries = Tries::default();
    loop {
        let loaded = store::load(store, learned, &command, &meant.id).await?;
        let (revision, now) = (loaded.counted_by(), loaded.now);
        let Some(found) = loaded.consultation else {
            return Ok(Settled::Elsewhere);
        };
        match &word {
            Err(status) => {
                let reason = reason(status);
                let Some(act) = conversion::refuse(&found.0, intent, &reason) else {
                    return Ok(Settled::Elsewhere);
                };
                let put = written(store, caller, found, vec![act], (now, revision));
                if put.await?.is_some() {
                    return Ok(Settled::Refused(bare(status)));
                }
            }
            Ok((case, receipt)) => {
                let Some(act) = conversion::acknowledge(&found.0, case, receipt) else {
                    return Ok(Settled::Elsewhere);
                };
                let (mut consultation, version, head) = found;
                let subject = subject(&meant.id);
                let chain = Chain::new(&meant.district, subject, version, head, caller, now);
                let chain = carry_out(&mut consultation, chain, vec![act], now);
                let states = vec![store::update(&consultation, version, &chain, revision)];
                // The request stands with the act that answers it: a refusal is not remembered.
                let done = if asked.is_some() {
                    store
                        .finish::<ConsultationChange>(&mut command, &chain, None, states)
                        .await?
                } else {
                    match store.write(&chain, None, states).await {
                        Ok(position) => Some(position),
                        Err(error) if error.is_passing() => None,
                        Err(error) => return Err(error.into()),
                    }
                };
                if let Some(position) = done {
                    return Ok(Settled::Acknowledged(Box::new(consultation), position));
                }
            }
        }
        tries.again().await?;
    }
}

/// A refusal of casework as it is put on record.
fn reason(status: &Status) -> String {
    format!(
        "{}：{}",
        refusal::reason(status),
        refusal::sentence(status, "zh-CN")
    )
}

/// A refusal of casework with its details, without what the transport added.
fn bare(status: &Status) -> Status {
    Status::with_details(
        status.code(),
        status.message(),
        status.details().to_vec().into(),
    )
}
