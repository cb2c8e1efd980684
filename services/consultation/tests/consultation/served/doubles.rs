//! Directory and casework as far as their contracts are asked here.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use bangban_kit::{
    identity::Caller,
    refusal::{Kind, Refusal},
};
use bangban_proto::bangban::{
    casework::v1::{Case, CaseChange, OpenCaseRequest, case_service_server},
    directory::v1::{
        Applicant, Conflict, GetApplicantRequest, GetSiteRequest, GetStaffRequest, OpeningHours,
        RevealApplicantRequest, RevealApplicantResponse, Site, Staff, StaffStatus, Training,
        TrainingKind, applicant_service_server, site_service_server, staff_service_server,
    },
};
use http::HeaderMap;
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService},
    service::RoutesBuilder,
};
use tonic_prost::ProstCodec;

/// What casework does when it is asked for a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Opens it and says so.
    Answers,
    /// Opens it, and its answer is lost.
    Drops,
    /// Cannot be reached.
    IsAway,
    /// Says no.
    Refuses,
}

#[derive(Debug, Default)]
struct Inside {
    mood: Option<Mood>,
    /// Cases by caller and request id, as casework keeps them.
    cases: HashMap<(String, String), (OpenCaseRequest, Case)>,
    openings: Vec<(Caller, OpenCaseRequest)>,
    staff: HashMap<String, Staff>,
    applicants: HashMap<String, Applicant>,
    reveals: Vec<(String, RevealApplicantRequest)>,
    /// Headers of the calls to directory, by method.
    heard: Vec<(String, HeaderMap)>,
    is_directory_away: bool,
}

/// Both.
#[derive(Debug, Clone, Default)]
pub struct Doubles(Arc<Mutex<Inside>>);

impl Doubles {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().expect("not poisoned")
    }

    /// An active agent with a training that lasts.
    pub fn enrol(&self, id: &str, site: &str, relatives: &[&str]) {
        let conflict = |applicant: &&str| Conflict {
            applicant: (*applicant).to_owned(),
            relation: "relative".to_owned(),
        };
        let staff = Staff {
            id: id.to_owned(),
            site: site.to_owned(),
            status: StaffStatus::Active.into(),
            trainings: vec![Training {
                kind: TrainingKind::PreService.into(),
                completed_on: "2020-01-01".to_owned(),
                valid_until: "2199-12-31".to_owned(),
                certificate: "1".to_owned(),
            }],
            conflicts: relatives.iter().map(conflict).collect(),
            ..Staff::default()
        };
        self.inside().staff.insert(id.to_owned(), staff);
    }

    pub fn suspend(&self, id: &str) {
        if let Some(staff) = self.inside().staff.get_mut(id) {
            staff.status = StaffStatus::Suspended.into();
        }
    }

    pub fn know(&self, applicant: Applicant) {
        let mut inside = self.inside();
        inside.applicants.insert(applicant.id.clone(), applicant);
    }

    pub fn casework(&self, mood: Mood) {
        self.inside().mood = Some(mood);
    }

    pub fn directory_is_away(&self, is_away: bool) {
        self.inside().is_directory_away = is_away;
    }

    /// Who asked for a case, and how, each time.
    pub fn openings(&self) -> Vec<(Caller, OpenCaseRequest)> {
        self.inside().openings.clone()
    }

    /// Cases that there are.
    pub fn case_count(&self) -> usize {
        self.inside().cases.len()
    }

    /// Who revealed whom, and why.
    pub fn reveals(&self) -> Vec<(String, RevealApplicantRequest)> {
        self.inside().reveals.clone()
    }

    /// What came with each call to directory, by method.
    pub fn heard(&self) -> Vec<(String, HeaderMap)> {
        self.inside().heard.clone()
    }

    /// Adds them to a server.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        routes.add_service(Cases(self.clone()));
        routes.add_service(StaffDouble(self.clone()));
        routes.add_service(Sites(self.clone()));
        routes.add_service(Applicants(self.clone()));
    }

    fn open_case(&self, caller: &Caller, request: &OpenCaseRequest) -> Result<CaseChange, Status> {
        let mut inside = self.inside();
        inside.openings.push((caller.clone(), request.clone()));
        let mood = inside.mood.unwrap_or(Mood::Answers);
        match mood {
            Mood::IsAway => return Err(Status::unavailable("away")),
            Mood::Refuses => {
                let refusal =
                    Refusal::precondition("SKILL_MISSING", "BB-6.3", "无技能认定", "no skill");
                return Err(refusal.into());
            }
            Mood::Answers | Mood::Drops => {}
        }
        let key = (caller.subject.clone(), request.request_id.clone());
        let number = inside.cases.len() + 1;
        let opened = inside.cases.entry(key).or_insert_with(|| {
            let case = Case {
                id: format!("case-{number}"),
                receipt: format!("receipt-{number}"),
                ..Case::default()
            };
            (request.clone(), case)
        });
        if &opened.0 != request {
            return Err(Refusal::invalid("REQUEST_ID_REUSED", "", "重复", "reused").into());
        }
        if mood == Mood::Drops {
            return Err(Status::unavailable("the connection broke"));
        }
        Ok(CaseChange {
            case: Some(opened.1.clone()),
            position: String::new(),
        })
    }

    fn directory(&self) -> Result<MutexGuard<'_, Inside>, Status> {
        let inside = self.inside();
        if inside.is_directory_away {
            return Err(Status::unavailable("away"));
        }
        Ok(inside)
    }

    fn staff(&self, request: &GetStaffRequest) -> Result<Staff, Status> {
        let inside = self.directory()?;
        let found = inside.staff.get(&request.staff).cloned();
        found.ok_or_else(|| unknown("STAFF_UNKNOWN", "BB-5.2"))
    }

    fn applicant(&self, id: &str) -> Result<Applicant, Status> {
        let inside = self.directory()?;
        let found = inside.applicants.get(id).cloned();
        found.ok_or_else(|| unknown("APPLICANT_UNKNOWN", "BB-10.2.1"))
    }

    fn reveal(
        &self,
        caller: &Caller,
        request: RevealApplicantRequest,
    ) -> Result<RevealApplicantResponse, Status> {
        let known = self.applicant(&request.applicant)?;
        if known.is_erased {
            return Err(Refusal::precondition("APPLICANT_ERASED", "", "已删除", "erased").into());
        }
        let mut inside = self.inside();
        inside.reveals.push((caller.subject.clone(), request));
        Ok(RevealApplicantResponse {
            name: known.name_mask.replace('*', "桂"),
            telephone: known.telephone_mask.replace("****", "0013"),
            ..RevealApplicantResponse::default()
        })
    }
}

fn unknown(reason: &'static str, requirement: &'static str) -> Status {
    Refusal::new(Kind::NotFound, reason, requirement, "没有", "unknown").into()
}

/// Every site is open from Monday to Friday until 17:00; it lies in the region that its name ends with.
fn site(request: &GetSiteRequest) -> Result<Site, Status> {
    let Some((_, region)) = request.site.rsplit_once('-') else {
        return Err(unknown("SITE_UNKNOWN", "BB-1"));
    };
    let hours = |weekday| OpeningHours {
        weekday,
        opens: "08:30".to_owned(),
        closes: "17:00".to_owned(),
    };
    Ok(Site {
        id: request.site.clone(),
        region: region.to_owned(),
        opening_hours: (1..=5).map(hours).collect(),
        ..Site::default()
    })
}

/// Answers a unary call.
async fn unary<Q, A>(
    request: http::Request<Body>,
    answer: impl Fn(&Caller, Q) -> Result<A, Status> + Send + 'static,
) -> http::Response<Body>
where
    Q: prost::Message + Default + Send + 'static,
    A: prost::Message + Default + Send + 'static,
{
    let answer = Arc::new(Mutex::new(answer));
    let service = tower::service_fn(move |request: Request<Q>| {
        let answer = Arc::clone(&answer);
        async move {
            let caller = request.extensions().get::<Arc<Caller>>().cloned();
            let caller = caller.unwrap_or_else(|| Arc::new(Caller::public()));
            let answer = answer.lock().expect("not poisoned");
            answer(&caller, request.into_inner()).map(Response::new)
        }
    });
    Grpc::new(ProstCodec::<A, Q>::default())
        .unary(service, request)
        .await
}

async fn routed(doubles: Doubles, request: http::Request<Body>) -> http::Response<Body> {
    let method = request.uri().path().rsplit('/').next().map(str::to_owned);
    let d = doubles;
    if let Some(method) = method.clone().filter(|method| method != "OpenCase") {
        let headers = request.headers().clone();
        d.inside().heard.push((method, headers));
    }
    match method.as_deref() {
        Some("OpenCase") => unary(request, move |c, r| d.open_case(c, &r)).await,
        Some("GetStaff") => unary(request, move |_, r| d.staff(&r)).await,
        Some("GetSite") => unary(request, move |_, r| site(&r)).await,
        Some("GetApplicant") => {
            unary(request, move |_, r: GetApplicantRequest| {
                d.applicant(&r.applicant)
            })
            .await
        }
        Some("RevealApplicant") => unary(request, move |c, r| d.reveal(c, r)).await,
        _ => Status::unimplemented("nobody asks for this here").into_http(),
    }
}

macro_rules! double {
    ($($name:ident $service:expr;)*) => {$(
        #[derive(Clone)]
        struct $name(Doubles);

        impl NamedService for $name {
            const NAME: &'static str = $service;
        }

        impl tower::Service<http::Request<Body>> for $name {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                let doubles = self.0.clone();
                Box::pin(async move { Ok(routed(doubles, request).await) })
            }
        }
    )*};
}

double! {
    Cases case_service_server::SERVICE_NAME;
    StaffDouble staff_service_server::SERVICE_NAME;
    Sites site_service_server::SERVICE_NAME;
    Applicants applicant_service_server::SERVICE_NAME;
}
