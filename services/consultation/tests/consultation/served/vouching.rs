//! In whose name directory is asked: with a context that this service signs, never with a token that somebody gave it.

use bangban_proto::bangban::consultation::v1::ExportRegisterRequest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use futures::TryStreamExt as _;
use serde_json::Value;
use tonic::Request;

use super::world::{DISTRICT, LI_NA, officer, worlds};

/// The token of a request.
fn token<T>(request: &Request<T>) -> String {
    let bearer = request.metadata().get("authorization").expect("a bearer");
    let bearer = bearer.to_str().expect("text");
    bearer.strip_prefix("Bearer ").expect("a bearer").to_owned()
}

/// What a token says, whoever signed it.
fn claims(token: &str) -> Value {
    let said = token.split('.').nth(1).expect("three parts");
    let said = URL_SAFE_NO_PAD.decode(said).expect("base64");
    serde_json::from_slice(&said).expect("JSON")
}

#[tokio::test]
async fn directory_hears_for_whom_and_through_whom_and_never_the_persons_own_token() {
    for world in worlds("vouching").await {
        let registering = world.by(&LI_NA, world.contact());
        let auditor = officer("auditor", "auditor", "420527");
        let exporting = ExportRegisterRequest {
            district: DISTRICT.to_owned(),
            from: "2020-01-01".to_owned(),
            to: "2099-12-31".to_owned(),
            is_revealed: true,
            reason: "年度检查".to_owned(),
            ..ExportRegisterRequest::default()
        };
        let exporting = world.by(&auditor, exporting);
        let own = [token(&registering), token(&exporting)];
        let mut client = world.client();
        client
            .register_consultation(registering)
            .await
            .expect("registered");
        let entries = client.export_register(exporting).await.expect("exported");
        let _: Vec<_> = entries.into_inner().try_collect().await.expect("entries");

        let heard = world.doubles.heard();
        for wanted in ["GetStaff", "GetSite", "GetApplicant", "RevealApplicant"] {
            assert!(heard.iter().any(|(m, _)| m == wanted), "{wanted}");
        }
        for (method, headers) in heard {
            for (name, value) in &headers {
                let text = String::from_utf8_lossy(value.as_bytes());
                assert!(!own.iter().any(|o| text.contains(o)), "{method}: {name}");
            }
            let bearer = headers["authorization"].to_str().expect("text");
            let said = claims(bearer.strip_prefix("Bearer ").expect("a bearer"));
            // What the service has to know it asks in its own name; what a person wants to see, in theirs.
            let whose = match method.as_str() {
                "RevealApplicant" => auditor.subject,
                _ => "system/consultation",
            };
            assert_eq!(said["sub"], whose, "{method}: {said}");
            assert_eq!(said["via"], "consultation", "{method}: {said}");
            let left = said["exp"].as_i64().expect("an end") - Utc::now().timestamp();
            assert!((1..=60).contains(&left), "{method}: {left} s");
        }
    }
}
