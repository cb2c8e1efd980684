//! What is kept of a request, so that it can be sent again.

use http::Request;
use tonic::body::Body;

use super::body::{Outgoing, Whole};

/// What is kept of a request to send it again.
pub(super) enum Payload {
    Whole(Whole),
    /// Can be sent once.
    Through(Whole, Body),
    /// Has been sent.
    Spent,
}

impl Payload {
    pub(super) fn take(&mut self) -> Outgoing {
        match std::mem::replace(self, Self::Spent) {
            Self::Whole(whole) => {
                *self = Self::Whole(whole.clone());
                Outgoing::Whole(whole)
            }
            Self::Through(whole, body) => Outgoing::Through(whole, body),
            Self::Spent => Outgoing::Whole(Whole::default()),
        }
    }

    /// Takes back what the connection did not take.
    pub(super) fn restore(&mut self, unsent: Option<Request<Outgoing>>) {
        if let (Self::Spent, Some(Outgoing::Through(whole, body))) =
            (&*self, unsent.map(Request::into_body))
        {
            *self = Self::Through(whole, body);
        }
    }
}
