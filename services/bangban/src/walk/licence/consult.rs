//! He asks by telephone; the department is asked, and he has the answer by the next working day (BB-10.1.1, BB-10.2.1).

use bangban_proto::bangban::{
    casework::v1::{CaseKind, GetCaseRequest},
    consultation::v1::{
        AnswerConsultationRequest, AnswerReferralRequest, Consultation, ConsultationChange,
        ConvertConsultationRequest, ReferConsultationRequest, RegisterConsultationRequest,
        consultation_service_client::ConsultationServiceClient,
    },
    types::v1::Channel,
};
use prost_types::Timestamp;
use tonic::{Response, Status};

use super::{APPLICANT, DEPARTMENT};
use crate::{
    client::{Client, answered},
    failure::Failure,
    sample::find_or_register,
    tell,
    walk::engine::{Walk, request_id},
};

/// Ten in the morning in Asia/Shanghai on the day of an instant, or an hour later than now on that day.
fn morning(day: &Timestamp, now: &Timestamp) -> Timestamp {
    let local = (day.seconds - 1 + 8 * 3600).div_euclid(86_400) * 86_400;
    Timestamp {
        seconds: (local + 2 * 3600).max(now.seconds + 60),
        nanos: 0,
    }
}

impl Walk<'_> {
    fn changed(
        &mut self,
        what: &str,
        answer: Result<Response<ConsultationChange>, Status>,
    ) -> Result<Consultation, Failure> {
        let change = answered(what, answer)?;
        self.after = change.position;
        Ok(change.consultation.unwrap_or_default())
    }

    /// He telephones; the call is registered.
    pub(super) async fn ask(&mut self) -> Result<Consultation, Failure> {
        let applicant = self.sample.applicant(APPLICANT)?;
        let found = find_or_register(&self.agent, &self.district, applicant, request_id()).await?;
        if !found.position.is_empty() {
            self.after = found.position;
        }
        let person = found.applicant.unwrap_or_default();
        let mut service = ConsultationServiceClient::new(self.agent.channel());
        let request = RegisterConsultationRequest {
            district: self.district.clone(),
            request_id: request_id(),
            after: self.after.clone(),
            site: self.person.site.clone(),
            channel: Channel::Phone.into(),
            kind: CaseKind::Agency.into(),
            applicant: person.id,
            item: self.item.code.clone(),
            question: "小吃店现做现卖卤味，办食品经营许可需要什么，能否请人代办".to_owned(),
            ..RegisterConsultationRequest::default()
        };
        let answer = service
            .register_consultation(self.agent.request(request))
            .await;
        let asked = self.changed("the call cannot be registered", answer)?;
        self.tell(format!(
            "The keeper of a snack bar ({}) telephones {} and asks for a food business licence: entry {} of the register (咨询登记); {} is responsible from the first ring on.",
            person.name_mask, self.person.site, asked.number, self.person.subject
        ));
        Ok(asked)
    }

    /// What cannot be answered at once goes to the department; he is owed the answer by the next working day.
    pub(super) async fn refer(&mut self, asked: Consultation) -> Result<Consultation, Failure> {
        let mut service = ConsultationServiceClient::new(self.agent.channel());
        let request = ReferConsultationRequest {
            district: self.district.clone(),
            request_id: request_id(),
            consultation: asked.id,
            department: self.item.department.clone(),
            question: "现做现卖卤味是否需要增加热食类制售项目，布局有何要求".to_owned(),
            ..ReferConsultationRequest::default()
        };
        let answer = service
            .refer_consultation(self.agent.request(request))
            .await;
        let referred = self.changed("the department cannot be asked", answer)?;
        self.tell(format!(
            "That cannot be answered at once: {DEPARTMENT} is asked (转请主管部门). He is owed the answer by {} (1个工作日内).",
            tell::instant(referred.next_due_at.as_ref())
        ));
        Ok(referred)
    }

    /// The department answers, and then he is answered, once and completely.
    pub(super) async fn answer(
        &mut self,
        referred: Consultation,
        clerk: &Client,
    ) -> Result<Consultation, Failure> {
        let now = self.now().await?;
        if let Some(due) = &referred.next_due_at {
            self.until(morning(due, &now)).await?;
        }
        let mut service = ConsultationServiceClient::new(clerk.channel());
        let request = AnswerReferralRequest {
            district: self.district.clone(),
            request_id: request_id(),
            consultation: referred.id.clone(),
            after: self.after.clone(),
            number: 1,
            answer: "需要热食类制售项目；加工区与就餐区分开，设洗消池。".to_owned(),
            issuer: DEPARTMENT.to_owned(),
            proof: "电话答复记录".to_owned(),
            answered_at: Some(self.now().await?),
            ..AnswerReferralRequest::default()
        };
        let answer = service.answer_referral(clerk.request(request)).await;
        let told = self.changed("the department's answer cannot be recorded", answer)?;
        let mut service = ConsultationServiceClient::new(self.agent.channel());
        let preparations = self.item.materials.iter().filter(|m| m.is_required);
        let request = AnswerConsultationRequest {
            district: self.district.clone(),
            request_id: request_id(),
            consultation: told.id,
            after: self.after.clone(),
            text: "需要热食类制售项目，按清单备齐材料即可；可以签订协议委托代办，全程免费。"
                .to_owned(),
            preparations: preparations.map(|m| m.name.clone()).collect(),
            channel: Channel::Phone.into(),
            agency_policies:
                "民法典第一百六十五条、行政许可法第二十九条；须本人办理的环节不能代办。".to_owned(),
            ..AnswerConsultationRequest::default()
        };
        let answer = service
            .answer_consultation(self.agent.request(request))
            .await;
        let done = self.changed("he cannot be answered", answer)?;
        let given = done.answer.clone().unwrap_or_default();
        self.tell(format!(
            "The department answers, and he is called back at {}: one complete answer (一次性答复), the notice of the item, {} things to prepare; in time, {} breaches.",
            tell::instant(given.answered_at.as_ref()),
            given.preparations.len(),
            done.breaches.len()
        ));
        Ok(done)
    }

    /// The question becomes a case, with one call that may be repeated.
    pub(super) async fn convert(&mut self, done: Consultation) -> Result<(), Failure> {
        let mut service = ConsultationServiceClient::new(self.agent.channel());
        let request = ConvertConsultationRequest {
            district: self.district.clone(),
            request_id: request_id(),
            consultation: done.id,
            after: self.after.clone(),
            mode: Channel::Window.into(),
            ..ConvertConsultationRequest::default()
        };
        let answer = service
            .convert_consultation(self.agent.request(request))
            .await;
        let converted = self.changed("the question cannot become a case", answer)?;
        let conversion = converted.conversion.unwrap_or_default();
        let request = GetCaseRequest {
            district: self.district.clone(),
            case: conversion.case,
            after: String::new(),
        };
        self.case = answered(
            "the case cannot be read",
            self.cases.get_case(self.agent.request(request)).await,
        )?;
        self.after = String::new();
        self.tell(format!(
            "He wants it obtained for him: the question becomes a case of agency (代办), receipt number 受理编号 {}; the giver was responsible until casework had taken it over.",
            conversion.receipt
        ));
        Ok(())
    }
}
