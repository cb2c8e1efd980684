//! Values made with Python's `cryptography`, `hmac` and `hashlib` from the layouts that the documentation gives: what is
//! in a database today opens in every later version.

use bangban_seal::{Keyring, Salt, commitment};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{IDENTITY_NUMBER, KEY_PLACE, PLACE};

const KEYS: &str = r#"{
    "format": "bangban-keyring", "version": 1,
    "wrapping": { "active": "kek-1", "keys": [{ "id": "kek-1", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }] },
    "indexing": { "active": "index-1", "keys": [{ "id": "index-1", "secret": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=" }] }
}"#;
const WRAPPED: &str =
    "AQVrZWstMQABAgMEBQYHCAkKCwdDlFiBoIRcxQjdwP2kNiLTh9VnpC4JK2A+v95BNF7tqE9MJFPVQYi73suU18Pkjw==";
const SEALED: &str = "AQwNDg8QERITFBUWF/RDTuAIuMJmXQJ/fDvTuxnuRb1QRuyv/TXrPNg8mGwOlaU=";
const INDEX: &str = "index-1.g9RJot_DzaAfOUnGp118-g";
const COMMITMENT: &str = "4UjSZ9Ri3cajdC/Q0evWmIJWtrSFlU5lSSNnRZ3Zrw8=";

#[test]
fn an_independent_implementation_agrees() {
    let keyring = Keyring::from_json(KEYS.as_bytes()).unwrap();
    let key = keyring
        .unwrap(&STANDARD.decode(WRAPPED).unwrap(), &KEY_PLACE)
        .unwrap();
    let opened = key.open(&STANDARD.decode(SEALED).unwrap(), &PLACE).unwrap();
    assert_eq!(opened.as_str().unwrap(), IDENTITY_NUMBER);
    assert_eq!(
        keyring.blind_index("shu-he", "identity_number", IDENTITY_NUMBER),
        INDEX
    );
    let salt = Salt::from_bytes(std::array::from_fn(|at| at as u8));
    assert_eq!(
        STANDARD.encode(commitment(&salt, IDENTITY_NUMBER.as_bytes())),
        COMMITMENT
    );
}
