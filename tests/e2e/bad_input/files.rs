//! Reference data that is wrong.

use crate::quiet::on_both_quietly;

#[test]
fn bb_7_2_a_catalogue_with_an_unknown_department_or_overlapping_versions_is_refused_whole() {
    on_both_quietly(|world| async move {
        let before = world.act_count("directory").await;
        let bad = include_str!("../../../infra/sample/bad/catalogue.yaml");
        let complaint = world.import_catalogue(bad).await.expect_err("refused");
        for part in ["unknown-department", "DEPARTMENT_UNKNOWN"] {
            assert!(complaint.contains(part), "{part}: {complaint}");
        }
        for part in ["overlapping-versions", "VERSIONS_OVERLAP"] {
            assert!(complaint.contains(part), "{part}: {complaint}");
        }
        assert_eq!(world.act_count("directory").await, before);
    });
}

#[test]
fn bb_1_region_files_with_broken_rows_are_refused_whole() {
    on_both_quietly(|world| async move {
        let before = world.act_count("directory").await;
        let bad = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/sample/bad/regions");
        let complaint = world
            .import_regions(std::path::Path::new(bad))
            .await
            .expect_err("refused");
        for place in ["areas.csv:3", "villages.csv:6"] {
            assert!(complaint.contains(place), "{place}: {complaint}");
        }
        assert_eq!(world.act_count("directory").await, before);
    });
}
