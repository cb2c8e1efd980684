//! The body of an answer that streams: it holds its seat to its end, makes way for people, and ends where another needs the
//! seat more.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::{Status, body::Body};

use super::{gate::Kind, permit::Seat, refused::overloaded};

/// How long one part of a feed makes way for people who wait.
const FEED_PAUSE: Duration = Duration::from_millis(10);

/// How long one part of an export does.
const EXPORT_PAUSE: Duration = Duration::from_millis(40);

/// When a stream that had to make room may come again.
const COME_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Streamed {
    inner: Body,
    /// Nothing once it has ended.
    seat: Option<Seat>,
    displaced: Pin<Box<WaitForCancellationFutureOwned>>,
    way: Way,
}

/// Whether it has made way for people before the next part.
enum Way {
    NotYet,
    Pausing(Pin<Box<Sleep>>),
    Made,
}

impl Streamed {
    pub(super) fn new(inner: Body, seat: Seat) -> Self {
        Self {
            displaced: Box::pin(seat.end.clone().cancelled_owned()),
            seat: (!inner.is_end_stream()).then_some(seat),
            inner,
            way: Way::NotYet,
        }
    }

    fn make_way(&mut self, cx: &mut Context<'_>, seat: &Seat) -> Poll<()> {
        if matches!(self.way, Way::NotYet) && seat.is_pressed() {
            self.way = Way::Pausing(Box::pin(sleep(match seat.kind() {
                Kind::Feed => FEED_PAUSE,
                Kind::Export => EXPORT_PAUSE,
            })));
        }
        if let Way::Pausing(pause) = &mut self.way {
            ready!(pause.as_mut().poll(cx));
        }
        self.way = Way::Made;
        Poll::Ready(())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        seat: &Seat,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.displaced.as_mut().poll(cx).is_ready() {
            self.inner = Body::empty();
            return Poll::Ready(Some(farewell().map(Frame::trailers)));
        }
        ready!(self.make_way(cx, seat));
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        self.way = Way::NotYet;
        Poll::Ready(frame)
    }
}

/// The trailers of a stream that makes room.
fn farewell() -> Result<HeaderMap, Status> {
    let mut trailers = HeaderMap::new();
    Status::from(overloaded(COME_AGAIN)).add_header(&mut trailers)?;
    Ok(trailers)
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let Some(seat) = this.seat.take() else {
            return Poll::Ready(None);
        };
        let polled = this.poll(cx, &seat);
        match &polled {
            Poll::Ready(Some(Ok(frame))) if frame.is_data() => seat.sent(),
            Poll::Pending => {}
            // The end, or the trailers, after which nothing comes: the seat is free.
            Poll::Ready(_) => return polled,
        }
        this.seat = Some(seat);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.seat.is_none()
    }
}
