//! Checkpoints in exports (BX-6): the Merkle tree, what a verification finds by them, and a second verifier that agrees.

mod district;
mod find;
mod merkle;
mod python;
mod tamper;
