//! Sites of three tiers with their service areas.

use std::time::Duration;

use bangban_proto::bangban::{
    directory::v1::{
        site_service_server::SiteService as _, staff_service_server::StaffService as _, *,
    },
    types::v1::Tier,
};

use crate::instance::*;

on_both! {
    bb_1_a_site_hangs_on_a_region_of_its_tier_in_the_district
    bb_1_who_serves_at_a_site_moves_with_it
    bb_5_3_service_areas_are_part_of_a_site_and_one_without_is_no_error
    two_who_open_a_site_at_once_do_not_both
    a_change_that_is_sent_twice_at_once_has_one_answer
}

fn open(site: Site) -> CreateSiteRequest {
    CreateSiteRequest {
        district: DISTRICT.into(),
        request_id: id(),
        site: Some(site),
    }
}

async fn bb_1_a_site_hangs_on_a_region_of_its_tier_in_the_district(at: &Instance) {
    at.found_district().await;
    for (wrong, reason) in [
        (
            site("a", Tier::Village, "420527101"),
            "TIER_AND_REGION_DIFFER",
        ),
        (
            site("a", Tier::Town, "420527101202"),
            "TIER_AND_REGION_DIFFER",
        ),
        (
            site("a", Tier::County, "420527101"),
            "TIER_AND_REGION_DIFFER",
        ),
        (site("a", Tier::County, "420528"), "REGION_OUTSIDE_DISTRICT"),
        (site("a", Tier::Town, "420527999"), "REGION_UNKNOWN"),
    ] {
        let answer = at.directory.create_site(by(&operator(), open(wrong))).await;
        assert_eq!(refused(answer), with(reason, "BB-1"));
    }
    for (tier, region) in [
        (Tier::County, "420527"),
        (Tier::Town, "420527101"),
        (Tier::Village, "420527101202"),
    ] {
        let name = format!("site-{region}");
        let opened = at.create_site(site(&name, tier, region)).await;
        assert_eq!((opened.tier(), opened.etag.as_str()), (tier, "1"));
    }
    let town = from_region("420527101");
    let elsewhere = open(site("b", Tier::Town, "420527102"));
    let answer = at.directory.create_site(by(&town, elsewhere)).await;
    assert_eq!(refused(answer), with("REGION_OUTSIDE_AUTHORITY", "BB-1"));
    let answer = at
        .directory
        .create_site(by(
            &operator(),
            open(site("site-420527", Tier::County, "420527")),
        ))
        .await;
    assert_eq!(refused(answer), with("SITE_EXISTS", ""));
}

async fn bb_1_who_serves_at_a_site_moves_with_it(at: &Instance) {
    at.open_sites().await;
    at.enrol("agent", "town").await;
    let moved = Site {
        region: "420527106".into(),
        ..site("town", Tier::Town, "420527101")
    };
    let stale = UpdateSiteRequest {
        district: DISTRICT.into(),
        request_id: id(),
        site: Some(moved),
        etag: "7".into(),
    };
    let answer = at.directory.update_site(by(&operator(), stale.clone()));
    assert_eq!(refused(answer.await), with("STALE_ETAG", "BB-8d"));
    let update = UpdateSiteRequest {
        request_id: id(),
        etag: "1".into(),
        ..stale
    };
    let updated = at.directory.update_site(by(&operator(), update)).await;
    updated.expect("moved");
    let read = GetStaffRequest {
        district: DISTRICT.into(),
        staff: "agent".into(),
        after: String::new(),
    };
    let before = from_region("420527101");
    let answer = at.directory.get_staff(by(&before, read.clone())).await;
    assert_eq!(refused(answer), with("STAFF_UNKNOWN", "BB-5.2"));
    let after = from_region("420527106");
    let agent = at.directory.get_staff(by(&after, read)).await;
    assert_eq!(agent.expect("read").into_inner().region, "420527106");
}

async fn bb_5_3_service_areas_are_part_of_a_site_and_one_without_is_no_error(at: &Instance) {
    at.found_district().await;
    let area = ServiceArea {
        name: "帮办代办服务区".into(),
        counters: vec!["帮办1号窗口".into()],
        evidence: "一楼大厅左侧".into(),
    };
    let opened = at
        .create_site(Site {
            service_areas: vec![area.clone()],
            ..site("town", Tier::Town, "420527101")
        })
        .await;
    assert_eq!(opened.service_areas, [area]);
    let without = at.create_site(site("other", Tier::Town, "420527102")).await;
    assert!(without.service_areas.is_empty());
    let reversed = Site {
        opening_hours: vec![OpeningHours {
            weekday: 1,
            opens: "17:30".into(),
            closes: "08:30".into(),
        }],
        ..site("late", Tier::Town, "420527106")
    };
    let answer = at.directory.create_site(by(&operator(), open(reversed)));
    assert_eq!(refused(answer.await), with("HOURS_REVERSED", ""));
}

async fn two_who_open_a_site_at_once_do_not_both(at: &Instance) {
    at.found_district().await;
    let one = by(&operator(), open(site("town", Tier::Town, "420527101")));
    let other = by(&operator(), open(site("town", Tier::Town, "420527102")));
    let (one, other) = tokio::join!(
        at.directory.create_site(one),
        at.directory.create_site(other)
    );
    let failed = match (one, other) {
        (Ok(_), failed) | (failed, Ok(_)) => failed,
        (Err(one), Err(_)) => panic!("{one}"),
    };
    assert_eq!(refused(failed), with("SITE_EXISTS", ""));
}

async fn a_change_that_is_sent_twice_at_once_has_one_answer(at: &Instance) {
    at.open_sites().await;
    for number in 1..=30_u64 {
        let update = UpdateSiteRequest {
            district: DISTRICT.into(),
            request_id: id(),
            site: Some(Site {
                name: format!("第{number}次"),
                ..site("town", Tier::Town, "420527101")
            }),
            etag: number.to_string(),
        };
        let after = async |us: u64| {
            tokio::time::sleep(Duration::from_micros(us)).await;
            let updated = at.directory.update_site(by(&operator(), update.clone()));
            updated.await.map(tonic::Response::into_inner)
        };
        let (one, two, three) = tokio::join!(after(0), after(number * 40), after(number * 80));
        let one = one.expect("updated");
        // What was done before is no reason to refuse the very request that did it.
        assert_eq!(two.expect("one request has one answer"), one);
        assert_eq!(three.expect("one request has one answer"), one);
    }
}
