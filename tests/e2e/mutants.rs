//! The patches of `make mutants` fit the tree. That the tests of booking fail with them takes minutes, and is shown by it.

use std::{path::Path, process::Command};

#[test]
fn every_mutant_applies_and_says_what_it_takes_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("tests/mutants");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the patches") {
        let path = entry.expect("a patch").path();
        let text = std::fs::read_to_string(&path).expect("a patch");
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("Takes out "),
            "{}: {first}",
            path.display()
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
