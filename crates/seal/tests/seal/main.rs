//! Sealing: what was sealed opens in its place under its key, and nowhere else.

mod envelope;
mod finding;
mod key_file;
mod rotation;
mod secrecy;
mod vectors;

use bangban_seal::{Aad, Keyring};
use tempfile::TempDir;

const IDENTITY_NUMBER: &str = "11010519491231002X";

const PLACE: Aad<'static> = Aad {
    district: "shu-he",
    table: "applicant",
    row: "0193",
    field: "identity_number",
};
const KEY_PLACE: Aad<'static> = Aad {
    district: "shu-he",
    table: "subject_key",
    row: "0193",
    field: "wrapped",
};

fn keyring() -> (TempDir, Keyring) {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::create(folder.path().join("keys.json")).unwrap();
    (folder, keyring)
}

/// Every place that differs from this one in one part.
fn elsewhere(place: Aad<'static>) -> [Aad<'static>; 5] {
    [
        Aad {
            district: "other",
            ..place
        },
        Aad {
            table: "other",
            ..place
        },
        Aad {
            row: "0194",
            ..place
        },
        Aad {
            field: "other",
            ..place
        },
        // The same bytes, parted otherwise.
        Aad {
            district: "shu-hea",
            table: &place.table[1..],
            ..place
        },
    ]
}
