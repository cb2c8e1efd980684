//! Sites of three tiers.

use bangban_kit::{refusal::Refusal, scope::contains};
use bangban_proto::bangban::{
    directory::v1::{Site, SiteOpened, SiteUpdated, directory_act::Act},
    types::v1::Tier,
};

use super::Decision;

/// What the outside knows about the region that a site hangs on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Region of the district.
    pub district_region: &'a str,
    /// The caller's region; empty for the whole country.
    pub authority: &'a str,
    /// The site's region is in the data set in force.
    pub region_is_known: bool,
}

/// Opens a site, or replaces what is said of it: `before` is its state, with its etag.
///
/// # Errors
/// REGION_UNKNOWN, REGION_OUTSIDE_DISTRICT, REGION_OUTSIDE_AUTHORITY, TIER_AND_REGION_DIFFER (BB-1); HOURS_REVERSED.
pub fn put(
    is_new: bool,
    site: &Site,
    ground: Ground<'_>,
    version: u64,
    now: prost_types::Timestamp,
) -> Decision<Site> {
    if !contains(ground.district_region, &site.region) {
        return Err(Refusal::precondition(
            "REGION_OUTSIDE_DISTRICT",
            "BB-1",
            "站点的区划不属于本辖区",
            "the site's region does not lie in the district",
        )
        .field("site.region", "does not lie in the district"));
    }
    if !ground.region_is_known {
        return Err(super::district::region_unknown("site.region"));
    }
    if !contains(ground.authority, &site.region) {
        return Err(Refusal::forbidden(
            "REGION_OUTSIDE_AUTHORITY",
            "BB-1",
            "站点不在您的管辖区域内",
            "the site does not lie in your region",
        ));
    }
    let fits = match Tier::try_from(site.tier) {
        Ok(Tier::County) => site.region.len() == 6 || site.region == ground.district_region,
        Ok(Tier::Town) => site.region.len() == 9,
        Ok(Tier::Village) => site.region.len() == 12,
        _ => false,
    };
    if !fits {
        return Err(Refusal::precondition(
            "TIER_AND_REGION_DIFFER",
            "BB-1",
            "站点层级与区划代码不符：县级6位、镇级9位、村级12位",
            "tier and region differ: a county centre hangs on 6 digits, a town centre on 9, a village station on 12",
        )
        .field("site.tier", "differs from the region"));
    }
    for (at, hours) in site.opening_hours.iter().enumerate() {
        if hours.opens >= hours.closes {
            return Err(Refusal::invalid(
                "HOURS_REVERSED",
                "",
                "开门时间须早于关门时间",
                "a site closes later than it opens",
            )
            .field(
                format!("site.opening_hours[{at}].closes"),
                "is not later than opens",
            ));
        }
    }
    let site = Site {
        etag: super::etag(version),
        updated_at: Some(now),
        ..site.clone()
    };
    let act = if is_new {
        Act::SiteOpened(SiteOpened {
            site: Some(site.clone()),
        })
    } else {
        Act::SiteUpdated(SiteUpdated {
            site: Some(site.clone()),
        })
    };
    Ok((act, site))
}

/// The last closing time of each weekday, Monday first; empty where the site is closed.
#[must_use]
pub fn closing_times(site: &Site) -> Vec<String> {
    (1..=7)
        .map(|weekday| {
            let of_day = site.opening_hours.iter().filter(|h| h.weekday == weekday);
            of_day.map(|h| h.closes.clone()).max().unwrap_or_default()
        })
        .collect()
}

/// SITE_UNKNOWN.
#[must_use]
pub fn site_unknown() -> Refusal {
    Refusal::not_found(
        "SITE_UNKNOWN",
        "BB-1",
        "没有该站点",
        "there is no such site",
    )
}

/// SITE_EXISTS.
#[must_use]
pub fn site_exists() -> Refusal {
    Refusal::exists(
        "SITE_EXISTS",
        "",
        "该站点标识已被使用",
        "there is a site with this id",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(tier: Tier, region: &str) -> Site {
        Site {
            id: "s".into(),
            name: "站".into(),
            tier: tier as i32,
            region: region.into(),
            ..Site::default()
        }
    }

    fn decide(site: &Site) -> Result<Site, Refusal> {
        let ground = Ground {
            district_region: "420527",
            authority: "",
            region_is_known: true,
        };
        put(true, site, ground, 1, prost_types::Timestamp::default()).map(|(_, site)| site)
    }

    #[test]
    fn a_site_hangs_on_a_region_of_its_tier_within_the_district() {
        assert!(decide(&site(Tier::Village, "420527106206")).is_ok());
        let refused = decide(&site(Tier::Village, "420527106")).expect_err("refused");
        assert_eq!(
            (refused.reason, refused.requirement),
            ("TIER_AND_REGION_DIFFER", "BB-1")
        );
        let refused = decide(&site(Tier::County, "420528")).expect_err("refused");
        assert_eq!(
            (refused.reason, refused.requirement),
            ("REGION_OUTSIDE_DISTRICT", "BB-1")
        );
    }
}
