//! The licence is received for him and posted; its electronic form is explained; he is asked what he thinks; the file.

use bangban_proto::bangban::{
    casework::v1::{
        ConfirmReceiptRequest, DelegationEnd, DeliverResultRequest, DeliveryMeans, FileAwayRequest,
        PromptEvaluationRequest, ReceiveDocumentRequest, ReturnMaterialRequest,
    },
    types::v1::Channel,
};

use crate::{
    failure::Failure,
    walk::engine::{Walk, act},
};

impl Walk<'_> {
    /// Received for him, posted, explained, received by him.
    pub(super) async fn post(&mut self) -> Result<(), Failure> {
        let received_at = Some(self.now().await?);
        let number = self.number("JY");
        act!(
            self,
            receive_document,
            ReceiveDocumentRequest {
                number: number.clone(),
                proof: "领证登记签字".to_owned(),
                received_at: received_at,
            }
        );
        let guidance = self
            .item
            .electronic_licence
            .as_ref()
            .map(|l| format!("{} {}", l.how_to_download, l.how_to_use))
            .unwrap_or_default();
        let tracking = self.number("EMS");
        act!(
            self,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Post.into(),
                identity_check: String::new(),
                received_by: String::new(),
                carrier: "中国邮政".to_owned(),
                tracking_number: tracking.clone(),
                proof: "寄件回执".to_owned(),
                electronic_licence_guidance: guidance.clone(),
            }
        );
        self.tell(format!(
            "The agent receives licence {number} for him and posts it, tracking number {tracking}; how the electronic licence is downloaded and used is explained (电子证照指引)."
        ));
        self.days_go_by(2).await?;
        let received_at = Some(self.now().await?);
        act!(
            self,
            confirm_receipt,
            ConfirmReceiptRequest {
                proof: "邮政签收记录".to_owned(),
                received_at: received_at,
            }
        );
        self.tell("He has it in his hands: served means received (签收), not sent.");
        Ok(())
    }

    /// Evaluation, originals, the file; the delegation ends with the matter.
    pub(super) async fn close(&mut self) -> Result<(), Failure> {
        let held: Vec<String> = self
            .case
            .materials
            .iter()
            .filter(|m| m.originals > 0 && m.returned_at.is_none())
            .map(|m| m.code.clone())
            .collect();
        for code in &held {
            act!(
                self,
                return_material,
                ReturnMaterialRequest {
                    material: code.clone(),
                    receipt: "经营者签收".to_owned(),
                }
            );
        }
        act!(
            self,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Phone.into(),
                opinion: "一次没跑县里".to_owned(),
            }
        );
        act!(
            self,
            file_away,
            FileAwayRequest {
                remarks: String::new()
            }
        );
        let is_completed = self
            .case
            .agreements
            .iter()
            .any(|a| a.end() == DelegationEnd::Completed);
        let end = if is_completed {
            "the delegation has ended with it (代办办结)"
        } else {
            "the delegation goes on"
        };
        self.tell(format!(
            "He is invited to evaluate, once (提示评价); {} originals go back; the case is filed away (归档): {} acts, {} breaches; {end}.",
            held.len(),
            self.case.act_count,
            self.case.breaches.len()
        ));
        Ok(())
    }
}
