//! The services of the contract: a request with its caller goes in, a message or a status comes out.

use std::sync::Arc;

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_proto::bangban::{
    clock::v1::{clock_service_server::ClockService, *},
    directory::v1::{
        applicant_service_server::ApplicantService, calendar_service_server::CalendarService,
        catalogue_service_server::CatalogueService, district_service_server::DistrictService,
        region_service_server::RegionService, rule_service_server::RuleService,
        site_service_server::SiteService, staff_service_server::StaffService, *,
    },
};
use tonic::{Request, Response, Status};

use crate::Directory;

fn caller<T>(request: &Request<T>) -> Result<Arc<Caller>, Status> {
    let found = request.extensions().get::<Arc<Caller>>().cloned();
    found.ok_or_else(|| Refusal::internal("a request came past the access layer").into())
}

macro_rules! service {
    ($service:ident { $($method:ident($request:ty) -> $answer:ty;)* }) => {
        #[tonic::async_trait]
        impl $service for Directory {
            $(async fn $method(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                let caller = caller(&request)?;
                Ok(Response::new(Directory::$method(self, &caller, request.get_ref()).await?))
            })*
        }
    };
}

service!(RegionService {
    get_region(GetRegionRequest) -> Region;
    list_regions(ListRegionsRequest) -> ListRegionsResponse;
});
service!(DistrictService {
    create_district(CreateDistrictRequest) -> DistrictChange;
    get_district(GetDistrictRequest) -> District;
    list_districts(ListDistrictsRequest) -> ListDistrictsResponse;
});
service!(SiteService {
    create_site(CreateSiteRequest) -> SiteChange;
    update_site(UpdateSiteRequest) -> SiteChange;
    get_site(GetSiteRequest) -> Site;
    list_sites(ListSitesRequest) -> ListSitesResponse;
});
service!(StaffService {
    enrol_staff(EnrolStaffRequest) -> StaffChange;
    record_training(RecordTrainingRequest) -> StaffChange;
    record_assessment(RecordAssessmentRequest) -> StaffChange;
    grant_skill(GrantSkillRequest) -> StaffChange;
    revoke_skill(RevokeSkillRequest) -> StaffChange;
    suspend_staff(SuspendStaffRequest) -> StaffChange;
    reinstate_staff(ReinstateStaffRequest) -> StaffChange;
    dismiss_staff(DismissStaffRequest) -> StaffChange;
    declare_conflict(DeclareConflictRequest) -> StaffChange;
    get_staff(GetStaffRequest) -> Staff;
    list_staff(ListStaffRequest) -> ListStaffResponse;
    check_assignment(CheckAssignmentRequest) -> CheckAssignmentResponse;
});
service!(ApplicantService {
    register_applicant(RegisterApplicantRequest) -> ApplicantChange;
    update_applicant(UpdateApplicantRequest) -> ApplicantChange;
    erase_applicant(EraseApplicantRequest) -> ApplicantChange;
    get_applicant(GetApplicantRequest) -> Applicant;
    find_applicants(FindApplicantsRequest) -> FindApplicantsResponse;
    reveal_applicant(RevealApplicantRequest) -> RevealApplicantResponse;
    list_reveals(ListRevealsRequest) -> ListRevealsResponse;
    list_reminders(ListRemindersRequest) -> ListRemindersResponse;
    prove_identity(ProveIdentityRequest) -> ProveIdentityResponse;
});
service!(CatalogueService {
    put_department(PutDepartmentRequest) -> DepartmentChange;
    list_departments(ListDepartmentsRequest) -> ListDepartmentsResponse;
    publish_item_version(PublishItemVersionRequest) -> ItemVersionChange;
    withdraw_item(WithdrawItemRequest) -> ItemVersionChange;
    get_item(GetItemRequest) -> ItemVersion;
    list_items(ListItemsRequest) -> ListItemsResponse;
    list_item_changes(ListItemChangesRequest) -> ListItemChangesResponse;
    get_transparency(GetTransparencyRequest) -> GetTransparencyResponse;
});
service!(RuleService {
    publish_rule(PublishRuleRequest) -> RuleChange;
    attest_rule(AttestRuleRequest) -> RuleChange;
    list_rules(ListRulesRequest) -> ListRulesResponse;
});
service!(CalendarService {
    amend_calendar(AmendCalendarRequest) -> CalendarChange;
    load_calendar_year(LoadCalendarYearRequest) -> CalendarChange;
    get_calendar(GetCalendarRequest) -> Calendar;
    list_days(ListDaysRequest) -> ListDaysResponse;
});
service!(ClockService {
    get_clock(GetClockRequest) -> GetClockResponse;
    advance_clock(AdvanceClockRequest) -> AdvanceClockResponse;
});
