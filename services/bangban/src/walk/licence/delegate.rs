//! Consent, materials, the agreement with its powers one by one, and filing for him (BB-10.2.2, BX-4).

use bangban_proto::bangban::{
    casework::v1::{
        Capacity, ConsentForm, ConsentKind, DraftDelegationRequest, FileApplicationRequest,
        GetAgreementRequest, GiveNoticeRequest, PassPreCheckRequest, RecordConsentRequest,
        ReportDepartmentStatusRequest, SignDelegationRequest, Signature, SignatureForm, SupplyForm,
    },
    directory::v1::{Material, Power},
    types::v1::Channel,
};

use super::DEPARTMENT;
use crate::{
    client::answered,
    failure::Failure,
    tell,
    walk::engine::{Walk, act},
};

/// Length of the term, in days.
const TERM: i64 = 90;

impl Walk<'_> {
    /// He comes to the town centre, is told everything, and agrees.
    pub(super) async fn agree(&mut self) -> Result<(), Failure> {
        act!(
            self,
            give_notice,
            GiveNoticeRequest {
                channel: Channel::Window.into(),
                receipt: "经营者签字确认".to_owned(),
            }
        );
        act!(
            self,
            record_consent,
            RecordConsentRequest {
                kind: ConsentKind::Assistance.into(),
                form: ConsentForm::Written.into(),
                witness: String::new(),
            }
        );
        self.tell("He comes to the town centre, gets the one-time notice (一次性告知) and agrees in writing, of his own free will and free of charge.");
        Ok(())
    }

    /// Everything that is required, against receipts; the pre-check.
    pub(super) async fn hand_over_materials(&mut self) -> Result<(), Failure> {
        let required: Vec<Material> = self
            .item
            .materials
            .iter()
            .filter(|m| m.is_required)
            .cloned()
            .collect();
        for material in &required {
            self.take_material(material, SupplyForm::Brought).await?;
        }
        act!(self, pass_pre_check, PassPreCheckRequest {});
        self.tell(format!(
            "He hands over {} materials against receipts (收件回执); the pre-check has passed (预审通过).",
            required.len()
        ));
        Ok(())
    }

    /// The agreement is drawn up, read, and signed.
    pub(super) async fn delegate(&mut self) -> Result<(), Failure> {
        let now = self.now().await?;
        let day = |days: i64| {
            let mut at = now;
            at.seconds += days * 86_400;
            tell::local(Some(&at)).map_or_else(String::new, |at| at.format("%F").to_string())
        };
        act!(
            self,
            draft_delegation,
            DraftDelegationRequest {
                powers: vec![
                    Power::Submit.into(),
                    Power::Supplement.into(),
                    Power::ReceiveNotices.into(),
                    Power::ReceiveDocument.into(),
                ],
                from: day(0),
                until: day(TERM),
            }
        );
        let request = GetAgreementRequest {
            district: self.district.clone(),
            case: self.case.id.clone(),
            after: self.after.clone(),
            number: 0,
        };
        let agreement = answered(
            "the agreement cannot be read",
            self.cases.get_agreement(self.agent.request(request)).await,
        )?;
        self.tell("The agreement (委托代办协议) and the authorisation for the department (授权委托书) are drawn up and read to him:");
        for line in agreement.authorisation.lines().filter(|l| !l.is_empty()) {
            self.more(line);
        }
        let signed_at = Some(self.now().await?);
        act!(
            self,
            sign_delegation,
            SignDelegationRequest {
                number: agreement.number,
                signature: Some(Signature {
                    capacity: Capacity::LegalRepresentative.into(),
                    capacity_proof: "营业执照载明的经营者，核对居民身份证".to_owned(),
                    form: SignatureForm::Handwritten.into(),
                    proof: "协议原件一式两份".to_owned(),
                    witness: String::new(),
                    signed_at,
                }),
            }
        );
        self.tell(format!(
            "He signs as the operator of his business; from now on {} may act for him, within these powers, until {}.",
            self.person.subject, agreement.until
        ));
        Ok(())
    }

    /// The agent files for him.
    pub(super) async fn file_for_him(&mut self) -> Result<(), Failure> {
        act!(
            self,
            file_application,
            FileApplicationRequest {
                applicant_signed: false
            }
        );
        let number = self.number("SP");
        act!(
            self,
            report_department_status,
            ReportDepartmentStatusRequest {
                number: number.clone(),
                status: "已收件".to_owned(),
            }
        );
        self.tell(format!(
            "The agent files for him (代为提交), checked against the agreement in the same transaction; {DEPARTMENT} has received it as 办件编号 {number}."
        ));
        Ok(())
    }
}
