//! What comes in from outside and is wrong: each is refused with a stable reason and a sentence in both languages.

mod configuration;
mod contexts;
mod headers;
mod keys;
mod pages;
mod setting;
mod tokens;
