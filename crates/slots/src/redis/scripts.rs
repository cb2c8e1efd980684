//! The scripts as one server under one generation has them.
//!
//! Both are part of their text, so that their hashes differ for each admission: a server that was not admitted under the
//! generation that stands does not know them, and says so (NOSCRIPT). Redis 7 neither replicates nor persists scripts.

use redis::Script;

use crate::value::layout;

/// What can be called.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    Pick,
    Settle,
    FreeUp,
    Freed,
    Begin,
    Finish,
    Mend,
}

const TEXTS: [&str; 7] = [
    include_str!("pick.lua"),
    include_str!("settle.lua"),
    include_str!("free_up.lua"),
    include_str!("freed.lua"),
    include_str!("begin.lua"),
    include_str!("finish.lua"),
    include_str!("mend.lua"),
];

#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) generation: i64,
    texts: [String; 7],
    hashes: [String; 7],
}

impl Scripts {
    /// For the server with this replication id.
    pub(super) fn new(generation: i64, replication_id: &str) -> Self {
        let prelude = prelude(generation, replication_id);
        let texts = TEXTS.map(|text| format!("{prelude}{text}"));
        let hashes = texts
            .each_ref()
            .map(|text| Script::new(text).get_hash().to_owned());
        Self {
            generation,
            texts,
            hashes,
        }
    }

    pub(super) fn hash(&self, op: Op) -> &str {
        &self.hashes[op as usize]
    }

    pub(super) fn hashes(&self) -> &[String] {
        &self.hashes
    }

    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }
}

fn prelude(generation: i64, replication_id: &str) -> String {
    let quoted =
        |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("\\{byte:03}")).collect() };
    format!(
        "local GENERATION = '{}'\n\
         local SERVER = '{replication_id}'\n\
         local GENERATION_AT, TOKEN_AT, PHASE_AT, TICKET_AT = {}, {}, {}, {}\n\
         local RELEASES_AT, SLOT_COUNT_AT, SLOTS_AT = {}, {}, {}\n\
         local REBUILDING, FREE, TAKEN, LEAVING, TICKET_FROM = '{}', '{}', '{}', '{}', {}\n\
         {}",
        quoted(&generation.to_be_bytes()),
        layout::GENERATION + 1,
        layout::TOKEN + 1,
        layout::PHASE + 1,
        layout::TICKET + 1,
        layout::RELEASES + 1,
        layout::SLOT_COUNT + 1,
        layout::SLOTS + 1,
        quoted(&[layout::REBUILDING]),
        quoted(&layout::FREE),
        quoted(&layout::TAKEN),
        quoted(&layout::LEAVING),
        layout::TICKET_FROM,
        include_str!("prelude.lua"),
    )
}

// The scripts count with these widths.
const _: () = assert!(layout::SLOT_BYTES == 4 && layout::SEAT_BYTES == 2);
