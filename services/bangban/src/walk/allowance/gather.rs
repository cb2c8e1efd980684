//! First contact, notice, consent, materials.

use bangban_proto::bangban::{
    casework::v1::{
        CaseKind, ConsentForm, ConsentKind, GiveNoticeRequest, ListMissingMaterialsRequest,
        MissingMaterial, OpenCaseRequest, PassPreCheckRequest, RecordConsentRequest, SupplyForm,
    },
    directory::v1::Material,
    types::v1::Channel,
};

use crate::{
    failure::Failure,
    sample::{Applicant, find_or_register},
    tell,
    walk::engine::{Walk, act, request_id},
};

/// Who is there when she consents by word of mouth.
const WITNESS: &str = "村委会值班干部（示例）";

impl Walk<'_> {
    /// She comes; her case is opened, with a receipt number.
    pub(super) async fn open(&mut self) -> Result<(), Failure> {
        let applicant: &Applicant = self.sample.old_woman()?;
        let found = find_or_register(&self.agent, &self.district, applicant, request_id()).await?;
        let is_new = !found.position.is_empty();
        if is_new {
            self.after = found.position;
        }
        let person = found.applicant.unwrap_or_default();
        let known = if is_new {
            "is registered"
        } else {
            "is on record already"
        };
        let agent = self.sample.agent()?;
        self.tell(format!(
            "{} ({}), 82, comes to {}. She {known}; everybody but the directory sees a mask.",
            person.name_mask, person.document_mask, agent.site
        ));
        let request = OpenCaseRequest {
            district: self.district.clone(),
            request_id: request_id(),
            after: self.after.clone(),
            applicant: person.id,
            item: self.item.code.clone(),
            site: agent.site.clone(),
            channel: Channel::Window.into(),
            mode: Channel::Online.into(),
            kind: CaseKind::Assist.into(),
            consultation: String::new(),
        };
        let answer = self.cases.open_case(self.agent.request(request)).await;
        self.take("open_case", answer, 1).await?;
        let (name, receipt) = (self.sample.agent_name()?, self.case.receipt.clone());
        self.tell(format!(
            "{name} opens a case of assistance (帮办) for {} at the window, to be filed online, and is responsible from now on (首问负责). Receipt number 受理编号 {receipt}.",
            self.item.name
        ));
        Ok(())
    }

    /// Everything is told once; she agrees to be helped.
    pub(super) async fn notice_and_consent(&mut self) -> Result<(), Failure> {
        act!(
            self,
            give_notice,
            GiveNoticeRequest {
                channel: Channel::Window.into(),
                receipt: "申请人按手印确认".to_owned(),
            }
        );
        self.tell(format!(
            "The one-time notice (一次性告知): {} conditions, {} materials, {} limits, {} steps, free of charge; confirmed with a fingerprint.",
            self.item.conditions.len(),
            self.item.materials.len(),
            self.item.limits.len(),
            self.item.steps.len()
        ));
        act!(
            self,
            record_consent,
            RecordConsentRequest {
                kind: ConsentKind::Assistance.into(),
                form: ConsentForm::Oral.into(),
                witness: WITNESS.to_owned(),
            }
        );
        self.tell(format!(
            "She agrees to be assisted, by word of mouth; witness 见证人: {WITNESS}."
        ));
        Ok(())
    }

    /// Materials: all but one, the one list, the last one made on the spot, the pre-check.
    pub(super) async fn materials(&mut self) -> Result<(), Failure> {
        let required: Vec<Material> = self
            .item
            .materials
            .iter()
            .filter(|m| m.is_required)
            .cloned()
            .collect();
        let Some(missing) = required
            .iter()
            .find(|m| m.is_on_the_spot)
            .or(required.first())
            .cloned()
        else {
            return Err(Failure::new(
                "the item asks for no material: import infra/sample/catalogue.yaml again.",
            ));
        };
        let mut brought = Vec::new();
        for material in required.iter().filter(|m| m.code != missing.code) {
            self.take_material(material, SupplyForm::Brought).await?;
            brought.push(material.name.as_str());
        }
        self.tell(format!("She has brought: {}.", brought.join("、")));
        let line = MissingMaterial {
            code: missing.code.clone(),
            reason: "尚未填写".to_owned(),
            can_be_done_on_the_spot: missing.is_on_the_spot,
            ..MissingMaterial::default()
        };
        act!(
            self,
            list_missing_materials,
            ListMissingMaterialsRequest {
                materials: vec![line.clone()],
                changed_facts: String::new(),
            }
        );
        self.tell(format!(
            "All that is missing is listed once (一次性列出): {}. How: {}",
            missing.name, missing.how_to_get
        ));
        let supply = if missing.is_on_the_spot {
            SupplyForm::OnTheSpot
        } else {
            SupplyForm::Supplemented
        };
        self.take_material(&missing, supply).await?;
        self.tell(format!(
            "{} is filled in on the spot with help (当场补齐); nobody is sent home.",
            missing.name
        ));
        act!(self, pass_pre_check, PassPreCheckRequest {});
        self.tell(format!(
            "The pre-check has passed (预审通过) at {}.",
            tell::instant(self.case.pre_checked_at.as_ref())
        ));
        Ok(())
    }
}
