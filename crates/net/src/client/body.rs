//! Bodies that are known as a whole, so that they can be sent again or looked at; and bodies that pass through.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;
use tonic::{Status, body::Body};

use super::code;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Frames that have been read. A clone shares the bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole {
    first: Option<Bytes>,
    more: VecDeque<Bytes>,
    pub(super) trailers: Option<HeaderMap>,
}

impl Whole {
    fn push(&mut self, bytes: Bytes) {
        if self.first.is_none() {
            self.first = Some(bytes);
        } else {
            self.more.push_back(bytes);
        }
    }

    fn next(&mut self) -> Option<Frame<Bytes>> {
        if let Some(bytes) = self.first.take().or_else(|| self.more.pop_front()) {
            return Some(Frame::data(bytes));
        }
        self.trailers.take().map(Frame::trailers)
    }

    fn is_done(&self) -> bool {
        self.first.is_none() && self.more.is_empty() && self.trailers.is_none()
    }
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.get_mut().next().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.is_done()
    }
}

/// Reads a body to its end, or until it is larger than `limit` bytes: then the second part is what has to follow.
pub(super) async fn read<B>(body: B, limit: usize) -> Result<(Whole, Option<B>), B::Error>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut body = body;
    let mut whole = Whole::default();
    let mut size = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame?.into_data() {
            Ok(bytes) => {
                size += bytes.len();
                whole.push(bytes);
                if size > limit {
                    return Ok((whole, Some(body)));
                }
            }
            Err(frame) => whole.trailers = frame.into_trailers().ok(),
        }
    }
    Ok((whole, None))
}

/// The body of a request on its way.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// Known as a whole.
    Whole(Whole),
    /// What has been read, and what follows; also what was never read.
    Through(Whole, Body),
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.get_mut() {
            Self::Whole(whole) => Poll::Ready(whole.next().map(Ok)),
            Self::Through(whole, body) => match whole.next() {
                Some(frame) => Poll::Ready(Some(Ok(frame))),
                None => Pin::new(body).poll_frame(cx),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_done(),
            Self::Through(whole, body) => whole.is_done() && body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        // Never exact: gRPC sends no content-length.
        SizeHint::default()
    }
}

/// The body of an answer that passes through: what was read before, the rest as it comes, honest codes, and the deadline
/// where the caller set one.
pub(super) struct Incoming<B> {
    pub(super) before: Whole,
    pub(super) rest: B,
    pub(super) until: Option<Pin<Box<Sleep>>>,
}

impl<B> HttpBody for Incoming<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Some(frame) = this.before.next() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(until) = &mut this.until
            && until.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(code::deadline())));
        }
        let frame = ready!(Pin::new(&mut this.rest).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                let error: BoxError = error.into();
                code::failure(&*error).status
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.before.is_done() && self.rest.is_end_stream()
    }
}
