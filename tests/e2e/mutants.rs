//! The patches of `make mutants` fit the tree. That the tests of booking fail with them takes minutes, and is shown by it.

use std::{path::Path, process::Command};

#[test]
fn every_mutant_applies_and_says_what_it_takes_out_and_what_must_fail() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("tests/mutants");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the patches") {
        let path = entry.expect("a patch").path();
        let text = std::fs::read_to_string(&path).expect("a patch");
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        assert!(
            first.starts_with("Takes out "),
            "{}: {first}",
            path.display()
        );
        let killer = lines.next().unwrap_or_default();
        let killer = killer.strip_prefix("Killed by ");
        let killer = killer.and_then(|killer| killer.split_once(": "));
        let (test, words) = killer.expect("the test that must fail, and what it says");
        assert!(!words.is_empty(), "{}", path.display());
        let (module, name) = test.rsplit_once("::").expect("a test in a module");
        let file = format!(
            "services/scheduling/tests/scheduling/{}.rs",
            module.replace("::", "/")
        );
        let tests = std::fs::read_to_string(root.join(file)).expect("the module");
        assert!(
            tests.contains(&format!("async fn {name}(")),
            "{test} is not there"
        );
        let applied = Command::new("git")
            .args(["apply", "--check"])
            .arg(&path)
            .current_dir(&root)
            .output()
            .expect("git");
        let said = String::from_utf8_lossy(&applied.stderr);
        assert!(applied.status.success(), "{}: {said}", path.display());
        count += 1;
    }
    assert!(count >= 4, "{count} mutants");
}
