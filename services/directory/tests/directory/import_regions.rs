//! The region tree from five files.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use bangban_directory::{Directory, ImportError, ImportReport};
use bangban_kit::{config::Config, identity::Caller};
use bangban_proto::bangban::directory::v1::{region_service_server::RegionService as _, *};

use crate::instance::*;

on_both! {
    every_bad_row_is_named_and_nothing_is_written
    bb_1_a_tree_takes_the_place_of_the_one_before
    a_second_import_is_refused_while_one_runs
    the_next_import_may_run_as_soon_as_one_has_ended
    what_a_broken_import_left_is_swept_by_the_next
    a_missing_file_and_a_missing_column_are_named
}

async fn every_bad_row_is_named_and_nothing_is_written(at: &Instance) {
    let imported = at
        .directory
        .import_regions(&sample("bad/regions"), |_, _| ())
        .await;
    let Err(ImportError::Wrong(wrong)) = imported else {
        panic!("bad rows are refused")
    };
    let places: Vec<_> = wrong.iter().map(|c| (c.file.as_str(), c.line)).collect();
    assert_eq!(
        places,
        [
            ("cities.csv", 3),
            ("areas.csv", 3),
            ("streets.csv", 3),
            ("streets.csv", 4),
            ("streets.csv", 5),
            ("villages.csv", 3),
            ("villages.csv", 4),
            ("villages.csv", 5),
            ("villages.csv", 6),
            ("villages.csv", 7),
        ]
    );
    assert_eq!(
        wrong[0].to_string(),
        "cities.csv:3: 上级代码43不是代码4206的前缀42 / the parent 43 is not the prefix 42 of the code 4206"
    );
    assert_eq!(
        wrong[8].to_string(),
        "villages.csv:6: 有4列，应为6列 / 4 columns instead of 6"
    );
    for table in ["regions", "region_data_sets", "acts"] {
        assert_eq!(at.count(table).await, 0, "{table}");
    }
}

async fn region(directory: &Directory, code: &str) -> Option<Region> {
    let request = GetRegionRequest { code: code.into() };
    let answer = directory.get_region(by(&Caller::public(), request)).await;
    answer.ok().map(tonic::Response::into_inner)
}

/// The sample's tree without what follows the first `rows` villages, in a folder of its own.
fn shortened(rows: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(sample("regions")).expect("the sample") {
        let from = entry.expect("a file").path();
        let name = from.file_name().expect("a name").to_owned();
        let mut text = fs::read_to_string(&from).expect("read");
        if name == "villages.csv" {
            text = text
                .lines()
                .take(rows + 1)
                .map(|l| format!("{l}\n"))
                .collect();
        }
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

async fn bb_1_a_tree_takes_the_place_of_the_one_before(at: &Instance) {
    let told = Mutex::new(Vec::new());
    let first = at
        .directory
        .import_regions(&sample("regions"), |done, all| {
            told.lock().expect("told").push((done, all));
        })
        .await
        .expect("imported");
    assert_eq!(first.written, 194);
    assert_eq!(told.into_inner().expect("told").last(), Some(&(194, 194)));
    let village = region(&at.directory, "420527101003").await.expect("there");
    assert_eq!(
        (village.parent.as_str(), &village.data_set),
        ("420527101", &first.data_set)
    );
    let short = shortened(2);
    let second = at.directory.import_regions(short.path(), |_, _| ()).await;
    let second = second.expect("imported again");
    assert_eq!(second.written, 17);
    assert_eq!(region(&at.directory, "420527101003").await, None);
    let town = region(&at.directory, "420527101").await.expect("there");
    assert_eq!(town.data_set, second.data_set);
    assert_eq!(at.count("regions").await, 17, "the old one is swept away");
    assert_eq!(at.count("region_data_sets").await, 1);
    assert_eq!(at.count("acts").await, 2);
}

/// An import by another process, while this one stands still.
fn elsewhere(config: &Config, folder: &Path) -> Result<ImportReport, ImportError> {
    std::thread::scope(|scope| {
        let imported = scope.spawn(|| {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let directory = Directory::open(config).await.expect("opened");
                directory.import_regions(folder, |_, _| ()).await
            })
        });
        imported.join().expect("an end")
    })
}

async fn a_second_import_is_refused_while_one_runs(at: &Instance) {
    let folder = sample("regions");
    let second = Mutex::new(None);
    let first = at.directory.import_regions(&folder, |_, _| {
        let mut second = second.lock().expect("the second");
        second.get_or_insert_with(|| elsewhere(&at.config, &folder));
    });
    assert_eq!(first.await.expect("imported").written, 194);
    let second = second.into_inner().expect("the second");
    let Some(Err(refused @ ImportError::Running)) = second else {
        panic!("{second:?}")
    };
    let sentence = refused.to_string();
    assert!(sentence.contains("正在进行") && sentence.contains("try again when it has ended"));
    assert_eq!(at.count("regions").await, 194, "the one that ran is whole");
    // It has ended: the next one may run.
    let third = elsewhere(&at.config, &folder).expect("imported");
    assert_eq!(third.written, 194);
    assert_eq!(at.count("regions").await, 194);
}

async fn the_next_import_may_run_as_soon_as_one_has_ended(at: &Instance) {
    // A process that is being started has copies of what this one has open: what is only dropped ends later.
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let starting = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            Command::new("true").status().expect("started");
        }
    });
    // Refused ones leave the least time between the end of one and the start of the next.
    let mut answers = Vec::new();
    for _ in 0..200 {
        let folder = sample("bad/regions");
        answers.push(at.directory.import_regions(&folder, |_, _| ()).await);
    }
    is_over.store(true, Ordering::Relaxed);
    starting.join().expect("an end");
    let running = answers
        .iter()
        .filter(|a| matches!(a, Err(ImportError::Running)))
        .count();
    assert_eq!(running, 0, "of {} one after the other", answers.len());
    let folder = sample("regions");
    let imported = at.directory.import_regions(&folder, |_, _| ()).await;
    assert_eq!(imported.expect("imported").written, 194);
}

async fn what_a_broken_import_left_is_swept_by_the_next(at: &Instance) {
    let store = at.directory.store();
    for sql in [
        "INSERT INTO region_data_sets (id, is_active, imported_at_us) VALUES ('broken', false, 1)",
        "INSERT INTO regions (data_set, code, name, parent) VALUES ('broken', '42', 'x', '')",
    ] {
        let done = sea_orm::ConnectionTrait::execute_unprepared(&store.db, sql).await;
        done.expect("written");
    }
    assert_eq!(region(&at.directory, "42").await, None, "nobody sees it");
    let folder = sample("regions");
    let imported = at.directory.import_regions(&folder, |_, _| ()).await;
    imported.expect("imported");
    assert_eq!(at.count("regions").await, 194);
}

async fn a_missing_file_and_a_missing_column_are_named(at: &Instance) {
    let folder = shortened(1);
    let remove = |name: &str| fs::remove_file(folder.path().join(name)).expect("removed");
    remove("cities.csv");
    let areas: &Path = &folder.path().join("areas.csv");
    fs::write(areas, "code,name,city\n420527,秭归县,4205\n").expect("written");
    let imported = at.directory.import_regions(folder.path(), |_, _| ()).await;
    let Err(ImportError::Wrong(wrong)) = imported else {
        panic!("refused")
    };
    let places: Vec<_> = wrong.iter().map(|c| (c.file.as_str(), c.line)).collect();
    assert_eq!(places[..2], [("cities.csv", 0), ("areas.csv", 1)]);
    assert!(wrong[1].en.contains("cityCode"));
}
