//! Delivery, evaluation, the file, the look from outside, the ledger.

use crate::{
    client::answered,
    failure::Failure,
    tell,
    walk::engine::{Walk, act},
};
use bangban_proto::bangban::{
    casework::v1::{
        CaseState, CheckCompletenessRequest, DeliverResultRequest, DeliveryMeans, FileAwayRequest,
        GetProgressRequest, PromptEvaluationRequest, case_service_client::CaseServiceClient,
    },
    types::v1::Channel,
};

impl Walk<'_> {
    /// She gets the result and is asked what she thinks.
    pub(super) async fn deliver(&mut self) -> Result<(), Failure> {
        let licence = self.item.electronic_licence.as_ref();
        let guidance = licence
            .map(|l| format!("{} {}", l.how_to_download, l.how_to_use))
            .unwrap_or_default();
        act!(
            self,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::InPerson.into(),
                identity_check: "核对本人居民身份证".to_owned(),
                received_by: String::new(),
                carrier: String::new(),
                tracking_number: String::new(),
                proof: "申请人按手印签收".to_owned(),
                electronic_licence_guidance: guidance.clone(),
            }
        );
        self.tell("The result is handed to her in person (送达), her identity card checked.");
        act!(
            self,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Window.into(),
                opinion: "没有多跑路".to_owned(),
            }
        );
        self.tell(
            "She is invited to evaluate (提示评价), once. She says: 没有多跑路, no needless way.",
        );
        Ok(())
    }

    /// The record is complete and goes into the file.
    pub(super) async fn file_away(&mut self) -> Result<(), Failure> {
        let request = CheckCompletenessRequest {
            district: self.district.clone(),
            case: self.case.id.clone(),
            after: self.after.clone(),
        };
        let check = answered(
            "the record cannot be checked",
            self.cases
                .check_completeness(self.agent.request(request))
                .await,
        )?;
        for gap in &check.gaps {
            let text = gap.text.clone().unwrap_or_default();
            self.more(format!(
                "lacking {} ({}): {} / {}",
                gap.reason, gap.requirement, text.zh, text.en
            ));
        }
        act!(
            self,
            file_away,
            FileAwayRequest {
                remarks: String::new()
            }
        );
        self.tell(format!(
            "The record is complete; the case is filed away (归档): {} acts, {} breaches of limits.",
            self.case.act_count,
            self.case.breaches.len()
        ));
        Ok(())
    }

    /// Her grandson looks from home: receipt number and the end of her document, no token.
    pub(super) async fn progress(&mut self) -> Result<(), Failure> {
        let request = GetProgressRequest {
            district: self.district.clone(),
            receipt: self.case.receipt.clone(),
            document_end: self.sample.old_woman()?.document_end(),
        };
        let mut cases = CaseServiceClient::new(self.public.channel());
        let progress = answered(
            "the progress cannot be read",
            cases.get_progress(self.public.request(request)).await,
        )?;
        let state = CaseState::try_from(progress.state)
            .unwrap_or_default()
            .as_str_name();
        self.tell(format!(
            "From home, with the receipt number and the last six of the document (进度查询): {}.",
            state.trim_start_matches("CASE_STATE_")
        ));
        for step in &progress.steps {
            let text = step.text.clone().unwrap_or_default();
            self.more(format!(
                "{}  {} / {}",
                tell::instant(step.at.as_ref()),
                text.zh,
                text.en
            ));
        }
        Ok(())
    }
}
