//! Places, items and agents that a case cannot have.

use bangban_proto::bangban::{
    directory::v1::{
        CreateSiteRequest, Site, WithdrawItemRequest,
        catalogue_service_client::CatalogueServiceClient, site_service_client::SiteServiceClient,
    },
    types::v1::{Channel, Tier},
};
use bangban_tests::{
    case::Story,
    refusals::{Because, Refusals},
    request_id,
};

use crate::quiet::on_both_quietly;

use super::*;

#[test]
fn bb_1_a_site_outside_the_district_is_refused() {
    on_both_quietly(|world| async move {
        let operator = world.operator();
        let mut sites = SiteServiceClient::new(operator.channel());
        let mut table = Refusals::watch(world).await;
        let site = |tier: Tier, region: &str| CreateSiteRequest {
            district: world.district.clone(),
            request_id: request_id(),
            site: Some(Site {
                id: "elsewhere".to_owned(),
                name: "别处便民服务站".to_owned(),
                tier: tier.into(),
                region: region.to_owned(),
                address: "示例".to_owned(),
                telephone: "0717-00000999".to_owned(),
                ..Site::default()
            }),
        };
        for (what, tier, region, code, reason, field) in [
            (
                "a village of another county",
                Tier::Village,
                "420528101201",
                PRECONDITION,
                "REGION_OUTSIDE_DISTRICT",
                "site.region",
            ),
            (
                "a village that does not exist",
                Tier::Village,
                "420527101999",
                NOT_FOUND,
                "REGION_UNKNOWN",
                "site.region",
            ),
            (
                "a station on a town",
                Tier::Village,
                "420527101",
                PRECONDITION,
                "TIER_AND_REGION_DIFFER",
                "site.tier",
            ),
        ] {
            let answer = sites
                .create_site(operator.request(site(tier, region)))
                .await;
            let because = Because(code, reason, "BB-1", field);
            table.expect(what, answer, because).await;
        }
        let answer = sites
            .create_site(operator.request(site(Tier::Village, "42052710120")))
            .await;
        let because = Because(INVALID, "FIELD_INVALID", "", "site.region");
        table.expect("eleven digits", answer, because).await;
        table.end();
    });
}

#[test]
fn bb_7_2_an_item_that_is_not_in_force_is_refused() {
    on_both_quietly(|world| async move {
        let operator = world.operator();
        let withdrawal = WithdrawItemRequest {
            district: world.district.clone(),
            request_id: request_id(),
            item: "public-place-hygiene-licence".to_owned(),
            from: "2026-11-01".to_owned(),
            reason: "示例".to_owned(),
        };
        let withdrawn = CatalogueServiceClient::new(operator.channel())
            .withdraw_item(operator.request(withdrawal))
            .await
            .expect("withdrawn")
            .into_inner();
        let mut table = Refusals::watch(world).await;
        let because = Because(NOT_FOUND, "ITEM_NOT_PUBLISHED", "BB-7.2", "item");
        let agent = world.sample.person("zhou-wenjing").expect("in the sample");
        let client = world.person(&agent);
        let mut story = Story::before(world, client.clone());
        for (what, item) in [
            ("never published", "no-such-item"),
            ("withdrawn", "public-place-hygiene-licence"),
        ] {
            let mut request = story.opening(world, &agent, "luo-zhiqiang").await;
            request.item = item.to_owned();
            request.after.clone_from(&withdrawn.position);
            let answer = story.cases.open_case(client.request(request)).await;
            table.expect(what, answer, because).await;
        }
        table.end();
    });
}

/// The agents of the sample who may not be given the old woman's case, and why.
#[test]
fn bb_5_2_bb_6_an_agent_who_may_not_be_given_a_case_opens_none() {
    on_both_quietly(|world| async move {
        let mut table = Refusals::watch(world).await;
        let window = Channel::Window;
        for (agent, applicant, item, site, mode, reason, requirement) in [
            (
                "yu-tian",
                "lin-guie",
                "old-age-allowance",
                "maoping-town-center",
                window,
                "PRE_SERVICE_TRAINING_MISSING",
                "BB-6.2",
            ),
            (
                "kong-weidong",
                "luo-zhiqiang",
                "food-business-licence",
                "zigui-county-center",
                window,
                "STAFF_NOT_ACTIVE",
                "BB-5.2",
            ),
            (
                "hu-yulian",
                "lin-guie",
                "old-age-allowance",
                "guojiaba-town-center",
                window,
                "STAFF_OF_ANOTHER_SITE",
                "BB-5.2",
            ),
            (
                "lei-ming",
                "lin-guie",
                "old-age-allowance",
                "chuwangjing-village-station",
                window,
                "CONFLICT_OF_INTEREST",
                "BB-6.1",
            ),
            (
                "lei-ming",
                "fang-shouyi",
                "old-age-allowance",
                "chuwangjing-village-station",
                Channel::Kiosk,
                "SKILL_MISSING",
                "BB-6.3",
            ),
            (
                "xu-aizhen",
                "mo-xiuying",
                "prepackaged-food-filing",
                "yinxingtuo-village-station",
                window,
                "SKILL_MISSING",
                "BB-6.3",
            ),
        ] {
            let person = world.sample.person(agent).expect("in the sample");
            let client = world.person(&person);
            let mut story = Story::before(world, client.clone());
            let mut request = story.opening(world, &person, applicant).await;
            request.item = item.to_owned();
            request.site = site.to_owned();
            request.mode = mode.into();
            let answer = story.cases.open_case(client.request(request)).await;
            let because = Because(PRECONDITION, reason, requirement, "");
            table.expect(agent, answer, because).await;
        }
        table.end();
    });
}
