//! The body of an answer, watched to its end: the status of most calls stands in the trailers.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::{Code, Status, body::Body};

use crate::call::Call;

/// An answer whose call ends when its body does; at once when its headers have the status.
pub(crate) fn watched(mut call: Call, answer: Response<Body>) -> Response<Body> {
    if call.end_with(answer.headers()) {
        return answer;
    }
    answer.map(|inner| Body::new(Watched { inner, call }))
}

struct Watched {
    inner: Body,
    call: Call,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        // What a stream does while it is read belongs to its call.
        let entered = this.call.enter();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        drop(entered);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref()
                    && !this.call.end_with(trailers)
                {
                    this.call.end(Code::Unknown);
                }
            }
            Some(Err(status)) => this.call.end(status.code()),
            None => this.call.end(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
