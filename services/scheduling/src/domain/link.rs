//! Links that move or cancel an appointment without a login, for whoever holds the message that carries them.
//!
//! A link names its district, its booking, what it does, until when, and the booking's sequence. What moves or cancels
//! a booking raises its sequence, so a link works once, and an older one than the newest not at all. It is text for a
//! URL: `KEY.PAYLOAD.CODE`, where KEY is the id of the key, PAYLOAD a message and CODE the first 128 bits of HMAC-SHA256
//! (RFC 2104) over both; the last two in base64url (RFC 4648). It names no person and no item.

mod keys;

use bangban_kit::refusal::{Kind, Refusal};
use bangban_proto::bangban::scheduling::v1::LinkPurpose;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use prost::Message as _;

pub use keys::Keys;

/// Longest link that is looked at, in bytes: none of ours is longer.
const MAX_BYTES: usize = 512;

/// What a link says. Its numbers are part of every link that is out: they are never used for anything else.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Link {
    /// The district's id.
    #[prost(string, tag = "1")]
    pub district: String,
    /// The booking's id.
    #[prost(string, tag = "2")]
    pub booking: String,
    /// The booking's sequence when the link was made.
    #[prost(uint32, tag = "3")]
    pub sequence: u32,
    /// Ends at, in seconds since the epoch; at the instant itself it has ended.
    #[prost(int64, tag = "4")]
    pub expires_at: i64,
    /// What it does.
    #[prost(enumeration = "LinkPurpose", tag = "5")]
    pub purpose: i32,
}

impl Link {
    /// The text of the link, signed by the key that is active.
    #[must_use]
    pub fn signed(&self, keys: &Keys) -> String {
        let payload = self.encode_to_vec();
        let (id, code) = keys.sign(&payload);
        format!(
            "{id}.{}.{}",
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(code)
        )
    }

    /// What a link says that is ours and has not ended.
    ///
    /// # Errors
    /// LINK_INVALID for what no key of ours has signed, LINK_EXPIRED (BB-9.2b).
    pub fn open(text: &str, keys: &Keys, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let link = Self::verified(text, keys).ok_or_else(forged)?;
        if now.timestamp() >= link.expires_at {
            return Err(unusable(
                "LINK_EXPIRED",
                "链接已过期；请致电服务站点，或登录后办理改期、取消",
                "the link has expired: telephone the site, or sign in to move or cancel",
            ));
        }
        Ok(link)
    }

    fn verified(text: &str, keys: &Keys) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let (id, rest) = text.split_once('.')?;
        let (payload, code) = rest.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        if !keys.has_signed(id, &payload, &code) {
            return None;
        }
        Self::decode(payload.as_slice()).ok()
    }

    /// Whether the link is made for this.
    ///
    /// # Errors
    /// LINK_INVALID (BB-9.2b).
    pub fn is_for(&self, purpose: LinkPurpose) -> Result<(), Refusal> {
        if self.purpose() == purpose && purpose != LinkPurpose::Unspecified {
            return Ok(());
        }
        Err(unusable(
            "LINK_INVALID",
            "此链接不能用于该操作；请使用消息中的另一个链接",
            "the link is not made for this: use the other one in the message",
        ))
    }

    /// Whether the booking, whose sequence is `sequence` by now, is still as it was when the link was made.
    ///
    /// # Errors
    /// LINK_USED once the booking was moved or cancelled, by this link or otherwise (BB-9.2b).
    pub fn is_fresh(&self, sequence: u32) -> Result<(), Refusal> {
        if self.sequence != sequence {
            return Err(Refusal::precondition(
                "LINK_USED",
                "BB-9.2b",
                "链接已使用或已被新的链接取代；请使用最近一条消息中的链接",
                "the link was used, or another has taken its place: use the one in the newest message",
            )
            .field("link", "used or superseded"));
        }
        Ok(())
    }
}

fn unusable(reason: &'static str, zh: &str, en: &str) -> Refusal {
    Refusal::new(Kind::Forbidden, reason, "BB-9.2b", zh, en).field("link", "cannot be used")
}

fn forged() -> Refusal {
    unusable(
        "LINK_INVALID",
        "链接无效或不完整；请从原消息中重新打开，或致电服务站点",
        "this is none of our links, or not the whole of it: open it again from the message, or telephone the site",
    )
}

#[cfg(test)]
mod tests;
