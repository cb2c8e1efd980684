//! Staff, and who may be given a case.

use bangban_kit::{identity::Caller, page::Page, refusal::Refusal, scope::Scope};
use bangban_proto::{
    Head,
    bangban::{
        directory::v1::{
            CheckAssignmentRequest, CheckAssignmentResponse, Conflict, DeclareConflictRequest,
            DismissStaffRequest, EnrolStaffRequest, GetStaffRequest, GrantSkillRequest,
            ListStaffRequest, ListStaffResponse, RecordAssessmentRequest, RecordTrainingRequest,
            ReinstateStaffRequest, RevokeSkillRequest, Site, Staff, StaffChange,
            SuspendStaffRequest,
        },
        options::v1::Role,
    },
};
use bangban_store::Error;
use prost::Message;

use super::{On, cut_rows, reach};
use crate::{
    Directory,
    domain::{self, applicant, assignment, district::district_unknown, site, staff, staff::Change},
    store::{
        self,
        resource::{self, Place},
    },
};

pub(super) fn place(scope: &Scope, staff: &Staff) -> Place {
    Place {
        region: staff.region.clone(),
        parent: staff.site.clone(),
        sort: staff.site.clone(),
        ..Place::new(scope, "staff", &staff.id)
    }
}

impl Directory {
    pub(crate) async fn enrol_staff(
        &self,
        caller: &Caller,
        request: &EnrolStaffRequest,
    ) -> Result<StaffChange, Error> {
        let decide = move |on: On| async move {
            let asked = request.staff.clone().unwrap_or_default();
            // An id is taken wherever in the district it is.
            let all = Scope::whole(&request.district);
            let found = self.row::<Staff>(&all, "staff", &asked.id).await?;
            if found.is_some() {
                return Err(staff::staff_exists().into());
            }
            let site = self.row::<Site>(&on.scope, "site", &asked.site).await?;
            let site = site.ok_or_else(site::site_unknown)?.body;
            let enrolled = staff::enrol(&asked, &site.region, on.now.timestamp());
            Ok(on.put(&place(&on.scope, &enrolled.1), found.as_ref(), enrolled))
        };
        self.change(caller, request, decide).await
    }

    async fn change_staff<R: Head + Message>(
        &self,
        caller: &Caller,
        request: &R,
        id: &str,
        change: Change<'_>,
    ) -> Result<StaffChange, Error> {
        let decide = move |on: On| async move {
            let found = self.row::<Staff>(&on.scope, "staff", id).await?;
            let row = found.ok_or_else(staff::staff_unknown)?;
            domain::same_etag(request.etag(), row.version)?;
            let today = on.now.local().date_naive();
            let (act, state) = staff::change(row.body.clone(), change, today)?;
            let state = Staff {
                etag: domain::etag(row.version + 1),
                updated_at: Some(on.now.timestamp()),
                ..state
            };
            Ok(on.put(&place(&on.scope, &state), Some(&row), (act, state)))
        };
        self.change(caller, request, decide).await
    }

    pub(crate) async fn record_training(
        &self,
        caller: &Caller,
        r: &RecordTrainingRequest,
    ) -> Result<StaffChange, Error> {
        let training = r.training.clone().unwrap_or_default();
        self.change_staff(caller, r, &r.staff, Change::Train(&training))
            .await
    }

    pub(crate) async fn record_assessment(
        &self,
        caller: &Caller,
        r: &RecordAssessmentRequest,
    ) -> Result<StaffChange, Error> {
        let assessment = r.assessment.clone().unwrap_or_default();
        self.change_staff(caller, r, &r.staff, Change::Assess(&assessment))
            .await
    }

    pub(crate) async fn grant_skill(
        &self,
        caller: &Caller,
        r: &GrantSkillRequest,
    ) -> Result<StaffChange, Error> {
        let skill = r.skill.clone().unwrap_or_default();
        self.change_staff(caller, r, &r.staff, Change::Grant(&skill))
            .await
    }

    pub(crate) async fn revoke_skill(
        &self,
        caller: &Caller,
        r: &RevokeSkillRequest,
    ) -> Result<StaffChange, Error> {
        self.change_staff(caller, r, &r.staff, Change::Revoke(&r.reason))
            .await
    }

    pub(crate) async fn suspend_staff(
        &self,
        caller: &Caller,
        r: &SuspendStaffRequest,
    ) -> Result<StaffChange, Error> {
        self.change_staff(caller, r, &r.staff, Change::Suspend(&r.reason))
            .await
    }

    pub(crate) async fn reinstate_staff(
        &self,
        caller: &Caller,
        r: &ReinstateStaffRequest,
    ) -> Result<StaffChange, Error> {
        self.change_staff(caller, r, &r.staff, Change::Reinstate(&r.reason))
            .await
    }

    pub(crate) async fn dismiss_staff(
        &self,
        caller: &Caller,
        r: &DismissStaffRequest,
    ) -> Result<StaffChange, Error> {
        self.change_staff(caller, r, &r.staff, Change::Dismiss(&r.reason))
            .await
    }

    pub(crate) async fn declare_conflict(
        &self,
        caller: &Caller,
        r: &DeclareConflictRequest,
    ) -> Result<StaffChange, Error> {
        if caller.subject != r.staff
            && !caller.has(Role::Administrator)
            && !caller.has(Role::Operator)
        {
            return Err(Refusal::forbidden(
                "CONFLICT_OF_ANOTHER",
                "BB-6.1",
                "只能为本人申报利害关系",
                "an agent declares only conflicts of its own",
            )
            .into());
        }
        let conflict = Conflict {
            applicant: r.applicant.clone(),
            relation: r.relation.clone(),
        };
        self.change_staff(caller, r, &r.staff, Change::Declare(&conflict))
            .await
    }

    pub(crate) async fn get_staff(
        &self,
        caller: &Caller,
        request: &GetStaffRequest,
    ) -> Result<Staff, Error> {
        self.store.wait_for(&request.after).await?;
        let (scope, _) = self.scope(caller, &request.district).await?;
        let found = self.row::<Staff>(&scope, "staff", &request.staff).await?;
        Ok(found.ok_or_else(staff::staff_unknown)?.body)
    }

    pub(crate) async fn list_staff(
        &self,
        caller: &Caller,
        request: &ListStaffRequest,
    ) -> Result<ListStaffResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let (scope, _) = self.scope(caller, &request.district).await?;
        let query = [
            "ListStaff",
            &request.district,
            &request.site,
            &reach(&scope),
        ];
        let page = Page::new(request.page_size, &request.page_token, &query)?;
        let rows =
            resource::page::<Staff>(&self.store.db, &scope, "staff", "", &request.site, &page)
                .await?;
        let (staff, next_page_token) = cut_rows(rows, &page);
        Ok(ListStaffResponse {
            staff,
            next_page_token,
        })
    }

    pub(crate) async fn check_assignment(
        &self,
        caller: &Caller,
        request: &CheckAssignmentRequest,
    ) -> Result<CheckAssignmentResponse, Error> {
        let facts = store::assignment::facts(&self.store, request).await?;
        let district = facts.district.ok_or_else(district_unknown)?;
        Scope::of(caller, &request.district, &district.region)?;
        // A case may be handed to an agent whom the caller does not see; only facts about the matter are answered.
        let agent = facts.staff.ok_or_else(staff::staff_unknown)?;
        let site = facts.site.ok_or_else(site::site_unknown)?;
        let person = facts.applicant.ok_or_else(applicant::applicant_unknown)?;
        assignment::check(&agent, request, facts.now.local().date_naive())?;
        applicant::not_erased(&person)?;
        applicant::document_shown(&person)?;
        let person = self.aged(person, facts.document, facts.now)?;
        Ok(CheckAssignmentResponse {
            applicant_mask: person.name_mask,
            groups: person.groups,
            region: site.region.clone(),
            district_number: district.number,
            closing_times: site::closing_times(&site),
            is_enterprise: person.is_enterprise,
        })
    }
}
