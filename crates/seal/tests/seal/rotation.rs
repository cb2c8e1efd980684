use bangban_seal::{Error, Keyring, kek_id};

use crate::{KEY_PLACE, PLACE, keyring};

#[test]
fn what_was_wrapped_before_a_rotation_opens_after_it() {
    let (folder, mut keyring) = keyring();
    let path = folder.path().join("keys.json");
    let key = keyring.new_subject_key();
    let sealed = key.seal(b"x", &PLACE);
    let old = keyring.wrap(&key, &KEY_PLACE);
    let old_id = keyring.active_kek_id().to_owned();
    keyring.rotate().unwrap();
    assert_ne!(keyring.active_kek_id(), old_id);

    let opened = Keyring::open(path).unwrap();
    assert_eq!(opened.active_kek_id(), keyring.active_kek_id());
    for ring in [&keyring, &opened] {
        assert_eq!(
            *ring
                .unwrap(&old, &KEY_PLACE)
                .unwrap()
                .open(&sealed, &PLACE)
                .unwrap(),
            *b"x"
        );
    }
}

#[test]
fn a_rewrapped_key_is_the_same_key_under_the_active_one() {
    let (_folder, mut keyring) = keyring();
    let key = keyring.new_subject_key();
    let sealed = key.seal(b"x", &PLACE);
    let old = keyring.wrap(&key, &KEY_PLACE);
    assert_eq!(kek_id(&old).unwrap(), keyring.active_kek_id());
    keyring.rotate().unwrap();
    assert_ne!(kek_id(&old).unwrap(), keyring.active_kek_id());
    let new = keyring.rewrap(&old, &KEY_PLACE).unwrap();
    assert_eq!(kek_id(&new).unwrap(), keyring.active_kek_id());
    assert_eq!(
        *keyring
            .unwrap(&new, &KEY_PLACE)
            .unwrap()
            .open(&sealed, &PLACE)
            .unwrap(),
        *b"x"
    );
    assert!(matches!(
        keyring.rewrap(&old, &PLACE),
        Err(Error::DoesNotOpen)
    ));
}

#[test]
fn a_process_that_has_not_seen_a_rotation_opens_the_file_again() {
    let (folder, mut keyring) = keyring();
    let path = folder.path().join("keys.json");
    let stale = Keyring::open(&path).unwrap();
    keyring.rotate().unwrap();
    let wrapped = keyring.wrap(&keyring.new_subject_key(), &KEY_PLACE);
    assert!(matches!(
        stale.unwrap(&wrapped, &KEY_PLACE),
        Err(Error::UnknownKey { .. })
    ));
    assert!(
        Keyring::open(&path)
            .unwrap()
            .unwrap(&wrapped, &KEY_PLACE)
            .is_ok()
    );
}

#[test]
fn rotations_at_once_lose_no_key() {
    let (folder, first) = keyring();
    let path = folder.path().join("keys.json");
    let wrapped = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut ring = Keyring::open(&path).unwrap();
                    ring.rotate().unwrap();
                    ring.wrap(&ring.new_subject_key(), &KEY_PLACE)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    let ring = Keyring::open(&path).unwrap();
    for wrapped in wrapped
        .iter()
        .chain([&first.wrap(&first.new_subject_key(), &KEY_PLACE)])
    {
        assert!(ring.unwrap(wrapped, &KEY_PLACE).is_ok());
    }
}

#[test]
fn a_rotation_that_cannot_be_saved_changes_nothing() {
    let (folder, mut keyring) = keyring();
    let id = keyring.active_kek_id().to_owned();
    folder.close().unwrap();
    assert!(matches!(keyring.rotate(), Err(Error::Io { .. })));
    assert_eq!(keyring.active_kek_id(), id);
}
