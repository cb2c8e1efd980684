//! One attempt of a call at one endpoint: what is sent, and what its end means.

use http::{HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, body::Body};

use super::{
    answer::{Again, Answer, Reply, Unanswered},
    body::{self, Incoming, Outgoing, Whole},
    call::Call,
    code::{self, Failure, Sent},
    counts::count,
    declared::Shape,
    pushback::{self, Pushback},
    set::Picked,
    timeout,
};

impl Call<'_> {
    pub(super) async fn attempt(&mut self, picked: &Picked) -> Result<Response<Body>, Unanswered> {
        let bound = self.bound(picked);
        let request = self.request(picked);
        self.sent += 1;
        count(&self.core.counters.attempts);
        let mut unsent = None;
        let exchanged = timeout_at(bound, self.exchange(picked, request, &mut unsent)).await;
        self.payload.restore(unsent);
        match exchanged {
            Ok(Ok(answer)) => self.said(answer),
            Ok(Err(failure)) => Err(self.lost(picked, failure)),
            Err(_) => {
                picked.0.doubted.notify_one();
                let again = if bound < self.until {
                    Again::Repeatable
                } else {
                    Again::No
                };
                Err(Unanswered {
                    status: Reply::Failed(code::deadline()),
                    again,
                    pushback: None,
                })
            }
        }
    }

    /// The request for this endpoint, with the time that is left.
    fn request(&mut self, picked: &Picked) -> Request<Outgoing> {
        let mut request = Request::new(self.payload.take());
        *request.method_mut() = self.parts.method.clone();
        *request.version_mut() = http::Version::HTTP_2;
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(picked.0.scheme.clone());
        uri.authority = Some(picked.0.authority.clone());
        let path = self.parts.uri.path_and_query().cloned();
        uri.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
        // All three parts are there, which is all that can go wrong.
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        let headers = request.headers_mut();
        self.parts.headers.clone_into(headers);
        if self.is_bounded {
            let left = self.until.saturating_duration_since(Instant::now());
            timeout::write(headers, left);
        }
        if self.sent > 0 {
            headers.insert("grpc-previous-rpc-attempts", HeaderValue::from(self.sent));
        }
        headers
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!(
                "bangban-net/",
                env!("CARGO_PKG_VERSION")
            )));
        request
    }

    async fn exchange(
        &mut self,
        picked: &Picked,
        request: Request<Outgoing>,
        unsent: &mut Option<Request<Outgoing>>,
    ) -> Result<Answer, Failure> {
        let mut sender = picked.0.sender.clone();
        let response = match sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => {
                *unsent = error.take_message();
                let mut failure = code::failure(error.error());
                if unsent.is_some() {
                    failure.sent = Sent::Never;
                }
                return Err(failure);
            }
        };
        let (parts, incoming) = response.into_parts();
        if self.declared.shape != Shape::Unary {
            return Ok(Answer {
                parts,
                read: Whole::default(),
                rest: Some(incoming),
            });
        }
        let limit = self.core.settings.answer_limit;
        let (read, rest) = body::read(incoming, limit).await.map_err(|error| Failure {
            // It has answered, so it has acted.
            sent: Sent::Perhaps,
            ..code::failure(&error)
        })?;
        Ok(Answer { parts, read, rest })
    }

    /// What the server said: it stays as it is, and may be a reason to ask again.
    fn said(&self, answer: Answer) -> Result<Response<Body>, Unanswered> {
        let code = answer.code();
        if code == Some(Code::Cancelled) && answer.is_timeout() {
            return Err(Unanswered {
                status: Reply::Failed(code::deadline()),
                again: Again::No,
                pushback: None,
            });
        }
        let is_wanting = matches!(code, Some(Code::Unavailable | Code::ResourceExhausted));
        if !is_wanting {
            self.core.budget.succeeded();
            return Ok(self.handed(answer));
        }
        let pushback = answer.status().and_then(pushback::read);
        let again = match pushback {
            Some(Pushback::Never) => false,
            Some(Pushback::After(_)) => true,
            None => code == Some(Code::Unavailable),
        };
        if !(again && self.declared.is_repeatable) {
            return Ok(self.handed(answer));
        }
        Err(Unanswered {
            status: Reply::Said(Box::new(self.handed(answer))),
            again: Again::Repeatable,
            pushback: pushback.and_then(|pushback| match pushback {
                Pushback::After(delay) => Some(delay),
                Pushback::Never => None,
            }),
        })
    }

    fn lost(&self, picked: &Picked, failure: Failure) -> Unanswered {
        if failure.is_connection {
            picked.0.doubted.notify_one();
        }
        let again = match failure.sent {
            Sent::Never => Again::Unsent,
            Sent::Perhaps
                if self.declared.is_repeatable && failure.status.code() == Code::Unavailable =>
            {
                Again::Repeatable
            }
            Sent::Perhaps => Again::No,
        };
        let message = format!(
            "{}: {}",
            self.core.settings.service,
            failure.status.message()
        );
        Unanswered {
            status: Reply::Failed(Status::with_details_and_metadata(
                failure.status.code(),
                message,
                failure.status.details().to_vec().into(),
                failure.status.metadata().clone(),
            )),
            again,
            pushback: None,
        }
    }

    fn handed(&self, answer: Answer) -> Response<Body> {
        let body = match answer.rest {
            None => Body::new(answer.read),
            Some(rest) => Body::new(Incoming {
                before: answer.read,
                rest,
                until: self
                    .is_bounded
                    .then(|| Box::pin(tokio::time::sleep_until(self.until))),
            }),
        };
        Response::from_parts(answer.parts, body)
    }
}
