//! Directory as far as its contract is asked here: who an applicant is.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use bangban_kit::refusal::{Kind, Refusal};
use bangban_proto::bangban::{
    directory::v1::{Applicant, GetApplicantRequest, applicant_service_server},
    types::v1::SpecialGroup,
};
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService},
};
use tonic_prost::ProstCodec;

#[derive(Debug, Default)]
struct Inside {
    applicants: HashMap<String, Applicant>,
    asked: usize,
    is_away: bool,
    has_log: bool,
    knows_everybody: bool,
}

/// Whether one whom [`Directory::knows_everybody`] made up is of a special group: one in eight.
pub fn is_special(applicant: &str) -> bool {
    applicant.ends_with(['0', '8'])
}

/// Directory.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<Mutex<Inside>>);

impl Directory {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("not poisoned")
    }

    pub fn know(&self, applicant: Applicant) {
        let mut inside = self.inside();
        inside.applicants.insert(applicant.id.clone(), applicant);
    }

    /// From now on whoever is asked for is an applicant, of a special group if [`is_special`].
    pub fn knows_everybody(self) -> Self {
        self.inside().knows_everybody = true;
        self
    }

    /// It has a log that tests write, and scheduling may follow.
    pub fn with_log(self) -> Self {
        self.inside().has_log = true;
        self
    }

    pub fn has_log(&self) -> bool {
        self.inside().has_log
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.inside().asked
    }

    pub fn is_away(&self, is_away: bool) {
        self.inside().is_away = is_away;
    }

    fn applicant(&self, id: &str) -> Result<Applicant, Status> {
        let mut inside = self.inside();
        inside.asked += 1;
        if inside.is_away {
            return Err(Status::unavailable("away"));
        }
        if inside.knows_everybody {
            let groups = is_special(id).then(|| SpecialGroup::Elderly.into());
            return Ok(Applicant {
                id: id.to_owned(),
                name_mask: "林*娥".to_owned(),
                groups: groups.into_iter().collect(),
                ..Applicant::default()
            });
        }
        inside.applicants.get(id).cloned().ok_or_else(|| {
            Refusal::new(Kind::NotFound, "APPLICANT_UNKNOWN", "", "没有", "unknown").into()
        })
    }
}

impl NamedService for Directory {
    const NAME: &'static str = applicant_service_server::SERVICE_NAME;
}

impl tower::Service<http::Request<Body>> for Directory {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let directory = self.clone();
        Box::pin(async move {
            let service = tower::service_fn(move |request: Request<GetApplicantRequest>| {
                let answer = directory.applicant(&request.into_inner().applicant);
                async move { answer.map(Response::new) }
            });
            let answered = Grpc::new(ProstCodec::<Applicant, GetApplicantRequest>::default())
                .unary(service, request)
                .await;
            Ok(answered)
        })
    }
}
