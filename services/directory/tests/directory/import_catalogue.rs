//! A catalogue in YAML: all complaints at once, each with file and line; all of it or nothing.

use bangban_directory::{Complaint, ImportError, ImportReport};
use bangban_kit::identity::Caller;
use bangban_proto::bangban::directory::v1::{
    catalogue_service_server::CatalogueService as _, rule_service_server::RuleService as _, *,
};

use crate::instance::*;

on_both! {
    every_complaint_names_its_line_and_nothing_is_written
    a_text_that_is_no_yaml_names_the_line
    bb_7_2_the_sample_is_published_at_once_and_once
    a_version_that_is_published_is_not_changed_by_an_import
    bb_1_an_import_needs_the_whole_district
    two_imports_at_once_are_one
}

type Imported = Result<ImportReport, ImportError>;

async fn import_sample(at: &Instance) -> Imported {
    let file = sample("catalogue.yaml");
    at.directory
        .import_catalogue_file(DISTRICT, &file, &operator())
        .await
}

async fn import_text(at: &Instance, text: &str) -> Imported {
    at.directory
        .import_catalogue(DISTRICT, text, &operator())
        .await
}

async fn wrong(at: &Instance, file: &str) -> Vec<Complaint> {
    let before = (at.count("acts").await, at.count("resources").await);
    let imported = at
        .directory
        .import_catalogue_file(DISTRICT, &sample(file), &operator())
        .await;
    let after = (at.count("acts").await, at.count("resources").await);
    assert_eq!(before, after, "nothing is written");
    match imported {
        Err(ImportError::Wrong(wrong)) => wrong,
        other => panic!("{other:?}"),
    }
}

/// Line, reason, and a word of each language.
fn told(wrong: &[Complaint]) -> Vec<(u64, &str)> {
    for complaint in wrong {
        assert!(!complaint.zh.is_ascii(), "{complaint}");
        assert!(
            complaint.en.chars().any(|c| c.is_ascii_lowercase()),
            "{complaint}"
        );
    }
    wrong.iter().map(|c| (c.line, c.reason.as_str())).collect()
}

async fn every_complaint_names_its_line_and_nothing_is_written(at: &Instance) {
    at.found_district().await;
    let found = wrong(at, "bad/catalogue.yaml").await;
    assert_eq!(
        told(&found),
        [
            (18, "DEPARTMENT_UNKNOWN (BB-8b)"),
            (22, "OBLIGATORY_FIELD_MISSING (BB-8b)"),
            (68, "VERSIONS_OVERLAP (BB-7.2)"),
            (99, ""),
            (105, "OBLIGATORY_FIELD_MISSING (BB-8b)"),
            (125, "OBLIGATORY_FIELD_MISSING (BB-8b)"),
        ],
        "{found:#?}"
    );
    assert_eq!(
        found[0].to_string(),
        "catalogue.yaml:18: DEPARTMENT_UNKNOWN (BB-8b): unknown-department 1：没有主管部门“no-such-bureau”，请先登记 \
         / unknown-department 1: there is no department \"no-such-bureau\": put it first"
    );
    assert!(found[2].en.contains("versions 1 and 2"));
    assert!(
        found[3]
            .en
            .contains("LICENCE, BENEFIT, REGISTRATION, FILING")
    );
    assert!(found[5].en.contains("legal_basis"));

    let found = wrong(at, "bad/catalogue-fields.yaml").await;
    let text = std::fs::read_to_string(sample("bad/catalogue-fields.yaml")).expect("read");
    let marked: Vec<u64> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| line.contains("# bad: "))
        .map(|(number, _)| number)
        .collect();
    let lines: Vec<u64> = found.iter().map(|c| c.line).collect();
    assert_eq!(lines, marked, "{found:#?}");
    for (complaint, line) in found.iter().zip(&marked) {
        let line = text
            .lines()
            .nth(usize::try_from(*line).expect("a line") - 1);
        let (_, expected) = line.and_then(|l| l.split_once("# bad: ")).expect("a mark");
        let said = complaint.to_string();
        assert!(
            said.contains(expected.trim()),
            "{said} should say {expected:?}"
        );
    }
    told(&found);
}

async fn a_text_that_is_no_yaml_names_the_line(at: &Instance) {
    at.found_district().await;
    let found = wrong(at, "bad/catalogue-syntax.yaml").await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].file.as_str(), found[0].line),
        ("catalogue-syntax.yaml", 5),
        "{found:?}"
    );
    let found = wrong(at, "bad/no-such-file.yaml").await;
    assert_eq!((found.len(), found[0].line), (1, 0));
}

async fn bb_7_2_the_sample_is_published_at_once_and_once(at: &Instance) {
    at.found_district().await;
    let file = sample("catalogue.yaml");
    let report = import_sample(at).await.expect("imported");
    assert_eq!(
        (report.written, report.unchanged, report.draft_count),
        (17, 0, 0)
    );
    let acts = at.count("acts").await;
    let report = import_sample(at).await.expect("imported again");
    assert_eq!((report.written, report.unchanged), (0, 17));
    assert_eq!(at.count("acts").await, acts);

    // Two versions in one import hang on one chain, and the next act goes on from there.
    let withdraw = WithdrawItemRequest {
        district: DISTRICT.into(),
        request_id: id(),
        item: "public-place-hygiene-licence".into(),
        from: "2030-01-01".into(),
        reason: "示例".into(),
    };
    let withdrawn = at.directory.withdraw_item(by(&operator(), withdraw)).await;
    withdrawn.expect("withdrawn");
    let list = ListRulesRequest {
        district: DISTRICT.into(),
        ..ListRulesRequest::default()
    };
    let rules = at.directory.list_rules(by(&Caller::public(), list)).await;
    assert_eq!(rules.expect("listed").into_inner().rules.len(), 6);
    let draft = std::fs::read_to_string(&file).expect("read");
    let draft = draft
        .replace("old-age-allowance", "new-allowance")
        .replacen("is_published: true", "is_published: false", 1);
    let report = import_text(at, &draft).await.expect("imported");
    assert_eq!(
        (report.written, report.draft_count),
        (0, 1),
        "a draft is left out"
    );
}

async fn a_version_that_is_published_is_not_changed_by_an_import(at: &Instance) {
    at.found_district().await;
    let file = sample("catalogue.yaml");
    import_sample(at).await.expect("imported");
    let text = std::fs::read_to_string(&file).expect("read");
    let text = text.replacen("高龄津贴申领", "高龄津贴办理", 1);
    let again = import_text(at, &text).await;
    let Err(ImportError::Wrong(wrong)) = again else {
        panic!("a version never changes")
    };
    assert_eq!(wrong[0].reason, "VERSION_EXISTS (BB-7.2)");
    let name = text
        .lines()
        .nth(usize::try_from(wrong[0].line).expect("a line") - 1);
    assert_eq!(name.map(str::trim), Some("- version: 1"));
    // A department is replaced.
    let text = std::fs::read_to_string(&file).expect("read");
    let text = text.replacen("0717-00000201", "0717-00000299", 1);
    let again = import_text(at, &text).await;
    assert_eq!(again.expect("imported").written, 1);
}

async fn bb_1_an_import_needs_the_whole_district(at: &Instance) {
    at.found_district().await;
    let file = sample("catalogue.yaml");
    for (region, reason) in [
        ("420527101", "SCOPE_TOO_NARROW"),
        ("420528", "SCOPE_OUTSIDE_DISTRICT"),
    ] {
        let caller = from_region(region);
        let import = at.directory.import_catalogue_file(DISTRICT, &file, &caller);
        let Err(ImportError::Store(error)) = import.await else {
            panic!("refused")
        };
        assert_eq!(refused::<()>(Err(error.into())), with(reason, "BB-1"));
    }
}

async fn two_imports_at_once_are_one(at: &Instance) {
    at.found_district().await;
    let file = sample("catalogue.yaml");
    let (other, caller) = (at.another().await, operator());
    let (one, two) = tokio::join!(
        at.directory.import_catalogue_file(DISTRICT, &file, &caller),
        other.import_catalogue_file(DISTRICT, &file, &caller),
    );
    let (one, two) = (one.expect("imported"), two.expect("imported"));
    assert_eq!(one.written + two.written, 17);
    assert_eq!(one.unchanged + two.unchanged, 17);
}
