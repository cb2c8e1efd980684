//! Every requirement that this release implements has a test that bears its id, and every id that the code cites exists.
//!
//! `all-requirements.txt` lists the ids of the standard and beyond it, `requirements.txt` those that are implemented:
//! whoever implements one more adds it there. A test bears an id when its name begins with it, `bb_7_2_…` for BB-7.2;
//! one that is ignored bears none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const ALL: &str = include_str!("all-requirements.txt");
const IMPLEMENTED: &str = include_str!("requirements.txt");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files below a folder.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, files);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Every Rust file in these folders of the repository, with its text.
fn texts(folders: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in folders {
        sources(&root().join(folder), &mut files);
    }
    files.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a file");
    files
        .iter()
        .map(|p| (p.display().to_string(), read(p)))
        .collect()
}

/// The folders below this one that hold Rust of the product.
fn products() -> Vec<(String, String)> {
    let is_product = |path: &str| path.contains("/src/");
    let all = texts(&["services", "crates"]);
    all.into_iter()
        .filter(|(path, _)| is_product(path))
        .collect()
}

/// An id as the names of tests write it.
fn snake(id: &str) -> String {
    id.to_lowercase().replace(['-', '.'], "_")
}

/// The id with which the name of a test begins: the longest that fits.
fn borne<'a>(name: &str, ids: &BTreeMap<String, &'a str>) -> Option<&'a str> {
    let fits = ids.iter().filter(|(snake, _)| {
        name.strip_prefix(snake.as_str())
            .is_some_and(|rest| rest.starts_with('_'))
    });
    fits.max_by_key(|(snake, _)| snake.len()).map(|(_, id)| *id)
}

/// Names of the test functions of a file that are run: those that say so, and those that `on_both!` lists for both
/// databases.
fn tests(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut is_test, mut is_listed) = (false, false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("on_both!") {
            is_listed = true;
        } else if line == "}" {
            is_listed = false;
        } else if is_listed {
            names.extend(line.split_whitespace().next());
        }
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.starts_with("#[ignore") {
            is_test = false;
        } else if let Some((_, rest)) = line.split_once("fn ") {
            if is_test {
                names.extend(rest.split(['(', '<']).next());
            }
            is_test = false;
        }
    }
    names
}

/// The ids that a text cites as strings of their own.
fn cited(text: &str) -> BTreeSet<&str> {
    let is_id = |part: &&str| {
        part.strip_prefix("BB-")
            .or(part.strip_prefix("BX-"))
            .is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_ascii_digit())
                    && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
            })
    };
    text.split('"').filter(is_id).collect()
}

#[test]
fn every_implemented_requirement_has_a_test_that_bears_its_id() {
    let ids: BTreeMap<String, &str> = ALL.lines().map(|id| (snake(id), id)).collect();
    let files = texts(&["services", "crates", "proto", "tests"]);
    let borne: BTreeSet<&str> = files
        .iter()
        .flat_map(|(_, text)| tests(text))
        .filter_map(|name| borne(name, &ids))
        .collect();
    let missing: Vec<&str> = IMPLEMENTED
        .lines()
        .filter(|id| !borne.contains(id))
        .collect();
    assert!(
        missing.is_empty(),
        "no test that is run has a name that begins with the id of {missing:?}"
    );
    let implemented: BTreeSet<&str> = IMPLEMENTED.lines().collect();
    let unlisted: Vec<_> = borne.difference(&implemented).collect();
    assert!(
        unlisted.is_empty(),
        "tests bear {unlisted:?}: add what is implemented to requirements.txt"
    );
}

#[test]
fn every_requirement_that_the_code_cites_exists() {
    let ids: BTreeSet<&str> = ALL.lines().collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (path, text) in products() {
        let cited = cited(&text);
        count += cited.len();
        wrong.extend(cited.difference(&ids).map(|id| format!("{path}: {id}")));
    }
    assert!(count > 30, "{count} citations were found");
    assert!(
        wrong.is_empty(),
        "cited, but no requirement:\n{}",
        wrong.join("..")
    );
}

#[test]
fn the_lists_of_requirements_are_lists_of_ids() {
    let all: Vec<&str> = ALL.lines().collect();
    let implemented: Vec<&str> = IMPLEMENTED.lines().collect();
    for list in [&all, &implemented] {
        let once: BTreeSet<&&str> = list.iter().collect();
        assert_eq!(once.len(), list.len(), "each once");
    }
    assert!(implemented.iter().all(|id| all.contains(id)));
    assert_eq!(
        cited(&format!("{:?}", all)).len(),
        all.len(),
        "ids, and nothing else"
    );
}

#[test]
fn names_bear_the_longest_id_that_fits_and_ignored_tests_none() {
    let ids: BTreeMap<String, &str> = ["BB-1", "BB-10.1.2", "BB-10.1.2.1.1"]
        .iter()
        .map(|id| (snake(id), *id))
        .collect();
    assert_eq!(borne("bb_10_1_2_1_1_it_is_so", &ids), Some("BB-10.1.2.1.1"));
    assert_eq!(borne("bb_10_1_2_it_is_so", &ids), Some("BB-10.1.2"));
    assert_eq!(borne("bb_12_1_it_is_so", &ids), None);
    let text =
        "#[test]\nfn bb_1_a() {\n#[test]\n#[ignore = \"not yet\"]\nfn bb_1_b() {\nfn bb_1_c() {\n";
    assert_eq!(tests(text), ["bb_1_a"]);
    let text = "on_both! {\n    bb_1_d\n    bb_1_e\n}\n\nasync fn bb_1_f(at: &Instance) {\n}\n";
    assert_eq!(tests(text), ["bb_1_d", "bb_1_e"]);
}
