use bangban_seal::{Salt, commitment};

use crate::{IDENTITY_NUMBER, keyring};

#[test]
fn equal_values_of_one_field_and_district_are_found() {
    let (_folder, keyring) = keyring();
    let index = keyring.blind_index("shu-he", "identity_number", IDENTITY_NUMBER);
    assert_eq!(
        index,
        keyring.blind_index("shu-he", "identity_number", IDENTITY_NUMBER)
    );
    assert_ne!(
        index,
        keyring.blind_index("other", "identity_number", IDENTITY_NUMBER)
    );
    assert_ne!(
        index,
        keyring.blind_index("shu-he", "telephone", IDENTITY_NUMBER)
    );
    assert_ne!(
        index,
        keyring.blind_index("shu-h", "eidentity_number", IDENTITY_NUMBER)
    );
    assert_ne!(
        index,
        keyring.blind_index("shu-he", "identity_number", "110105194912310021")
    );
}

#[test]
fn an_index_says_which_key_made_it_and_is_short() {
    let (_folder, keyring) = keyring();
    let index = keyring.blind_index("shu-he", "telephone", "13800000000");
    let (id, digest) = index.split_once('.').unwrap();
    assert_eq!(id, keyring.active_index_id());
    assert_eq!(digest.len(), 22);
}

#[test]
fn a_row_that_was_indexed_before_a_rotation_is_found_after_it() {
    let (_folder, mut keyring) = keyring();
    let find =
        |ring: &bangban_seal::Keyring| ring.blind_index("shu-he", "telephone", "13800000000");
    let before = find(&keyring);
    keyring.rotate_index().unwrap();
    let after = find(&keyring);
    assert_ne!(before, after);
    assert_eq!(
        keyring.blind_indexes("shu-he", "telephone", "13800000000"),
        [after, before]
    );
}

#[test]
fn a_commitment_needs_its_salt() {
    let (one, other) = (Salt::random(), Salt::random());
    let committed = commitment(&one, IDENTITY_NUMBER.as_bytes());
    assert_eq!(
        committed,
        commitment(
            &Salt::from_bytes(*one.as_bytes()),
            IDENTITY_NUMBER.as_bytes()
        )
    );
    assert_ne!(committed, commitment(&other, IDENTITY_NUMBER.as_bytes()));
    assert_ne!(committed, commitment(&one, b"110105194912310021"));
}
