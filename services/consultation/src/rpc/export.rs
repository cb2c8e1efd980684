//! Streams the register of a period (BB-10.1.1c): a page at a time, so that memory stays bounded.

use std::{collections::HashMap, sync::Arc};

use bangban_kit::{
    identity::Caller,
    refusal::{self, Refusal},
    scope::Scope,
};
use bangban_learned::absence;
use bangban_proto::bangban::{
    consultation::v1::{
        Consultation, ExportRegisterRequest, ExportRegisterResponse, RegisterEntry,
        consultation_service_server::ConsultationService,
    },
    directory::v1::{RevealApplicantRequest, applicant_service_client::ApplicantServiceClient},
    options::v1::Role,
};
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Rpc, ask, read::period, taken};
use crate::{domain::complete, store};

/// Entries of one message.
const PAGE: i64 = 50;

/// Applicants about whom directory is asked at once.
const AT_ONCE: usize = 8;

/// Longest purpose that directory keeps with a reveal, in characters.
const MAX_PURPOSE: usize = 200;

/// What the register says of an applicant: name and telephone.
type Contact = (String, String);

/// What is exported, to whom.
struct Export {
    scope: Scope,
    caller: Arc<Caller>,
    district: String,
    period: (i64, i64),
    /// Why names are shown in clear; unset for masks.
    purpose: Option<String>,
}

impl Rpc {
    pub(super) async fn export(
        &self,
        request: Request<ExportRegisterRequest>,
    ) -> Result<Response<<Self as ConsultationService>::ExportRegisterStream>, Status> {
        let (caller, _, r) = taken(request);
        self.store.wait_for(&r.after).await?;
        let export = Export {
            scope: self.scope(&caller, &r.district).await?,
            period: period(&r.from, &r.to)?,
            purpose: purpose(&caller, &r)?,
            district: r.district,
            caller,
        };
        let (send, receive) = mpsc::channel(2);
        let rpc = self.clone();
        tokio::spawn(async move {
            if let Err(status) = rpc.send_all(&export, &send).await {
                // Nobody hears it when the receiver has gone.
                let _ = send.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receive))))
    }

    async fn send_all(
        &self,
        export: &Export,
        send: &mpsc::Sender<Result<ExportRegisterResponse, Status>>,
    ) -> Result<(), Status> {
        let mut last = 0;
        loop {
            let page = store::registered(
                &self.store,
                &export.scope,
                &export.caller,
                export.period,
                last,
                PAGE,
            )
            .await?;
            let Some(end) = page.last() else {
                return Ok(());
            };
            last = end.number;
            let entries = self.entries(export, &page).await?;
            if send
                .send(Ok(ExportRegisterResponse { entries }))
                .await
                .is_err()
            {
                return Ok(());
            }
        }
    }

    async fn entries(
        &self,
        export: &Export,
        page: &[Consultation],
    ) -> Result<Vec<RegisterEntry>, Status> {
        let mut ids: Vec<String> = page.iter().map(|c| c.applicant.clone()).collect();
        ids.sort();
        ids.dedup();
        ids.retain(|id| !id.is_empty());
        let ask = |id: String| async move {
            let contact = self.contact(export, &id).await?;
            Ok::<_, Status>((id, contact))
        };
        let contacts: HashMap<String, Option<Contact>> = futures::stream::iter(ids)
            .map(ask)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let entry = |consultation: &Consultation| {
            let contact = contacts.get(&consultation.applicant).cloned().flatten();
            let (name, telephone) = contact.unwrap_or_default();
            let mut entry = complete::entry(consultation, telephone);
            if export.purpose.is_some() && !name.is_empty() {
                entry.name = name;
            }
            entry
        };
        Ok(page.iter().map(entry).collect())
    }

    /// Name and telephone: masks, or in clear with a reveal on record. None of somebody who was forgotten.
    async fn contact(&self, export: &Export, id: &str) -> Result<Option<Contact>, Status> {
        let district = &export.district;
        let Some(purpose) = &export.purpose else {
            let asked = ask::applicant(&self.directory, None, district, id).await;
            return known(asked.map(|a| (a.name_mask, a.telephone_mask)));
        };
        let request = RevealApplicantRequest {
            district: district.clone(),
            request_id: Uuid::now_v7().to_string(),
            applicant: id.to_owned(),
            purpose: purpose.clone(),
        };
        let request = self.directory.request(&export.caller, None, request)?;
        let mut applicants = ApplicantServiceClient::new(self.directory.channel.clone());
        let revealed = applicants.reveal_applicant(request).await;
        known(revealed.map(|r| {
            let r = r.into_inner();
            (r.name, r.telephone)
        }))
    }
}

fn known(asked: Result<Contact, Status>) -> Result<Option<Contact>, Status> {
    match asked {
        Ok(contact) => Ok(Some(contact)),
        Err(status)
            if matches!(
                refusal::reason(&status).as_str(),
                "APPLICANT_ERASED" | "APPLICANT_UNKNOWN"
            ) =>
        {
            Ok(None)
        }
        Err(status) => Err(absence::told(status, None)),
    }
}

/// Why names are shown in clear; none when masks are enough.
fn purpose(caller: &Caller, request: &ExportRegisterRequest) -> Result<Option<String>, Refusal> {
    if !request.is_revealed {
        return Ok(None);
    }
    if !caller.has(Role::Administrator) && !caller.has(Role::Auditor) {
        return Err(Refusal::forbidden(
            "REVEAL_NOT_ALLOWED",
            "BB-10.1.1c",
            "只有管理员或审计人员可以导出明文登记簿",
            "only an administrator or an auditor may have names in clear",
        )
        .field("is_revealed", "not for your roles"));
    }
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(Refusal::invalid(
            "REASON_MISSING",
            "BB-10.1.1c",
            "导出明文登记簿须说明理由，理由随每次查看留痕",
            "say why names are needed in clear: it is kept with every reveal",
        )
        .field("reason", "missing"));
    }
    let purpose = format!("导出咨询登记簿：{reason}");
    Ok(Some(purpose.chars().take(MAX_PURPOSE).collect()))
}
