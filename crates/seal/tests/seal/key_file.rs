use std::fs;

use bangban_seal::{Error, Keyring};

use crate::{KEY_PLACE, keyring};

#[test]
fn a_key_file_is_never_overwritten() {
    let (folder, keyring) = keyring();
    let path = folder.path().join("keys.json");
    assert!(matches!(Keyring::create(&path), Err(Error::Exists { .. })));
    assert_eq!(
        Keyring::load_or_create(&path).unwrap().active_kek_id(),
        keyring.active_kek_id()
    );
}

#[test]
fn processes_that_start_at_once_share_one_ring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let ids: Vec<String> = std::thread::scope(|scope| {
        let open = || {
            Keyring::load_or_create(&path)
                .unwrap()
                .active_kek_id()
                .to_owned()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[test]
fn nothing_temporary_stays() {
    let (folder, mut keyring) = keyring();
    keyring.rotate().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["keys.json", "keys.json.lock"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_have_access() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, mut keyring) = keyring();
    let path = folder.path().join("keys.json");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o600);
    keyring.rotate().unwrap();
    assert_eq!(mode(), 0o600);
    for (mode, is_fine) in [
        (0o400, true),
        (0o640, false),
        (0o604, false),
        (0o620, false),
        (0o601, false),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        match Keyring::open(&path) {
            Ok(_) => assert!(is_fine, "{mode:o}"),
            Err(error @ Error::NotOwnerOnly { .. }) => {
                assert!(!is_fine, "{mode:o}");
                assert!(
                    error.to_string().contains(&format!("{mode:04o}"))
                        && error.to_string().contains("chmod 600")
                );
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_ring_from_json_opens_and_does_not_rotate() {
    let (folder, keyring) = keyring();
    let json = fs::read(folder.path().join("keys.json")).unwrap();
    let mut same = Keyring::from_json(&json).unwrap();
    assert!(
        same.unwrap(
            &keyring.wrap(&keyring.new_subject_key(), &KEY_PLACE),
            &KEY_PLACE
        )
        .is_ok()
    );
    assert!(matches!(same.rotate(), Err(Error::NoFile)));
}

#[test]
fn a_file_that_is_none_is_refused_without_being_quoted() {
    let (folder, keyring) = keyring();
    let json = fs::read_to_string(folder.path().join("keys.json")).unwrap();
    let id = keyring.active_kek_id();
    for (from, to) in [
        ("bangban-keyring", "other"),
        ("\"version\": 1", "\"version\": 2"),
        ("\"secret\": \"", "\"secret\": \"A"),
        ("\"secret\": \"", "\"secret\": 7, \"x\": \""),
        (&format!("\"active\": \"{id}\""), "\"active\": \"none\""),
        (&format!("\"id\": \"{id}\""), "\"id\": \"a b\""),
    ] {
        assert!(json.contains(from), "{from}");
        let error = Keyring::from_json(json.replace(from, to).as_bytes()).unwrap_err();
        assert!(matches!(error, Error::NotAKeyFile(_)), "{error}");
    }
    let error = Keyring::from_json(b"\"hunter2\"").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(matches!(
        Keyring::open(folder.path().join("none")),
        Err(Error::Io { .. })
    ));
}
