//! Authority is a region: what each read shows inside, beside, above and outside it (BB-1).

use bangban_kit::identity::Caller;
use bangban_proto::bangban::{
    directory::v1::{
        applicant_service_server::ApplicantService as _,
        catalogue_service_server::CatalogueService as _,
        district_service_server::DistrictService as _, rule_service_server::RuleService as _,
        site_service_server::SiteService as _, staff_service_server::StaffService as _, *,
    },
    options::v1::Role,
};

use crate::instance::*;

on_both! {
    bb_1_staff_are_seen_from_their_region_and_above
    bb_1_staff_are_changed_from_their_region_and_above
    bb_1_applicants_are_served_anywhere_in_their_district_and_nowhere_else
    bb_1_reveals_are_listed_by_where_they_were_made
    bb_1_districts_are_listed_that_a_region_touches
    bb_8b_what_is_public_needs_no_authority
    what_a_district_holds_is_no_other_districts
}

/// Somebody of another county, which has a district of its own.
const OUTSIDE: [&str; 3] = ["420528", "43", "420528101"];

async fn start(at: &Instance) {
    at.open_sites().await;
    for (person, site) in [
        ("in-county", "county"),
        ("in-town", "town"),
        ("in-village", "village"),
        ("in-other-town", "other-town"),
    ] {
        at.enrol(person, site).await;
    }
}

async fn seen(at: &Instance, caller: &Caller) -> Vec<String> {
    let request = ListStaffRequest {
        district: DISTRICT.into(),
        ..ListStaffRequest::default()
    };
    let answer = at.directory.list_staff(by(caller, request)).await;
    let listed: Vec<String> = answer
        .expect("listed")
        .into_inner()
        .staff
        .into_iter()
        .map(|s| s.id)
        .collect();
    for person in ["in-county", "in-town", "in-village", "in-other-town"] {
        let request = GetStaffRequest {
            district: DISTRICT.into(),
            staff: person.into(),
            after: String::new(),
        };
        let answer = at.directory.get_staff(by(caller, request)).await;
        let is_listed = listed.iter().any(|l| l == person);
        assert_eq!(
            answer.is_ok(),
            is_listed,
            "{person} is read as it is listed"
        );
        if answer.is_err() {
            assert_eq!(refused(answer), with("STAFF_UNKNOWN", "BB-5.2"));
        }
    }
    listed
}

async fn bb_1_staff_are_seen_from_their_region_and_above(at: &Instance) {
    start(at).await;
    let all = ["in-county", "in-other-town", "in-town", "in-village"];
    for above in ["", "42", "4205", "420527"] {
        assert_eq!(seen(at, &from_region(above)).await, all, "{above}");
    }
    assert_eq!(
        seen(at, &from_region("420527101")).await,
        ["in-town", "in-village"]
    );
    assert_eq!(seen(at, &from_region("420527101202")).await, ["in-village"]);
    assert_eq!(seen(at, &from_region("420527102")).await, ["in-other-town"]);
    assert!(seen(at, &from_region("420527106")).await.is_empty());
    let department = Caller {
        department: "bureau".into(),
        ..from_region("420527")
    };
    assert!(seen(at, &department).await.is_empty(), "no part in persons");
    for region in OUTSIDE {
        let request = ListStaffRequest {
            district: DISTRICT.into(),
            ..ListStaffRequest::default()
        };
        let answer = at.directory.list_staff(by(&from_region(region), request));
        assert_eq!(
            refused(answer.await),
            with("SCOPE_OUTSIDE_DISTRICT", "BB-1")
        );
    }
}

async fn bb_1_staff_are_changed_from_their_region_and_above(at: &Instance) {
    start(at).await;
    let suspend = |person: &str| SuspendStaffRequest {
        district: DISTRICT.into(),
        request_id: id(),
        staff: person.into(),
        reason: "示例".into(),
        etag: String::new(),
    };
    let beside = from_region("420527102");
    let answer = at.directory.suspend_staff(by(&beside, suspend("in-town")));
    assert_eq!(refused(answer.await), with("STAFF_UNKNOWN", "BB-5.2"));
    let below = from_region("420527101202");
    let answer = at.directory.suspend_staff(by(&below, suspend("in-town")));
    assert_eq!(refused(answer.await), with("STAFF_UNKNOWN", "BB-5.2"));
    let above = from_region("420527101");
    for person in ["in-town", "in-village"] {
        let answer = at
            .directory
            .suspend_staff(by(&above, suspend(person)))
            .await;
        answer.expect("suspended");
    }
}

async fn bb_1_applicants_are_served_anywhere_in_their_district_and_nowhere_else(at: &Instance) {
    at.open_sites().await;
    let person = at.register(lin()).await;
    let get = || GetApplicantRequest {
        district: DISTRICT.into(),
        applicant: person.id.clone(),
        after: String::new(),
    };
    let find = || FindApplicantsRequest {
        district: DISTRICT.into(),
        telephone: "13900000082".into(),
        ..FindApplicantsRequest::default()
    };
    for region in ["42", "420527", "420527101", "420527102", "420527101202"] {
        let caller = from_region(region);
        let read = at.directory.get_applicant(by(&caller, get())).await;
        assert_eq!(read.expect("read").into_inner(), person);
        let found = at.directory.find_applicants(by(&caller, find())).await;
        assert_eq!(found.expect("found").into_inner().applicants.len(), 1);
    }
    for region in OUTSIDE {
        let caller = from_region(region);
        let outside = with("SCOPE_OUTSIDE_DISTRICT", "BB-1");
        let read = at.directory.get_applicant(by(&caller, get())).await;
        assert_eq!(refused(read), outside);
        let found = at.directory.find_applicants(by(&caller, find())).await;
        assert_eq!(refused(found), outside);
        let reveal = RevealApplicantRequest {
            district: DISTRICT.into(),
            request_id: id(),
            applicant: person.id.clone(),
            purpose: "核对姓名".into(),
        };
        let shown = at.directory.reveal_applicant(by(&caller, reveal)).await;
        assert_eq!(refused(shown), outside);
    }
}

async fn bb_1_reveals_are_listed_by_where_they_were_made(at: &Instance) {
    at.open_sites().await;
    let person = at.register(lin()).await;
    for (site, region) in [("town", "420527101"), ("other-town", "420527102")] {
        let agent = Caller {
            subject: format!("agent-of-{site}"),
            site: site.into(),
            ..from_region(region)
        };
        let reveal = RevealApplicantRequest {
            district: DISTRICT.into(),
            request_id: id(),
            applicant: person.id.clone(),
            purpose: "核对姓名".into(),
        };
        let shown = at.directory.reveal_applicant(by(&agent, reveal)).await;
        shown.expect("revealed");
    }
    for (region, expected) in [("420527", 2), ("420527101", 1), ("420527106", 0)] {
        let request = ListRevealsRequest {
            district: DISTRICT.into(),
            ..ListRevealsRequest::default()
        };
        let answer = at.directory.list_reveals(by(&from_region(region), request));
        let reveals = answer.await.expect("listed").into_inner().reveals;
        assert_eq!(reveals.len(), expected, "{region}");
    }
}

async fn bb_1_districts_are_listed_that_a_region_touches(at: &Instance) {
    at.found_district().await;
    let get = || GetDistrictRequest {
        district: DISTRICT.into(),
        after: String::new(),
    };
    for (region, expected) in [
        ("", 1),
        ("42", 1),
        ("420527", 1),
        ("420527101", 1),
        ("420528", 0),
        ("43", 0),
        ("4206", 0),
    ] {
        let caller = from_region(region);
        let answer = at
            .directory
            .list_districts(by(&caller, ListDistrictsRequest::default()));
        let districts = answer.await.expect("listed").into_inner().districts;
        assert_eq!(districts.len(), expected, "{region}");
        let answer = at.directory.get_district(by(&caller, get())).await;
        assert_eq!(answer.is_ok(), expected == 1, "{region}");
    }
    let answer = at.directory.create_district(by(
        &operator(),
        CreateDistrictRequest {
            district: DISTRICT.into(),
            request_id: id(),
            name: "又一个".into(),
            region: "420527".into(),
            number: 7,
        },
    ));
    assert_eq!(refused(answer.await), with("DISTRICT_EXISTS", ""));
    for (district, region, number, reason, requirement) in [
        ("other", "420527", 42527, "DISTRICT_NUMBER_TAKEN", ""),
        ("other", "990000", 7, "REGION_UNKNOWN", "BB-1"),
    ] {
        let request = CreateDistrictRequest {
            district: district.into(),
            request_id: id(),
            name: "别县".into(),
            region: region.into(),
            number,
        };
        let answer = at.directory.create_district(by(&operator(), request)).await;
        assert_eq!(refused(answer), with(reason, requirement));
    }
}

async fn bb_8b_what_is_public_needs_no_authority(at: &Instance) {
    at.open_sites().await;
    at.put_department().await;
    let published = at.publish(item("allowance", 1, "2026-01-01", "")).await;
    published.expect("published");
    let nobody = Caller::public();
    let sites = ListSitesRequest {
        district: DISTRICT.into(),
        region: "420527101".into(),
        ..ListSitesRequest::default()
    };
    let sites = at.directory.list_sites(by(&nobody, sites)).await;
    assert_eq!(sites.expect("listed").into_inner().sites.len(), 2);
    let site = GetSiteRequest {
        district: DISTRICT.into(),
        site: "town".into(),
        after: String::new(),
    };
    let site = at.directory.get_site(by(&nobody, site)).await;
    assert_eq!(site.expect("read").into_inner().region, "420527101");
    let items = ListItemsRequest {
        district: DISTRICT.into(),
        ..ListItemsRequest::default()
    };
    let items = at.directory.list_items(by(&nobody, items)).await;
    assert_eq!(items.expect("listed").into_inner().items.len(), 1);
    let departments = ListDepartmentsRequest {
        district: DISTRICT.into(),
        ..ListDepartmentsRequest::default()
    };
    let departments = at.directory.list_departments(by(&nobody, departments));
    let departments = departments.await.expect("listed").into_inner().departments;
    assert_eq!(departments[0].complaint_telephone, "12345");
    let rules = ListRulesRequest {
        district: DISTRICT.into(),
        ..ListRulesRequest::default()
    };
    let rules = at.directory.list_rules(by(&nobody, rules)).await;
    assert!(rules.expect("listed").into_inner().rules.is_empty());
}

async fn what_a_district_holds_is_no_other_districts(at: &Instance) {
    start(at).await;
    let person = at.register(lin()).await;
    let other = CreateDistrictRequest {
        district: "other".into(),
        request_id: id(),
        name: "别县".into(),
        region: "4205".into(),
        number: 1,
    };
    let created = at.directory.create_district(by(&operator(), other)).await;
    created.expect("created");
    let whoever = Caller {
        roles: vec![Role::Administrator],
        ..operator()
    };
    let staff = GetStaffRequest {
        district: "other".into(),
        staff: "in-town".into(),
        after: String::new(),
    };
    let answer = at.directory.get_staff(by(&whoever, staff)).await;
    assert_eq!(refused(answer), with("STAFF_UNKNOWN", "BB-5.2"));
    let applicant = GetApplicantRequest {
        district: "other".into(),
        applicant: person.id.clone(),
        after: String::new(),
    };
    let answer = at.directory.get_applicant(by(&whoever, applicant)).await;
    assert_eq!(refused(answer), with("APPLICANT_UNKNOWN", ""));
    let find = FindApplicantsRequest {
        district: "other".into(),
        document_kind: DocumentKind::ResidentId as i32,
        document: "42052719440308002X".into(),
        ..FindApplicantsRequest::default()
    };
    let answer = at.directory.find_applicants(by(&whoever, find)).await;
    assert!(answer.expect("found").into_inner().applicants.is_empty());
    let again = RegisterApplicantRequest {
        district: "other".into(),
        ..lin()
    };
    let again = at.directory.register_applicant(by(&whoever, again)).await;
    let again = again.expect("registered").into_inner().applicant;
    assert_ne!(again.expect("an applicant").id, person.id);
}
