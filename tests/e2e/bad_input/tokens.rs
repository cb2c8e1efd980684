//! Tokens that are not ours.

use bangban_kit::identity::Person;
use bangban_proto::bangban::casework::v1::{
    ListCasesRequest, case_service_client::CaseServiceClient,
};
use bangban_tests::refusals::{Because, Refusals};
use tonic::Code;

use crate::quiet::{EXPIRED, on_both_quietly};

use super::*;

#[test]
fn tokens_that_are_not_ours_are_refused() {
    on_both_quietly(|world| async move {
        let mut table = Refusals::watch(world).await;
        let agent = world.sample.agent().expect("in the sample");
        let own = &world.config.identity;
        let token = |person: &Person| world.odd_token(person, &own.issuer, &own.audience, 60);
        let with = |token: String| world.bearing(&token);
        let region = |region: &str| Person {
            region: region.to_owned(),
            ..agent.clone()
        };
        let stranger = tempfile::tempdir().expect("a folder");
        let stranger = {
            let jwks = stranger.path().join("jwks.json");
            bangban_kit::identity::Issuer::open_or_create(
                &stranger.path().join("key"),
                &jwks,
                &own.issuer,
                &own.audience,
            )
            .and_then(|other| other.token(&jwks, &agent, std::time::Duration::from_secs(60)))
            .expect("a token")
        };
        let emperor = Person {
            roles: vec!["emperor".to_owned()],
            ..agent.clone()
        };
        let service = Person {
            roles: vec!["service".to_owned()],
            ..agent.clone()
        };
        let citizen = Person {
            roles: vec!["citizen".to_owned()],
            ..agent.clone()
        };
        let good = token(&agent);
        let (rest, signature) = good.rsplit_once('.').expect("three parts");
        let unsigned = format!("{rest}.");
        let tampered = format!("{rest}.{}", swapped(signature, 10));
        // {"alg":"none"}
        let none = format!(
            "eyJhbGciOiJub25lIn0.{}.",
            rest.split('.').nth(1).unwrap_or_default()
        );
        let unauthenticated =
            |reason, requirement| Because(UNAUTHENTICATED, reason, requirement, "");
        for (what, client, because) in [
            (
                "no token",
                world.public.clone(),
                unauthenticated("TOKEN_MISSING", ""),
            ),
            (
                "nonsense",
                with("nonsense".to_owned()),
                unauthenticated("TOKEN_UNREADABLE", ""),
            ),
            (
                "no signature",
                with(unsigned),
                unauthenticated("TOKEN_UNREADABLE", ""),
            ),
            (
                "a bent signature",
                with(tampered),
                unauthenticated("TOKEN_UNREADABLE", ""),
            ),
            (
                "no algorithm",
                with(none),
                unauthenticated("TOKEN_UNREADABLE", ""),
            ),
            (
                "expired",
                with(EXPIRED.to_owned()),
                unauthenticated("TOKEN_EXPIRED", ""),
            ),
            (
                "an unknown key",
                with(stranger),
                unauthenticated("TOKEN_KEY_UNKNOWN", ""),
            ),
            (
                "another issuer",
                with(world.odd_token(&agent, "https://elsewhere", &own.audience, 60)),
                unauthenticated("TOKEN_ISSUER_WRONG", ""),
            ),
            (
                "another audience",
                with(world.odd_token(&agent, &own.issuer, "elsewhere", 60)),
                unauthenticated("TOKEN_AUDIENCE_WRONG", ""),
            ),
            (
                "thirteen hours",
                with(world.odd_token(&agent, &own.issuer, &own.audience, 13 * 3600)),
                unauthenticated("TOKEN_LIFE_TOO_LONG", ""),
            ),
            (
                "an unknown role",
                with(token(&emperor)),
                unauthenticated("TOKEN_ROLE_UNKNOWN", ""),
            ),
            (
                "a service's role",
                with(token(&service)),
                unauthenticated("TOKEN_ROLE_UNKNOWN", ""),
            ),
            (
                "a region of impossible form",
                with(token(&region("4205271"))),
                unauthenticated("TOKEN_REGION_UNKNOWN", ""),
            ),
            (
                "a region that is not in the tree",
                with(token(&region("420527106999"))),
                unauthenticated("TOKEN_REGION_UNKNOWN", "BB-1"),
            ),
            (
                "a role that may not",
                with(token(&citizen)),
                Because(Code::PermissionDenied, "ROLE_NOT_ALLOWED", "BB-5.2", ""),
            ),
        ] {
            let mut cases = CaseServiceClient::new(client.channel());
            let request = ListCasesRequest {
                district: world.district.clone(),
                ..ListCasesRequest::default()
            };
            let answer = cases.list_cases(client.request(request)).await;
            table.expect(what, answer, because).await;
        }
        table.end();
    });
}
