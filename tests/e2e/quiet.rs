//! Worlds of which one story at a time makes use, so that what it does not write can be counted.

use std::future::Future;

use bangban::token::Signer;
use bangban_kit::config::Config;
use bangban_tests::{Database, World, block_on};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

static SQLITE: OnceCell<World> = OnceCell::const_new();
static POSTGRES: OnceCell<World> = OnceCell::const_new();
static TURN: Mutex<()> = Mutex::const_new(());

/// A token of the agent of the walk that ended in 2026, by a key whose public half is [`EXPIRED_KEY`].
pub const EXPIRED: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6ImV4cGlyZWQifQ.eyJpc3MiOiJodHRwczovL2JhbmdiYW4uaW52YWxpZC9vd24taXNzdWVyIiwiYXVkIjoiYmFuZ2JhbiIsInN1YiI6Imh1LXl1bGlhbiIsImlhdCI6MTc2NzIyNTYwMCwiZXhwIjoxNzY3MjI5MjAwLCJyb2xlcyI6WyJhZ2VudCJdLCJyZWdpb24iOiI0MjA1MjcxMDYyMDYiLCJzaXRlIjoieWFuZGVuZ2Jhby12aWxsYWdlLXN0YXRpb24ifQ.661D0s9fgNSMWqLJYECiyQnCKWWBIfG3JzA6j_OoeGVlHp3uesZRdYV2g9aLiVhDp8jtJy-3gx4Wep_3igIVCQ";

/// The public half. The private one was thrown away.
const EXPIRED_KEY: &str = "ewYwFIlst3iE3BztTEyVW5AEF7xyvRqkXXLtTty558w";

/// Believes the key of [`EXPIRED`] beside its own.
fn believing(config: &mut Config) {
    Signer::open(config).expect("keys");
    let path = config.jwks();
    let text = std::fs::read_to_string(&path).expect("a key set");
    let mut set: Value = serde_json::from_str(&text).expect("JSON");
    set["keys"].as_array_mut().expect("keys").push(json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "expired", "x": EXPIRED_KEY,
    }));
    std::fs::write(&path, set.to_string()).expect("written");
}

/// Runs a story on each database while no other one runs there.
pub fn on_both_quietly<F>(story: impl Fn(&'static World) -> F)
where
    F: Future<Output = ()>,
{
    block_on(async {
        let _turn = TURN.lock().await;
        for (database, cell) in [
            (Some(Database::Sqlite), &SQLITE),
            (Database::postgres(), &POSTGRES),
        ] {
            let Some(database) = database else { continue };
            let world = cell
                .get_or_init(|| async { World::open_with(&database, believing).await })
                .await;
            story(world).await;
        }
    });
}
