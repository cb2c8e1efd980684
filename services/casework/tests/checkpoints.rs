//! Checkpoints of a district's ledger (BX-6), on SQLite, and on PostgreSQL where `DATABASE_URL` names one.

use std::sync::Arc;

use bangban_casework::{
    Migrator, checkpoint,
    rpc::{Ledgers, Rpc},
    store::checkpoints::{self, Stored},
};
use bangban_kit::{
    config::Config,
    identity::{Caller, ContextKey},
};
use bangban_learned::{known::Learned, revision};
use bangban_ledger::{Kept, Leaf, START, SigningKey, Trust, is_signed, merkle, verify_with};
use bangban_net::{
    client::{Channel, Local},
    peer::Peer,
};
use bangban_proto::bangban::{
    casework::v1::{
        Case, ExportLedgerRequest, LedgerAct, ledger_act::Act, ledger_service_server::LedgerService,
    },
    directory::v1::District,
};
use bangban_store::{Store, clock, copy, write::Chain, write::begin};
use chrono::Timelike as _;
use futures::StreamExt as _;
use prost::Message as _;
use sea_orm::{ConnectionTrait as _, Statement};
use tonic::Request;

const DISTRICT: &str = "zigui";
const DAY: i64 = 86_400;

struct World {
    store: Store,
    config: Config,
    service: &'static str,
    key: SigningKey,
    /// Seconds from when it was made to the next local noon, which its days begin with: no midnight comes between two steps.
    noon: i64,
    _folder: tempfile::TempDir,
}

/// An empty store on each database there is, with one district.
async fn worlds(service: &'static str) -> Vec<World> {
    let mut urls = vec!["sqlite".to_owned()];
    match std::env::var("DATABASE_URL") {
        Ok(url) => urls.push(url),
        Err(_) => eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it"),
    }
    let mut worlds = Vec::new();
    for url in urls {
        if url != "sqlite" {
            let db = sea_orm::Database::connect(&url).await.expect("postgresql");
            db.execute_unprepared(&format!("DROP SCHEMA IF EXISTS {service} CASCADE"))
                .await
                .expect("dropped");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        config.database.url = url;
        config.database.acquire_seconds = 60;
        let store = Store::open::<Migrator>(service, &config)
            .await
            .expect("a store");
        revision::begin(&store.db, store.backend, DISTRICT)
            .await
            .expect("a calendar");
        let district = District {
            id: DISTRICT.to_owned(),
            region: "420527".to_owned(),
            ..District::default()
        };
        copy::put(&store.db, DISTRICT, "district", DISTRICT, &district)
            .await
            .expect("a district");
        let now = store.now().await.expect("the time").local();
        let world = World {
            key: checkpoint::key(&config).expect("a key"),
            store,
            config,
            service,
            noon: (DAY / 2 - i64::from(now.num_seconds_from_midnight())).rem_euclid(DAY),
            _folder: folder,
        };
        world.days_ahead(0).await;
        worlds.push(world);
    }
    worlds
}

impl World {
    /// The next act of a case, which begins when it is the first.
    async fn act(&self, case: &str) {
        let db = begin(&self.store.db).await.expect("a transaction");
        self.act_in(&db, case).await;
        db.commit().await.expect("committed");
    }

    async fn act_in(&self, db: &bangban_store::Transaction, case: &str) {
        let (store, subject) = (&self.store, format!("cases/{case}"));
        let sql = "SELECT number, hash FROM acts WHERE subject = $1 ORDER BY number DESC LIMIT 1";
        let found = Statement::from_sql_and_values(store.backend, sql, [subject.clone().into()]);
        let found = db.query_one_raw(found).await.expect("read");
        let (number, head) = found.map_or((0, START), |row| {
            let number: i64 = row.try_get_by_index(0).expect("a number");
            let hash: Vec<u8> = row.try_get_by_index(1).expect("a hash");
            (number.unsigned_abs(), bangban_store::act::hash(&hash))
        });
        let now = store.now().await.expect("the time");
        let caller = Caller::system("test");
        let chain = Chain::new(DISTRICT, subject, number, head, &caller, now)
            .act("case.noted", b"note".to_vec());
        store.append(db, &chain, None).await.expect("appended");
        if number == 0 {
            self.case(db, case).await;
        }
    }

    async fn case(&self, db: &bangban_store::Transaction, case: &str) {
        let sql = "INSERT INTO cases (district, id, receipt, version, head, state, priority, region, site, agent, \
                   department, applicant, item, item_version, opened_at_us, body) \
                   VALUES ($1, $2, $2, 1, $3, 1, 1, '420527', '', '', '', '', '', 1, $5, $4)";
        let body = Case {
            district: DISTRICT.to_owned(),
            id: case.to_owned(),
            ..Case::default()
        };
        let values = [
            DISTRICT.into(),
            case.into(),
            START.to_vec().into(),
            body.encode_to_vec().into(),
            self.store.now().await.expect("the time").us().into(),
        ];
        let insert = Statement::from_sql_and_values(self.store.backend, sql, values);
        db.execute_raw(insert).await.expect("a case");
    }

    /// The demonstration clock, this many days ahead.
    async fn days_ahead(&self, days: i64) {
        clock::set_offset(&self.store.db, self.store.backend, self.noon + days * DAY)
            .await
            .expect("moved");
    }

    /// Makes what is due, when all that was done is below the horizon: other tests' transactions hold it back.
    async fn once(&self) -> usize {
        let count = Statement::from_string(self.store.backend, "SELECT count(*) FROM acts");
        let row = self.store.row(count).await.expect("counted");
        let count: i64 = row.expect("a row").try_get_by_index(0).expect("a count");
        while self.store.read(0, 0, 1000).await.expect("read").len() < count as usize {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        checkpoint::once(&self.store, &self.key)
            .await
            .expect("made")
    }

    async fn all(&self) -> Vec<Stored> {
        checkpoints::list(&self.store.db, DISTRICT, 0, 100)
            .await
            .expect("listed")
    }

    async fn leaves(&self, number: u64) -> Vec<Leaf> {
        let found = checkpoints::leaves(&self.store.db, DISTRICT, ("", 0), None, number);
        let found = found.await.expect("leaves").into_iter();
        found.filter(|l| l.0 == number).map(|l| l.1).collect()
    }

    async fn export(&self, case: &str) -> String {
        let context = ContextKey::open_or_create(&self.config.context_key()).expect("a key");
        let peer = Peer::new(Channel::local(Local::default()), "casework", context);
        let ledgers = Ledgers::new(
            Rpc::new(self.store.clone(), Learned::new(self.store.clone()), peer),
            self.key.public(),
        );
        let request = ExportLedgerRequest {
            district: DISTRICT.to_owned(),
            case: case.to_owned(),
            ..ExportLedgerRequest::default()
        };
        let answer = ledgers.export_ledger(Request::new(request)).await;
        let mut stream = answer.expect("a stream").into_inner();
        let mut file = String::new();
        while let Some(part) = stream.next().await {
            for line in part.expect("lines").lines {
                file += &line;
                file += "\n";
            }
        }
        file
    }

    fn trust(&self, all: &[Stored]) -> Trust {
        let kept = |c: &Stored| Kept {
            district: DISTRICT.to_owned(),
            number: c.checkpoint.number,
            day: c.checkpoint.day.clone(),
            leaf_count: c.checkpoint.leaf_count,
            root: hex(&c.checkpoint.root),
            previous: hex(&c.checkpoint.previous),
            hash: hex(&c.hash),
            key: self.key.id(),
            signature: hex(&c.signature),
        };
        Trust {
            keys: vec![self.key.public()],
            kept: all.iter().map(kept).collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn root(leaves: &[Leaf]) -> bangban_ledger::Hash {
    let mut tree = merkle::Tree::default();
    leaves.iter().for_each(|leaf| tree.push(leaf.hash()));
    tree.root()
}

#[tokio::test]
async fn bx_6_each_day_is_closed_once_by_a_signed_checkpoint_of_what_grew() {
    for world in worlds("checkpoints_daily").await {
        for case in ["b", "a", "b"] {
            world.act(case).await;
        }
        assert_eq!(world.once().await, 0, "the day is not over");
        world.days_ahead(1).await;
        assert_eq!(world.once().await, 1);
        assert_eq!(world.once().await, 0);
        world.act("a").await;
        world.days_ahead(2).await;
        assert_eq!(world.once().await, 1);
        world.days_ahead(3).await;
        assert_eq!(world.once().await, 1, "a day without an act has one too");

        let all = world.all().await;
        let counts: Vec<u64> = all.iter().map(|c| c.checkpoint.leaf_count).collect();
        assert_eq!(counts, [2, 1, 0]);
        let leaves = world.leaves(1).await;
        let told: Vec<_> = leaves.iter().map(|l| (&*l.subject, l.act_count)).collect();
        assert_eq!(told, [("cases/a", 1), ("cases/b", 2)]);
        assert_eq!(world.leaves(2).await[0].act_count, 2);
        let mut previous = START;
        for (number, made) in (1..).zip(&all) {
            assert_eq!(
                (made.checkpoint.number, made.checkpoint.previous),
                (number, previous)
            );
            assert_eq!(made.checkpoint.root, root(&world.leaves(number).await));
            assert_eq!(made.hash, made.checkpoint.hash());
            assert!(is_signed(&world.key.public(), &made.hash, &made.signature));
            assert!(made.is_demonstration);
            previous = made.hash;
        }
        assert_eq!(all[2].checkpoint.root, merkle::empty_root());
    }
}

#[tokio::test]
async fn bx_6_a_checkpoint_is_an_act_in_the_feed() {
    for world in worlds("checkpoints_feed").await {
        world.act("a").await;
        world.days_ahead(1).await;
        world.once().await;
        let made = &world.all().await[0];
        let acts = loop {
            let acts = world.store.read(0, 0, 10).await.expect("read");
            if acts.len() == 2 {
                break acts;
            }
        };
        let told = acts.last().expect("an act");
        assert_eq!(
            (&*told.subject, &*told.kind),
            ("ledger", "ledger.checkpoint_made")
        );
        let act = LedgerAct::decode(&*told.payload).expect("an act of a ledger");
        let Some(Act::CheckpointMade(act)) = act.act else {
            panic!("another act")
        };
        assert_eq!(act.checkpoint, Some(made.message()));
    }
}

#[tokio::test]
async fn bx_6_missed_days_are_made_up_by_one_checkpoint() {
    for world in worlds("checkpoints_missed").await {
        world.act("a").await;
        world.days_ahead(5).await;
        world.act("b").await;
        assert_eq!(world.once().await, 1);
        let made = world.all().await;
        let yesterday = world.store.now().await.expect("now").local() - chrono::TimeDelta::days(1);
        assert_eq!(
            made[0].checkpoint.day,
            yesterday.format("%Y-%m-%d").to_string()
        );
        assert_eq!(made[0].checkpoint.leaf_count, 2);
    }
}

#[tokio::test]
async fn bx_6_two_replicas_make_one_checkpoint() {
    for world in worlds("checkpoints_replicas").await {
        let other = Store::open::<Migrator>(world.service, &world.config)
            .await
            .expect("another store");
        world.act("a").await;
        for day in 1..6 {
            world.days_ahead(day).await;
            let (one, two) = tokio::join!(
                checkpoint::once(&world.store, &world.key),
                checkpoint::once(&other, &world.key)
            );
            assert_eq!(one.expect("made") + two.expect("made"), 1, "day {day}");
        }
        assert_eq!(world.all().await.len(), 5);
    }
}

#[tokio::test]
async fn bx_6_an_act_that_commits_late_is_in_the_next_checkpoint() {
    for world in worlds("checkpoints_late").await {
        if !world.store.is_postgres() {
            continue; // One writes at a time.
        }
        world.act("early").await;
        let db = begin(&world.store.db).await.expect("a transaction");
        // It stands open for longer, if it must, than a server bears ours.
        db.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = '60s'")
            .await
            .expect("set");
        world.act_in(&db, "late").await;
        world.act("meanwhile").await;
        world.days_ahead(1).await;
        let made = checkpoint::once(&world.store, &world.key).await;
        assert_eq!(made.expect("made"), 1);
        db.commit().await.expect("committed");
        let first = world.leaves(1).await;
        assert!(
            first.iter().all(|leaf| leaf.subject == "cases/early"),
            "{first:?}"
        );
        world.days_ahead(2).await;
        assert_eq!(world.once().await, 1);
        let both = [first, world.leaves(2).await].concat();
        let mut subjects: Vec<_> = both.iter().map(|leaf| &*leaf.subject).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["cases/early", "cases/late", "cases/meanwhile"]);
    }
}

#[tokio::test]
async fn bx_6_a_log_that_was_moved_goes_on_where_its_checkpoints_ended() {
    for mut world in worlds("checkpoints_moved").await {
        if !world.store.is_postgres() {
            continue; // A file keeps its positions.
        }
        world.act("a").await;
        world.act("b").await;
        world.days_ahead(1).await;
        world.once().await;
        world.act("b").await;
        // As when it is restored into a PostgreSQL that has given fewer transaction ids.
        for sql in [
            "ALTER TABLE acts DISABLE TRIGGER ALL",
            "UPDATE acts SET tx = 0",
            "ALTER TABLE acts ENABLE TRIGGER ALL",
            "ALTER TABLE checkpoints DISABLE TRIGGER ALL",
            "UPDATE checkpoints SET horizon = 1000000000000",
            "ALTER TABLE checkpoints ENABLE TRIGGER ALL",
            "UPDATE log SET incarnation = 'another'",
        ] {
            world.store.db.execute_unprepared(sql).await.expect(sql);
        }
        world.store = Store::open::<Migrator>(world.service, &world.config)
            .await
            .expect("the moved store");
        world.act("c").await;
        world.days_ahead(2).await;
        assert_eq!(world.once().await, 1);
        let leaves = world.leaves(2).await;
        let told: Vec<_> = leaves.iter().map(|l| (&*l.subject, l.act_count)).collect();
        assert_eq!(told, [("cases/b", 2), ("cases/c", 1)]);
    }
}

#[tokio::test]
async fn bx_6_checkpoints_cannot_be_edited() {
    for world in worlds("checkpoints_edit").await {
        world.act("a").await;
        world.days_ahead(1).await;
        world.once().await;
        for sql in [
            "UPDATE checkpoints SET day = '2000-01-01'",
            "DELETE FROM checkpoints",
            "UPDATE checkpoint_leaves SET act_count = 9",
            "DELETE FROM checkpoint_leaves",
        ] {
            let refused = world.store.db.execute_unprepared(sql).await;
            assert!(
                refused.expect_err(sql).to_string().contains("BX-6"),
                "{sql}"
            );
        }
    }
}

#[tokio::test]
async fn bx_6_an_export_carries_checkpoints_and_leaves_and_says_which_case_is_gone() {
    for world in worlds("checkpoints_export").await {
        let world = Arc::new(world);
        for (day, cases) in [["a", "b"], ["b", "c"], ["d", "b"]].iter().enumerate() {
            for case in cases {
                world.act(case).await;
            }
            world.days_ahead(day as i64 + 1).await;
            assert_eq!(world.once().await, 1);
        }
        world.act("e").await;
        let trust = world.trust(&world.all().await);
        let whole = world.export("").await;
        let report = verify_with(whole.as_bytes(), &trust, |_| ()).expect("read");
        assert!(report.is_good(), "{report:?}\n{whole}");
        assert_eq!(
            (report.checkpoints, report.verified, report.covered),
            (3, 5, 4)
        );

        let one = world.export("b").await;
        let report = verify_with(one.as_bytes(), &trust, |_| ()).expect("read");
        assert!(
            report.is_good() && report.is_filtered(),
            "{report:?}\n{one}"
        );
        assert_eq!((report.verified, report.covered), (1, 1));

        // Who owns the database takes a case out of it.
        let drop = match world.store.is_postgres() {
            true => "DROP TRIGGER acts_no_edit ON acts",
            false => "DROP TRIGGER acts_no_DELETE",
        };
        for sql in [
            drop,
            "DELETE FROM acts WHERE subject = 'cases/c'",
            "DELETE FROM cases WHERE id = 'c'",
            "DELETE FROM acts WHERE subject = 'cases/d'",
        ] {
            world.store.db.execute_unprepared(sql).await.expect(sql);
        }
        let cut = world.export("").await;
        let report = verify_with(cut.as_bytes(), &trust, |_| ()).expect("read");
        let told: Vec<_> = report
            .problems
            .iter()
            .map(|p| p.subject.as_deref())
            .collect();
        assert_eq!(told[0], Some("cases/c"), "{report:?}");
        assert!(told.contains(&Some("cases/d")), "{report:?}");
    }
}
