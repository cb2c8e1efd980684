use bangban_seal::{AES_256_GCM, Error, SM4_GCM};
use proptest::prelude::*;

use crate::{IDENTITY_NUMBER, KEY_PLACE, PLACE, elsewhere, keyring};

#[test]
fn a_sealed_value_opens_in_its_place() {
    let (_folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    let wrapped = keyring.wrap(&key, &KEY_PLACE);
    let sealed = key.seal(IDENTITY_NUMBER.as_bytes(), &PLACE);
    assert_eq!(sealed[0], AES_256_GCM);
    assert_eq!(sealed.len(), IDENTITY_NUMBER.len() + 29);
    let again = keyring.unwrap(&wrapped, &KEY_PLACE).unwrap();
    assert_eq!(
        again.open(&sealed, &PLACE).unwrap().as_str().unwrap(),
        IDENTITY_NUMBER
    );
}

#[test]
fn a_sealed_value_opens_nowhere_else() {
    let (_folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    let sealed = key.seal(IDENTITY_NUMBER.as_bytes(), &PLACE);
    for place in elsewhere(PLACE) {
        assert!(
            matches!(key.open(&sealed, &place), Err(Error::DoesNotOpen)),
            "{place:?}"
        );
    }
    let wrapped = keyring.wrap(&key, &KEY_PLACE);
    for place in elsewhere(KEY_PLACE) {
        assert!(
            matches!(keyring.unwrap(&wrapped, &place), Err(Error::DoesNotOpen)),
            "{place:?}"
        );
    }
}

#[test]
fn another_persons_key_opens_nothing() {
    let (_folder, keyring) = keyring();
    let sealed = keyring.new_subject_key().seal(b"x", &PLACE);
    assert!(matches!(
        keyring.new_subject_key().open(&sealed, &PLACE),
        Err(Error::DoesNotOpen)
    ));
}

#[test]
fn another_installations_ring_knows_no_such_key() {
    let ((_one, ours), (_other, theirs)) = (keyring(), keyring());
    let wrapped = ours.wrap(&ours.new_subject_key(), &KEY_PLACE);
    let Err(Error::UnknownKey { id }) = theirs.unwrap(&wrapped, &KEY_PLACE) else {
        panic!()
    };
    assert_eq!(id, ours.active_kek_id());
}

#[test]
fn no_cut_and_no_flipped_bit_opens() {
    let (_folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    let sealed = key.seal(b"secret", &PLACE);
    let wrapped = keyring.wrap(&key, &KEY_PLACE);
    for length in 0..sealed.len() {
        assert!(key.open(&sealed[..length], &PLACE).is_err());
    }
    for length in 0..wrapped.len() {
        assert!(keyring.unwrap(&wrapped[..length], &KEY_PLACE).is_err());
    }
    for bit in 0..8 * sealed.len() {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open(&flipped, &PLACE).is_err(), "bit {bit}");
    }
    for bit in 0..8 * wrapped.len() {
        let mut flipped = wrapped.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(keyring.unwrap(&flipped, &KEY_PLACE).is_err(), "bit {bit}");
    }
}

#[test]
fn a_suite_that_is_not_there_is_named() {
    let (_folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    let mut sealed = key.seal(b"x", &PLACE);
    sealed[0] = SM4_GCM;
    assert!(matches!(
        key.open(&sealed, &PLACE),
        Err(Error::UnknownSuite(SM4_GCM))
    ));
    assert!(matches!(key.open(&[], &PLACE), Err(Error::Malformed)));
}

#[test]
fn the_same_value_is_never_sealed_alike_twice() {
    let (_folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    assert_ne!(key.seal(b"x", &PLACE), key.seal(b"x", &PLACE));
    assert_ne!(
        keyring.wrap(&key, &KEY_PLACE),
        keyring.wrap(&key, &KEY_PLACE)
    );
}

#[test]
fn a_value_that_is_not_text_opens_as_bytes() {
    let (_folder, keyring) = keyring();
    let key = keyring.new_subject_key();
    let opened = key.open(&key.seal(&[0xFF], &PLACE), &PLACE).unwrap();
    assert_eq!(*opened, [0xFF]);
    assert!(matches!(opened.as_str(), Err(Error::NotText)));
}

proptest! {
    #[test]
    fn every_value_comes_back(plain in prop::collection::vec(any::<u8>(), 0..300), row in ".{0,20}") {
        let (_folder, keyring) = keyring();
        let key = keyring.new_subject_key();
        let place = bangban_seal::Aad { row: &row, ..PLACE };
        prop_assert_eq!(&*key.open(&key.seal(&plain, &place), &place).unwrap(), &*plain);
    }

    #[test]
    fn no_input_makes_it_panic(input in prop::collection::vec(any::<u8>(), 0..100)) {
        let (_folder, keyring) = keyring();
        prop_assert!(keyring.unwrap(&input, &KEY_PLACE).is_err());
        prop_assert!(keyring.new_subject_key().open(&input, &PLACE).is_err());
    }
}
