//! The contracts of bangban: everything here is generated from the `.proto` files, which are the place to read.
//!
//! Beside types, clients and servers there are [`METHODS`], what every method declares about its callers;
//! [`Head`], the fields that requests share by name; and [`codec::ValidatingCodec`], which refuses a request that
//! breaks a field rule before any handler sees it.

pub mod codec;

include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
include!(concat!(env!("OUT_DIR"), "/validate_impl.rs"));
include!(concat!(env!("OUT_DIR"), "/heads.rs"));

/// Descriptors of all contracts, for reflection and dynamic clients.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// What a method declares about itself.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// Any one of these roles is enough: numbers of `bangban.options.v1.Role`.
    pub roles: &'static [i32],
    /// Number of `bangban.options.v1.Scope`.
    pub scope: i32,
    /// No token is needed.
    pub is_public: bool,
    /// Has no side effects. The others are idempotent, by the request id that their requests carry or for a reason that the
    /// build knows: a method that may not be repeated does not compile.
    pub is_read: bool,
    /// Answers a stream of messages.
    pub is_stream: bool,
    /// A command that begins something: its request names neither a case nor an etag.
    pub is_beginning: bool,
}

impl Method {
    /// What the contracts say of the method at this path; nothing when it is in none.
    #[must_use]
    pub fn at(path: &str) -> Option<&'static Self> {
        let found = METHODS.binary_search_by(|method| method.path.cmp(path));
        found.ok().map(|at| &METHODS[at])
    }
}

/// Every method of every contract, by path.
pub const METHODS: &[Method] = include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// Fields that requests share by name. A request without one answers the empty text.
pub trait Head {
    /// Name of the message: with district and caller the scope of a request id.
    const NAME: &'static str;
    /// The district's id.
    fn district(&self) -> &str {
        ""
    }
    /// UUID of the request, for commands.
    fn request_id(&self) -> &str {
        ""
    }
    /// The etag that the caller has read.
    fn etag(&self) -> &str {
        ""
    }
    /// The position that the server must have seen.
    fn after(&self) -> &str {
        ""
    }
    /// The case that is meant.
    fn case(&self) -> &str {
        ""
    }
    /// The consultation that is meant.
    fn consultation(&self) -> &str {
        ""
    }
    /// The appointment that is meant.
    fn booking(&self) -> &str {
        ""
    }
}

/// A message that the codec checks after decoding: requests by their field rules, answers not at all.
pub trait Checked {
    /// Checks the field rules of the contract.
    ///
    /// # Errors
    /// Every violation, with the path of its field.
    fn check(&self) -> Result<(), prost_protovalidate::ValidationError> {
        Ok(())
    }
}
