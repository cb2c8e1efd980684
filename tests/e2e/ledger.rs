//! Ledgers for auditors over gRPC: a checkpoint each day, exports that carry it, and a copy that supervision keeps (BX-6).

use std::time::{Duration, Instant};

use bangban_ledger::{Trust, verify, verify_with};
use bangban_proto::bangban::{
    casework::v1::{
        Checkpoint, ExportLedgerRequest, GetLedgerKeyRequest, ListCheckpointsRequest,
        ledger_service_client::LedgerServiceClient,
    },
    supervision::v1::{
        CompareCheckpointsRequest, ListKeptCheckpointsRequest,
        checkpoint_service_client::CheckpointServiceClient,
    },
};
use bangban_tests::{DAY, PATIENCE, World, case::Story, on_both_alone};

async fn checkpoints(world: &World) -> Vec<Checkpoint> {
    let client = world.person(&auditor());
    let request = ListCheckpointsRequest {
        district: world.district.clone(),
        ..ListCheckpointsRequest::default()
    };
    let answer = LedgerServiceClient::new(client.channel())
        .list_checkpoints(client.request(request))
        .await;
    answer.expect("listed").into_inner().checkpoints
}

/// Of the prefecture: the tier above the district.
fn auditor() -> bangban_kit::identity::Person {
    bangban_kit::identity::Person {
        subject: "auditor-of-the-prefecture".to_owned(),
        roles: vec!["auditor".to_owned()],
        region: "4205".to_owned(),
        ..Default::default()
    }
}

async fn export(world: &World) -> String {
    let client = world.person(&auditor());
    let request = ExportLedgerRequest {
        district: world.district.clone(),
        ..ExportLedgerRequest::default()
    };
    let mut stream = LedgerServiceClient::new(client.channel())
        .export_ledger(client.stream_request(request))
        .await
        .expect("an export")
        .into_inner();
    let mut file = String::new();
    while let Some(part) = stream.message().await.expect("a part") {
        for line in part.lines {
            file.push_str(&line);
            file.push('\n');
        }
    }
    file
}

/// How many checkpoints supervision has kept, once there are `count` or patience is at its end.
async fn kept(
    world: &World,
    count: usize,
) -> Vec<bangban_proto::bangban::supervision::v1::KeptCheckpoint> {
    let client = world.person(&auditor());
    let mut service = CheckpointServiceClient::new(client.channel());
    let until = Instant::now() + PATIENCE;
    loop {
        let request = ListKeptCheckpointsRequest {
            district: world.district.clone(),
            ..ListKeptCheckpointsRequest::default()
        };
        let answer = service.list_kept_checkpoints(client.request(request)).await;
        let kept = answer
            .map(|a| a.into_inner().checkpoints)
            .unwrap_or_default();
        if kept.len() >= count || Instant::now() > until {
            return kept;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn another_day(world: &World, count: usize) -> Vec<Checkpoint> {
    world.advance(world.now().await.seconds + DAY).await;
    let until = Instant::now() + PATIENCE;
    loop {
        let made = checkpoints(world).await;
        if made.len() >= count || Instant::now() > until {
            assert_eq!(made.len(), count, "{made:?}");
            return made;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn bx_6_each_day_is_signed_exported_and_kept_by_the_tier_above() {
    on_both_alone(|world| async move {
        Story::opened(&world).await.consented().await;
        another_day(&world, 1).await;
        Story::opened(&world).await;
        let made = another_day(&world, 2).await;
        assert_eq!((made[0].number, made[1].number), (1, 2));
        assert_eq!(made[1].previous, made[0].hash, "chained");
        assert_eq!((made[0].leaf_count, made[1].leaf_count), (1, 1));
        assert_eq!(made[0].previous, [0; 32]);

        let client = world.person(&auditor());
        let key = LedgerServiceClient::new(client.channel())
            .get_ledger_key(client.request(GetLedgerKeyRequest {}))
            .await;
        let key = key.expect("a key").into_inner();
        for checkpoint in &made {
            let hash = checkpoint.hash.as_slice().try_into().expect("a hash");
            let public = key.public_key.as_slice().try_into().expect("a key");
            assert!(bangban_ledger::is_signed(
                &public,
                &hash,
                &checkpoint.signature
            ));
        }

        let file = export(&world).await;
        let report = verify(file.as_bytes()).expect("read");
        assert!(report.is_good(), "{:?}", report.problems);
        assert_eq!((report.verified, report.checkpoints), (2, 2));
        // Cut in the middle, at a line and within one.
        let lines: Vec<&str> = file.lines().collect();
        let half = lines[..lines.len() / 2].join("\n") + "\n";
        for cut in [half.as_str(), &half[..half.len() - 9]] {
            let report = verify(cut.as_bytes()).expect("read");
            assert!(!report.is_good());
            let problem = &report.problems[0];
            assert!(!problem.zh.is_empty() && !problem.en.is_empty());
        }

        let held = kept(&world, 2).await;
        assert_eq!(held.len(), 2);
        assert!(held.iter().all(|k| k.is_sound && k.finding.is_empty()));
        let compare = CompareCheckpointsRequest {
            district: world.district.clone(),
            ..CompareCheckpointsRequest::default()
        };
        let compared = CheckpointServiceClient::new(client.channel())
            .compare_checkpoints(client.request(compare))
            .await;
        let compared = compared.expect("compared").into_inner();
        assert_eq!((compared.same_count, compared.differences), (2, Vec::new()));
        let trust = Trust::default();
        assert!(
            verify_with(file.as_bytes(), &trust, |_| ())
                .expect("read")
                .is_good()
        );
        world
    });
}
