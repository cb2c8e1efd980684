//! The page of the API, made of the `.proto` files, and what those say of refusals, held against the code.
//!
//! `make api` writes `docs/api.md`: it runs this with `BANGBAN_TESTS_WRITE_API=1`. The generator lives in a test, and not in
//! a program, so that the compiler of contracts which it needs is part of no product.

mod code;
mod contract;
mod fields;
mod page;
mod refusals;
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use code::Source;
use contract::Contract;
use refusals::{Refusals, common, of_method};

/// Set to write the page instead of comparing it.
const WRITE: &str = "BANGBAN_TESTS_WRITE_API";

/// What a process says of itself, and no method answers.
const OF_NO_METHOD: [&str; 7] = [
    "FEED_BROKEN",
    "KEYRING_UNUSABLE",
    "LEDGER_KEY_UNUSABLE",
    "LINK_KEY_UNUSABLE",
    "LOG_FROM_ELSEWHERE",
    "TABLES_NEWER",
    "TABLES_OUT_OF_DATE",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the service that answers a package's methods; that of all services for the feed.
fn service_of(package: &str) -> &str {
    match package.split('.').nth(1) {
        Some("clock") => "directory",
        Some("events") => "",
        service => service.expect("a package of ours"),
    }
}

/// What the methods of each service list themselves.
fn listed(contract: &Contract) -> BTreeMap<String, Refusals> {
    let mut listed: BTreeMap<String, Refusals> = BTreeMap::new();
    for method in contract.methods() {
        let service = service_of(method.parent_service().package_name()).to_owned();
        let known = listed.entry(service).or_default();
        known.add(of_method(contract, &method).expect("refusals"));
    }
    listed
}

/// What is wrong with reasons that these sources should give.
fn not_given(who: &str, refusals: &Refusals, sources: &[&Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (reason, requirements) in refusals.reasons() {
        if !sources.iter().any(|s| s.says(reason)) {
            wrong.push(format!("{who}: {reason} is nowhere in the code"));
        }
        for id in requirements {
            // In its own file, in the one that this is a part of, or by who asked about a number.
            let is_cited = sources.iter().filter(|s| s.says(reason)).any(|s| {
                let judges_numbers = s.is_about_numbers();
                let mut citing = sources.iter().filter(|c| c.says(id));
                citing.any(|c| judges_numbers || s.is_of(c))
            });
            if !is_cited {
                wrong.push(format!("{who}: {reason} does not cite {id}"));
            }
        }
    }
    wrong
}

#[test]
fn the_page_says_what_the_contracts_say() {
    let path = root().join("docs/api.md");
    let page = page::write(&Contract::compile());
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, &page).expect("written");
    }
    let was = fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(was.lines()).find(|(is, was)| is != was);
    assert!(
        page == was,
        "docs/api.md is not what the contracts say: run `make api` and commit it. First difference: {differs:?}"
    );
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    let page = page::write(&Contract::compile());
    let headings = page
        .lines()
        .filter_map(|l| l.trim_start_matches('#').strip_prefix(' '));
    let mut places: BTreeSet<String> = headings
        .map(|h| h.to_lowercase().replace(' ', "-"))
        .collect();
    let anchors = page.split("<a id=\"").skip(1);
    places.extend(anchors.filter_map(|a| Some(a.split_once('"')?.0.to_owned())));
    let links = page.split("](#").skip(1);
    let links: BTreeSet<&str> = links.filter_map(|l| Some(l.split_once(')')?.0)).collect();
    assert!(links.len() > 200, "{} places are linked", links.len());
    let broken: Vec<_> = links.iter().filter(|l| !places.contains(**l)).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn every_method_says_what_it_refuses() {
    let contract = Contract::compile();
    let all: Vec<_> = contract.methods().collect();
    assert!(all.len() > 100, "{} methods were found", all.len());
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|method| {
            let why = of_method(&contract, method).err()?;
            Some(format!("{}: {why}", method.full_name()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(common(&contract).expect("a list").reasons().count() > 20);
}

#[test]
fn every_reason_that_is_listed_is_in_the_code_with_its_requirement() {
    let contract = Contract::compile();
    let sources = code::read(&root());
    let all: Vec<&Source> = sources.iter().collect();
    let everywhere = common(&contract).expect("what every method refuses");
    let mut count = everywhere.reasons().count();
    let mut wrong = not_given("every method", &everywhere, &all);
    for (service, refusals) in listed(&contract) {
        let near: Vec<&Source> = sources.iter().filter(|s| s.is_seen_by(&service)).collect();
        count += refusals.reasons().count();
        wrong.extend(not_given(&service, &refusals, &near));
    }
    assert!(count > 200, "{count} reasons are listed");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_refusal_in_the_code_is_listed() {
    let contract = Contract::compile();
    let mut listed = listed(&contract);
    for refusals in listed.values_mut() {
        refusals.add(common(&contract).expect("what every method refuses"));
    }
    let mut wrong = BTreeSet::new();
    let mut count = 0;
    for source in code::read(&root()) {
        for (reason, id) in source.refusals() {
            count += 1;
            let mut near = listed
                .iter()
                .filter(|(service, _)| source.is_seen_by(service))
                .map(|(_, refusals)| refusals);
            if !OF_NO_METHOD.contains(&reason) && !near.any(|refusals| refusals.has(reason, id)) {
                wrong.insert(format!("{}: {reason} ({id})", source.path));
            }
        }
    }
    assert!(count > 150, "{count} refusals were found in the code");
    assert!(
        wrong.is_empty(),
        "no method lists these: complete `Refuses:` in the .proto file.\n{}",
        wrong.into_iter().collect::<Vec<_>>().join("\n")
    );
}
