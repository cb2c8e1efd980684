//! Keys of one use by id: one is active, the others serve what was made before.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use crate::{Error, random};

const MAX_ID_BYTES: usize = 32;
/// Random ids of 48 bits: keys of two installations do not meet under one name.
const ID_BYTES: usize = 6;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ring {
    pub active: String,
    pub keys: Vec<Key>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub id: String,
    pub secret: Secret,
}

impl Ring {
    pub fn new() -> Self {
        let mut ring = Self {
            active: String::new(),
            keys: Vec::new(),
        };
        ring.rotate();
        ring
    }

    /// Adds a new active key.
    pub fn rotate(&mut self) {
        let mut bytes = [0; ID_BYTES];
        random::fill(&mut bytes);
        let id = URL_SAFE_NO_PAD.encode(bytes);
        if self.get(&id).is_some() {
            return self.rotate();
        }
        self.keys.push(Key {
            id: id.clone(),
            secret: Secret::random(),
        });
        self.active = id;
    }

    pub fn get(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The active key; [`check`](Self::check) has seen it.
    pub fn active(&self) -> &Key {
        self.get(&self.active).expect("a ring has its active key")
    }

    pub fn check(&self) -> Result<(), Error> {
        if !self.keys.iter().all(|key| is_id(&key.id)) {
            return Err(Error::NotAKeyFile(
                "an id is not 1 to 32 letters, digits, - or _",
            ));
        }
        if self
            .keys
            .iter()
            .enumerate()
            .any(|(at, key)| self.keys[..at].iter().any(|other| other.id == key.id))
        {
            return Err(Error::NotAKeyFile("two keys share an id"));
        }
        if self.get(&self.active).is_none() {
            return Err(Error::NotAKeyFile("the active key is missing"));
        }
        Ok(())
    }
}

pub(crate) fn is_id(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
