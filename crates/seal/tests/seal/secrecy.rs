use std::fs;

use bangban_seal::Salt;

use crate::{IDENTITY_NUMBER, KEY_PLACE, PLACE, elsewhere, keyring};

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn what_goes_to_the_database_holds_no_plain_value() {
    let (_folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    let plain = IDENTITY_NUMBER.as_bytes();
    for part in plain.windows(6) {
        assert!(!holds(&key.seal(plain, &PLACE), part));
        assert!(!holds(
            keyring
                .blind_index("shu-he", "identity_number", IDENTITY_NUMBER)
                .as_bytes(),
            part
        ));
        assert!(!holds(
            &bangban_seal::commitment(&Salt::random(), plain),
            part
        ));
    }
}

#[test]
fn debug_and_errors_show_no_secret() {
    let (folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    let sealed = key.seal(IDENTITY_NUMBER.as_bytes(), &PLACE);
    let opened = key.open(&sealed, &PLACE).unwrap();
    let wrong = key.open(&sealed, &elsewhere(PLACE)[0]).unwrap_err();
    let refused = keyring.unwrap(&sealed, &KEY_PLACE).unwrap_err();
    let salt = Salt::from_bytes(*b"salt-salt-salt-s");
    let shown = format!(
        "{keyring:?} {keyring:#?} {key:?} {opened:?} {salt:?} {wrong:?} {wrong} {refused:?} {refused}"
    );

    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("keys.json")).unwrap()).unwrap();
    for ring in ["wrapping", "indexing"] {
        let secret = file[ring]["keys"][0]["secret"].as_str().unwrap();
        assert_eq!(secret.len(), 44);
        assert!(!shown.contains(&secret[..8]));
    }
    // Bytes of a key or salt would be shown as a list of numbers.
    assert!(
        !shown.contains(IDENTITY_NUMBER) && !shown.contains("115, 97") && !shown.contains("salt-")
    );
    assert!(
        shown.contains(keyring.active_kek_id()) && shown.contains("SubjectKey(…)"),
        "{shown}"
    );
}
