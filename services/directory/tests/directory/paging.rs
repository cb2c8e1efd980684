//! Pages of every list: nothing twice, nothing left out, whatever is inserted meanwhile; a token serves its query alone.

use bangban_kit::identity::Caller;
use bangban_proto::bangban::{
    directory::v1::{
        applicant_service_server::ApplicantService as _,
        calendar_service_server::CalendarService as _,
        catalogue_service_server::CatalogueService as _,
        district_service_server::DistrictService as _, region_service_server::RegionService as _,
        rule_service_server::RuleService as _, site_service_server::SiteService as _,
        staff_service_server::StaffService as _, *,
    },
    types::v1::Tier,
};

use crate::instance::*;

on_both! {
    sites_staff_and_regions_go_on_where_they_stopped
    departments_items_and_rules_go_on_where_they_stopped
    what_is_told_newest_first_goes_on_with_what_is_older
    districts_go_on_where_they_stopped
    an_answer_waits_for_the_position_that_it_must_have_seen
}

/// Reads a list to its end in pages of `$size`, with something done after the first page; then tries the first token with
/// other requests of the same list. `$key` makes the key of an entry.
macro_rules! walk {
    ($at:expr, $list:ident($request:expr), $field:ident, $key:expr, between: $between:expr, others: [$($other:expr),*]) => {{
        let caller = operator();
        let mut keys = Vec::new();
        let mut token = String::new();
        let mut first = String::new();
        loop {
            let mut request = $request;
            (request.page_size, request.page_token) = (2, token);
            let page = $at.directory.$list(by(&caller, request)).await.expect("a page").into_inner();
            assert!(page.$field.len() <= 2);
            keys.extend(page.$field.iter().map($key));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            if first.is_empty() {
                first.clone_from(&token);
                $between;
            }
        }
        assert!(!first.is_empty(), "more than one page");
        $({
            let mut request = $other;
            request.page_token = first.clone();
            let answer = $at.directory.$list(by(&caller, request)).await;
            assert_eq!(refused(answer), with("PAGE_TOKEN_INVALID", ""));
        })*
        keys
    }};
}

fn sites() -> ListSitesRequest {
    ListSitesRequest {
        district: DISTRICT.into(),
        ..ListSitesRequest::default()
    }
}

fn staff(site: &str) -> ListStaffRequest {
    ListStaffRequest {
        district: DISTRICT.into(),
        site: site.into(),
        ..ListStaffRequest::default()
    }
}

async fn sites_staff_and_regions_go_on_where_they_stopped(at: &Instance) {
    at.open_sites().await;
    let keys = walk!(
        at, list_sites(sites()), sites, |s| s.id.clone(),
        between: {
            at.create_site(site("a-earlier", Tier::County, "420527")).await;
            at.create_site(site("z-later", Tier::Town, "420527106")).await;
        },
        others: [
            ListSitesRequest { region: "420527101".into(), ..sites() },
            ListSitesRequest { district: "other".into(), ..sites() }
        ]
    );
    // By region code, which sorts a region before its parts.
    assert_eq!(keys, ["county", "town", "village", "other-town", "z-later"]);
    for (person, site) in [
        ("c", "town"),
        ("a", "village"),
        ("b", "town"),
        ("d", "county"),
    ] {
        at.enrol(person, site).await;
    }
    let keys = walk!(
        at, list_staff(staff("")), staff, |s| s.id.clone(),
        between: { at.enrol("e", "village").await; at.enrol("0", "county").await; },
        others: [staff("town")]
    );
    assert_eq!(keys, ["d", "b", "c", "a", "e"]);
    let town = at
        .directory
        .list_staff(by(&operator(), staff("town")))
        .await;
    assert_eq!(town.expect("listed").into_inner().staff.len(), 2);
    let below = |parent: &str| ListRegionsRequest {
        parent: parent.into(),
        ..ListRegionsRequest::default()
    };
    let keys = walk!(
        at, list_regions(below("420527")), regions, |r| r.code.clone(),
        between: {}, others: [below("420527101")]
    );
    assert_eq!(keys.len(), 12);
    assert!(keys.is_sorted());
}

async fn departments_items_and_rules_go_on_where_they_stopped(at: &Instance) {
    at.found_district().await;
    let file = sample("catalogue.yaml");
    let imported = at
        .directory
        .import_catalogue_file(DISTRICT, &file, &operator())
        .await;
    imported.expect("imported");
    let departments = || ListDepartmentsRequest {
        district: DISTRICT.into(),
        ..ListDepartmentsRequest::default()
    };
    let keys = walk!(
        at, list_departments(departments()), departments, |d| d.id.clone(),
        between: { at.put_department().await },
        others: [ListDepartmentsRequest { district: "other".into(), ..departments() }]
    );
    assert_eq!(
        keys.len(),
        5,
        "what was put before the last one that was told does not come"
    );
    assert!(keys.is_sorted());
    let items = |on: &str| ListItemsRequest {
        district: DISTRICT.into(),
        on: on.into(),
        ..ListItemsRequest::default()
    };
    let new = item("zzz", 1, "2026-01-01", "");
    let keys = walk!(
        at, list_items(items("2026-11-24")), items, |i| i.code.clone(),
        between: { at.publish(new.clone()).await.expect("published"); },
        others: [items("2026-11-25"), items("")]
    );
    assert_eq!(
        (keys.len(), keys.last().map(String::as_str)),
        (6, Some("zzz"))
    );
    let rules = || ListRulesRequest {
        district: DISTRICT.into(),
        ..ListRulesRequest::default()
    };
    let keys = walk!(
        at, list_rules(rules()), rules, |r| (r.code.clone(), r.version),
        between: {},
        others: [ListRulesRequest { district: "other".into(), ..rules() }]
    );
    assert_eq!(keys.len(), 6);
}

async fn what_is_told_newest_first_goes_on_with_what_is_older(at: &Instance) {
    at.found_district().await;
    at.put_department().await;
    for version in 1..=5 {
        let from = format!("2026-0{version}-01");
        let published = at.publish(item("allowance", version, &from, "")).await;
        published.expect("published");
    }
    let changes = |item: &str| ListItemChangesRequest {
        district: DISTRICT.into(),
        item: item.into(),
        ..ListItemChangesRequest::default()
    };
    let keys = walk!(
        at, list_item_changes(changes("")), changes, |c| c.version,
        between: { at.publish(item("allowance", 6, "2026-06-01", "")).await.expect("published"); },
        others: [changes("allowance")]
    );
    assert_eq!(
        keys,
        [5, 4, 3, 2, 1],
        "what is newer stands before the first page"
    );
    let person = at.register(lin()).await;
    let reveal = || RevealApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: person.id.clone(),
        purpose: "核对姓名".into(),
    };
    for _ in 0..3 {
        let shown = at
            .directory
            .reveal_applicant(by(&operator(), reveal()))
            .await;
        shown.expect("revealed");
    }
    let reveals = |applicant: &str| ListRevealsRequest {
        district: DISTRICT.into(),
        applicant: applicant.into(),
        ..ListRevealsRequest::default()
    };
    let keys = walk!(
        at, list_reveals(reveals("")), reveals, |r| r.applicant.clone(),
        between: {
            let shown = at.directory.reveal_applicant(by(&operator(), reveal())).await;
            shown.expect("revealed");
        },
        others: [reveals(&person.id)]
    );
    assert_eq!(keys.len(), 3);
}

async fn districts_go_on_where_they_stopped(at: &Instance) {
    at.found_district().await;
    for (number, name) in [(1, "aaa"), (2, "mmm"), (3, "zzz")] {
        let request = CreateDistrictRequest {
            district: name.into(),
            request_id: id(),
            name: "示例".into(),
            region: "4205".into(),
            number,
        };
        let created = at.directory.create_district(by(&operator(), request)).await;
        created.expect("created");
    }
    let keys = walk!(
        at, list_districts(ListDistrictsRequest::default()), districts, |d| d.id.clone(),
        between: {}, others: []
    );
    assert_eq!(keys, ["aaa", "mmm", "zigui", "zzz"]);
    let request = ListDistrictsRequest {
        page_size: 2,
        ..ListDistrictsRequest::default()
    };
    let page = at.directory.list_districts(by(&operator(), request)).await;
    let token = page.expect("a page").into_inner().next_page_token;
    let request = ListDistrictsRequest {
        page_token: token,
        ..ListDistrictsRequest::default()
    };
    let answer = at
        .directory
        .list_districts(by(&from_region("4205"), request));
    assert_eq!(
        refused(answer.await),
        with("PAGE_TOKEN_INVALID", ""),
        "another reach"
    );
}

async fn an_answer_waits_for_the_position_that_it_must_have_seen(at: &Instance) {
    at.found_district().await;
    let nobody = Caller::public();
    let asked = |after: &str| GetCalendarRequest {
        district: DISTRICT.into(),
        after: after.into(),
    };
    let answer = at
        .directory
        .get_calendar(by(&nobody, asked("nonsense")))
        .await;
    assert_eq!(refused(answer), with("POSITION_INVALID", ""));
    let request = AmendCalendarRequest {
        district: DISTRICT.into(),
        request_id: id(),
        amendment: Some(Amendment {
            date: "2026-08-13".into(),
            kind: DayKind::Rest as i32,
            name: "防汛".into(),
            citation: "通告".into(),
            amended_at: None,
        }),
    };
    let amended = at.directory.amend_calendar(by(&operator(), request)).await;
    let position = amended.expect("amended").into_inner().position;
    let answer = at.another().await;
    let answer = answer.get_calendar(by(&nobody, asked(&position))).await;
    assert_eq!(answer.expect("read").into_inner().amendments.len(), 1);
}
