//! Staff, and who may be given a case.

use bangban_kit::{identity::Caller, page::Page, refusal::Refusal, scope::Scope};
use bangban_proto::{
    Head,
    bangban::{
        directory::v1::{
            Applicant, CheckAssignmentRequest, CheckAssignmentResponse, Conflict,
            DeclareConflictRequest, DismissStaffRequest, EnrolStaffRequest, GetStaffRequest,
            GrantSkillRequest, ListStaffRequest, ListStaffResponse, RecordAssessmentRequest,
            RecordTrainingRequest, ReinstateStaffRequest, RevokeSkillRequest, Site, Staff,
            StaffChange, SuspendStaffRequest,
        },
        options::v1::Role,
    },
};
use bangban_store::{Error, Now};
use prost::Message;

use super::{Step, chain, cut, reach};
use crate::{
    Directory,
    domain::{self, applicant, assignment, site, staff, staff::Change},
    store::resource::{self, Place},
};

pub(super) fn place(scope: &Scope, staff: &Staff) -> Place {
    Place {
        district: scope.district().to_owned(),
        kind: "staff",
        id: staff.id.clone(),
        region: staff.region.clone(),
        parent: staff.site.clone(),
        sort: staff.site.clone(),
    }
}

impl Directory {
    pub(crate) async fn enrol_staff(
        &self,
        caller: &Caller,
        request: &EnrolStaffRequest,
    ) -> Result<StaffChange, Error> {
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, &request.district).await?;
            let asked = request.staff.clone().unwrap_or_default();
            let all = Scope::whole(&request.district);
            let found = resource::get::<Staff>(&self.store.db, &all, "staff", &asked.id).await?;
            if found.is_some() {
                return Err(staff::staff_exists().into());
            }
            let site = resource::get::<Site>(&self.store.db, &scope, "site", &asked.site).await?;
            let site = site.ok_or_else(site::site_unknown)?.body;
            let (act, state) = staff::enrol(&asked, &site.region, now.timestamp());
            let chain = chain(
                &scope,
                format!("staff/{}", state.id),
                found.as_ref(),
                act,
                caller,
                now,
            );
            let states = vec![resource::put(
                &place(&scope, &state),
                0,
                &chain,
                &state,
                now,
            )];
            Ok(Step::new(
                chain,
                StaffChange {
                    staff: Some(state),
                    ..StaffChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(StaffChange {
            position: position.to_string(),
            ..answer
        })
    }

    async fn change_staff<R: Head + Message>(
        &self,
        caller: &Caller,
        request: &R,
        id: &str,
        change: Change<'_>,
    ) -> Result<StaffChange, Error> {
        let decide = move |now: Now| async move {
            let (scope, _) = self.scope(caller, request.district()).await?;
            let found = resource::get::<Staff>(&self.store.db, &scope, "staff", id).await?;
            let row = found.ok_or_else(staff::staff_unknown)?;
            domain::same_etag(request.etag(), row.version)?;
            let (act, state) = staff::change(row.body.clone(), change, now.local().date_naive())?;
            let state = Staff {
                etag: domain::etag(row.version + 1),
                updated_at: Some(now.timestamp()),
                ..state
            };
            let chain = chain(
                &scope,
                format!("staff/{}", state.id),
                Some(&row),
                act,
                caller,
                now,
            );
            let states = vec![resource::put(
                &place(&scope, &state),
                row.version,
                &chain,
                &state,
                now,
            )];
            Ok(Step::new(
                chain,
                StaffChange {
                    staff: Some(state),
                    ..StaffChange::default()
                },
                states,
            ))
        };
        let (answer, position) = self.command(caller, request, decide).await?;
        Ok(StaffChange {
            position: position.to_string(),
            ..answer
        })
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
        let found = resource::get::<Staff>(&self.store.db, &scope, "staff", &request.staff).await?;
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
        let (staff, next_page_token) = cut(rows, &page);
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
        let (scope, district) = self.scope(caller, &request.district).await?;
        // A case may be handed to an agent whom the caller does not see; only facts about the matter are answered.
        let all = Scope::whole(scope.district());
        let db = &self.store.db;
        let agent = resource::get::<Staff>(db, &all, "staff", &request.staff).await?;
        let agent = agent.ok_or_else(staff::staff_unknown)?.body;
        let site = resource::get::<Site>(db, &all, "site", &request.site).await?;
        let site = site.ok_or_else(site::site_unknown)?.body;
        let person = resource::get::<Applicant>(db, &all, "applicant", &request.applicant).await?;
        let person = person.ok_or_else(applicant::applicant_unknown)?.body;
        let now = self.store.now().await?;
        assignment::check(&agent, request, now.local().date_naive())?;
        applicant::not_erased(&person)?;
        let person = self.told(&all, person, now).await?;
        Ok(CheckAssignmentResponse {
            applicant_mask: person.name_mask,
            groups: person.groups,
            region: site.region.clone(),
            district_number: district.number,
            closing_times: site::closing_times(&site),
        })
    }
}
