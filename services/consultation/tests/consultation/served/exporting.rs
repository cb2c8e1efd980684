use bangban_proto::bangban::consultation::v1::{self as v1, RegisterEntry};
use bangban_proto::bangban::directory::v1::Applicant;
use futures::TryStreamExt as _;
use tonic::Status;
use uuid::Uuid;

use super::world::{DISTRICT, LI_NA, Who, World, officer, reason, worlds};

fn request() -> v1::ExportRegisterRequest {
    v1::ExportRegisterRequest {
        district: DISTRICT.to_owned(),
        from: "2020-01-01".to_owned(),
        to: "2099-12-31".to_owned(),
        ..v1::ExportRegisterRequest::default()
    }
}

async fn exported(
    world: &World,
    who: &Who,
    request: v1::ExportRegisterRequest,
) -> Result<Vec<RegisterEntry>, Status> {
    let mut client = world.client();
    let stream = client.export_register(world.by(who, request)).await?;
    let parts: Vec<_> = stream.into_inner().try_collect().await?;
    Ok(parts.into_iter().flat_map(|part| part.entries).collect())
}

#[tokio::test]
async fn bb_10_1_1c_the_register_is_exported_in_order_with_masks() {
    for world in worlds("export").await {
        let first = world.registered().await;
        let mut anonymous = world.contact();
        anonymous.applicant.clear();
        anonymous.anonymity = "来电者不愿留名".to_owned();
        let mut client = world.client();
        let asked = client.register_consultation(world.by(&LI_NA, anonymous));
        asked.await.expect("registered");
        world.answer(&first.id).await.expect("answered");
        let entries = exported(&world, &LI_NA, request()).await.expect("exported");
        let lines: Vec<_> = entries
            .iter()
            .map(|e| (e.number, e.name.as_str(), e.telephone.as_str()))
            .collect();
        assert_eq!(
            lines,
            [(1, "林*娥", "138****8000"), (2, "来电者不愿留名", "")]
        );
        assert!(entries[0].result.contains("每月一百元") && entries[0].gaps.is_empty());
        assert_eq!(entries[1].gaps, ["RESULT"]);
        assert!(world.doubles.reveals().is_empty());
        let beside = officer("beside", "auditor", "420527200");
        let none = exported(&world, &beside, request())
            .await
            .expect("exported");
        assert!(none.is_empty());
        let past = v1::ExportRegisterRequest {
            to: "2020-01-02".to_owned(),
            ..request()
        };
        assert!(
            exported(&world, &LI_NA, past)
                .await
                .expect("exported")
                .is_empty()
        );
        let reversed = v1::ExportRegisterRequest {
            from: "2099-12-31".to_owned(),
            to: "2020-01-02".to_owned(),
            ..request()
        };
        let refused = exported(&world, &LI_NA, reversed).await;
        assert_eq!(reason(refused), "DATES_REVERSED");
    }
}

#[tokio::test]
async fn bb_10_1_1c_names_in_clear_are_for_those_who_may_and_say_why() {
    for world in worlds("reveal").await {
        world.registered().await;
        let mut forgotten = world.contact();
        forgotten.applicant = Uuid::now_v7().to_string();
        world.know(&forgotten.applicant, "赵*", "139****0000");
        let erased = Applicant {
            id: forgotten.applicant.clone(),
            is_erased: true,
            ..Applicant::default()
        };
        let mut client = world.client();
        let asked = client.register_consultation(world.by(&LI_NA, forgotten));
        asked.await.expect("registered");
        world.doubles.know(erased);
        let mut clear = v1::ExportRegisterRequest {
            is_revealed: true,
            reason: "年度检查".to_owned(),
            ..request()
        };
        let refused = exported(&world, &LI_NA, clear.clone()).await;
        assert_eq!(reason(refused), "REVEAL_NOT_ALLOWED");
        let auditor = officer("auditor", "auditor", "420527");
        let entries = exported(&world, &auditor, clear.clone())
            .await
            .expect("exported");
        assert_eq!(entries[0].name, "林桂娥");
        assert_eq!(entries[0].telephone, "13800138000");
        // Of the one who was forgotten meanwhile, the mask of then is left.
        assert_eq!(
            (entries[1].name.as_str(), entries[1].telephone.as_str()),
            ("赵*", "")
        );
        let reveals = world.doubles.reveals();
        assert_eq!(reveals.len(), 1);
        assert_eq!(reveals[0].0, "auditor");
        assert!(reveals[0].1.purpose.contains("年度检查"));
        clear.reason = "  ".to_owned();
        let refused = exported(&world, &auditor, clear).await;
        assert_eq!(reason(refused), "REASON_MISSING");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_register_comes_in_parts_and_whole() {
    for world in worlds("long").await {
        let register = (0..60).map(|_| world.registered());
        futures::future::join_all(register).await;
        let mut client = world.client();
        let stream = client.export_register(world.by(&LI_NA, request())).await;
        let parts: Vec<_> = stream
            .expect("a stream")
            .into_inner()
            .try_collect()
            .await
            .expect("exported");
        let sizes: Vec<_> = parts.iter().map(|p| p.entries.len()).collect();
        assert_eq!(sizes, [50, 10]);
        let numbers = parts
            .iter()
            .flat_map(|p| p.entries.iter().map(|e| e.number));
        assert!(numbers.eq(1..=60));
    }
}
