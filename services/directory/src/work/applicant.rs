//! Applicants: sealed, found by keyed hashes, shown masked, revealed on record, forgotten.

use bangban_codes::document::Document;
use bangban_kit::{
    identity::Caller,
    page::Page,
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_proto::{
    Head,
    bangban::{
        directory::v1::{
            Applicant, ApplicantChange, ApplicantErased, ApplicantRegistered, ApplicantRevealed,
            ApplicantUpdated, DirectoryAct, DocumentKind, EraseApplicantRequest,
            FindApplicantsRequest, FindApplicantsResponse, GetApplicantRequest, ListRevealsRequest,
            ListRevealsResponse, ProveIdentityRequest, ProveIdentityResponse,
            RegisterApplicantRequest, Reveal, RevealApplicantRequest, RevealApplicantResponse,
            Site, UpdateApplicantRequest, directory_act::Act,
        },
        types::v1::Actor,
    },
};
use bangban_seal::Keyring;
use bangban_store::{Error, Now, Position, clock::timestamp, command::Command, write::State};
use chrono::{DateTime, NaiveDate};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{Change, On, Other, cut_acts, district_unknown, reach};
use crate::{
    Directory,
    domain::{
        self, acts,
        applicant::{self, Personal},
        entitlement,
    },
    store::{
        assignment, history,
        reminders::BIRTHDAY,
        resource::{self, Place, Row},
        sealed,
        unique::{self, Table},
    },
};

/// Most applicants that a telephone finds.
const MOST_FOUND: u64 = 20;

/// Applicants belong to their district, not to a site: whoever has the whole document serves them anywhere in it.
fn place(scope: &Scope, id: &str) -> Place {
    Place::new(scope, "applicant", id)
}

/// What is stored with the act as the answer: the log is never edited, so it carries no mask.
fn stored(id: &str) -> Applicant {
    Applicant {
        id: id.to_owned(),
        ..Applicant::default()
    }
}

fn born(person: &Applicant, document: &str, today: NaiveDate) -> Option<NaiveDate> {
    applicant::document(person.document_kind(), document, today)
        .ok()??
        .birth_date()
}

/// Makes a document lead to its applicant, and to no other.
fn found_by_document(ring: &Keyring, district: &str, document: &Document, id: &str) -> State {
    let value = ring.blind_index(district, "document", &document.index_form());
    unique::insert(Table::Uniques, district, "document", &value, id)
}

/// Leads from the day of birth to an applicant that wants to be reminded (BB-4.2c): the document tells the day.
fn found_by_birthday(
    ring: &Keyring,
    district: &str,
    state: &Applicant,
    person: &Personal,
    today: NaiveDate,
) -> Option<State> {
    let born = born(state, &person.document, today).filter(|_| state.wants_reminders)?;
    let value = ring.blind_index(district, BIRTHDAY, &entitlement::birthday(born));
    let id = &state.id;
    Some(unique::insert(
        Table::Lookups,
        district,
        BIRTHDAY,
        &value,
        id,
    ))
}

/// Takes away what leads to an applicant.
fn lost(table: Table, district: &str, kind: &str, id: &str) -> Other {
    Other::delete(unique::delete(table, district, kind, id))
}

/// Leads from a telephone to an applicant.
fn found_by_telephone(ring: &Keyring, district: &str, person: &Personal, id: &str) -> State {
    let telephone = ring.blind_index(district, "telephone", &person.telephone);
    unique::insert(Table::Lookups, district, "telephone", &telephone, id)
}

impl Change for RevealApplicantResponse {
    type Thing = ();

    fn of((): ()) -> Self {
        Self::default()
    }

    fn at(self, position: &Position) -> Self {
        Self {
            position: position.to_string(),
            ..self
        }
    }
}

impl Directory {
    /// A command whose digest is keyed: the request's body is personal data, and the log keeps its digest for ever.
    async fn keyed<R: Head + prost::Message>(&self, caller: &Caller, request: &R) -> Command {
        let body = String::from_utf8_lossy(&request.encode_to_vec()).into_owned();
        let ring = self.keys.ring();
        let keyed = ring.blind_indexes(request.district(), "request", &body);
        let mut commands = keyed.into_iter().map(|keyed| {
            let mut command = Command::new(caller, request);
            command.asked.digest = Sha256::digest(keyed).into();
            command
        });
        let command = commands
            .next()
            .unwrap_or_else(|| Command::new(caller, request));
        // A repetition may have been done first under a key that was active then.
        for older in commands {
            if let Ok(Some(_)) = self.store.repeated(&older).await {
                return older;
            }
        }
        command
    }

    /// An applicant as it is shown now: with the groups that follow from its age.
    async fn told(&self, scope: &Scope, person: Applicant, now: Now) -> Result<Applicant, Error> {
        if person.is_enterprise || person.is_erased {
            return Ok(person);
        }
        let row = sealed::get(&self.store.db, scope, &person.id).await?;
        Ok(self.aged(person, row.map(sealed::Document::from), now)?)
    }

    /// An applicant with the groups that follow from the age that the document tells.
    pub(super) fn aged(
        &self,
        mut person: Applicant,
        document: Option<sealed::Document>,
        now: Now,
    ) -> Result<Applicant, Refusal> {
        if !person.is_enterprise
            && !person.is_erased
            && let Some(document) = document
        {
            let today = now.local().date_naive();
            let document = self
                .keys
                .opened(|ring| sealed::open_document(ring, &document))?;
            person.groups =
                applicant::groups(&person.groups, born(&person, &document, today), today);
        }
        Ok(person)
    }

    async fn applicant(&self, scope: &Scope, id: &str) -> Result<Row<Applicant>, Error> {
        let found = self.row::<Applicant>(scope, "applicant", id).await?;
        Ok(found.ok_or_else(applicant::applicant_unknown)?)
    }

    /// Whether somebody in the district is registered with the document.
    async fn is_registered(
        &self,
        ring: &Keyring,
        scope: &Scope,
        document: &Document,
    ) -> Result<bool, Error> {
        let forms = ring.blind_indexes(scope.district(), "document", &document.index_form());
        let db = &self.store.db;
        let known = unique::find(db, scope, Table::Uniques, "document", forms, 1).await?;
        Ok(!known.is_empty())
    }

    async fn personal(
        &self,
        scope: &Scope,
        id: &str,
    ) -> Result<(Personal, bangban_seal::SubjectKey), Error> {
        let row = sealed::get(&self.store.db, scope, id).await?;
        let row = row.ok_or_else(|| Refusal::internal("an applicant has no sealed row"))?;
        Ok(self.keys.opened(|ring| sealed::open(ring, &row))?)
    }

    /// The answer of a command: the applicant as it is shown now, in place of what is stored with the act.
    async fn changed(
        &self,
        caller: &Caller,
        district: &str,
        stored: ApplicantChange,
    ) -> Result<ApplicantChange, Error> {
        let (scope, _) = self.scope(caller, district).await?;
        let id = stored.applicant.map(|a| a.id).unwrap_or_default();
        let row = self.applicant(&scope, &id).await?;
        let person = self.told(&scope, row.body, self.store.now().await?).await?;
        Ok(ApplicantChange {
            applicant: Some(person),
            position: stored.position,
        })
    }

    pub(crate) async fn register_applicant(
        &self,
        caller: &Caller,
        request: &RegisterApplicantRequest,
    ) -> Result<ApplicantChange, Error> {
        let decide = move |on: On| async move {
            let today = on.now.local().date_naive();
            let document = applicant::document(request.document_kind(), &request.document, today)?;
            let telephone = applicant::telephone(&request.telephone)?;
            let is_enterprise = request.document_kind() == DocumentKind::CreditCode;
            let (name, name_mask) = applicant::name(&request.name, is_enterprise)?;
            let district = on.scope.district();
            let ring = self.keys.ring();
            if let Some(document) = &document
                && self.is_registered(&ring, &on.scope, document).await?
            {
                return Err(applicant::applicant_exists().into());
            }
            let id = uuid::Uuid::now_v7().to_string();
            let person = Personal {
                name,
                document: document
                    .map(|d| d.normalized().to_owned())
                    .unwrap_or_default(),
                telephone: telephone.normalized(),
                address: request.address.trim().to_owned(),
            };
            let (row, commitment) = sealed::seal(&ring, district, &id, &person, None);
            let state = Applicant {
                id: id.clone(),
                name_mask,
                document_kind: request.document_kind,
                document_mask: document.map(|d| d.mask()).unwrap_or_default(),
                telephone_mask: telephone.mask(),
                address_mask: applicant::address_mask(&person.address),
                groups: request.groups.clone(),
                is_enterprise,
                wants_reminders: request.wants_reminders,
                is_erased: false,
                etag: domain::etag(1),
                created_at: Some(on.now.timestamp()),
            };
            let act = Act::ApplicantRegistered(ApplicantRegistered {
                commitment,
                is_enterprise,
            });
            let found_by = [
                sealed::insert(row),
                found_by_telephone(&ring, district, &person, &id),
            ];
            let by_document = document.map(|d| found_by_document(&ring, district, &d, &id));
            let by_birthday = found_by_birthday(&ring, district, &state, &person, today);
            let step = on.put::<Applicant, _>(&place(&on.scope, &id), None, (act, state));
            let step = step.and(found_by).and(by_document).and(by_birthday);
            Ok(step.answering(stored(&id)))
        };
        let command = self.keyed(caller, request).await;
        match self.change_by(caller, command, decide).await {
            Ok(change) => self.changed(caller, &request.district, change).await,
            Err(error) if unique::is_taken(&error) => Err(applicant::applicant_exists().into()),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn update_applicant(
        &self,
        caller: &Caller,
        request: &UpdateApplicantRequest,
    ) -> Result<ApplicantChange, Error> {
        let decide = move |on: On| async move {
            let row = self.applicant(&on.scope, &request.applicant).await?;
            applicant::not_erased(&row.body)?;
            domain::same_etag(&request.etag, row.version)?;
            let (mut person, key) = self.personal(&on.scope, &row.id).await?;
            let mut state = row.body.clone();
            if !request.telephone.is_empty() {
                let telephone = applicant::telephone(&request.telephone)?;
                state.telephone_mask = telephone.mask();
                person.telephone = telephone.normalized();
            }
            if !request.address.trim().is_empty() {
                person.address = request.address.trim().to_owned();
                state.address_mask = applicant::address_mask(&person.address);
            }
            let today = on.now.local().date_naive();
            let (kind, text) = (request.document_kind(), &request.document);
            let document = applicant::first_document(&row.body, kind, text, today)?;
            let district = on.scope.district();
            let ring = self.keys.ring();
            if let Some(document) = &document {
                if self.is_registered(&ring, &on.scope, document).await? {
                    return Err(applicant::document_taken().into());
                }
                state.document_kind = request.document_kind;
                state.document_mask = document.mask();
                state.is_enterprise = kind == DocumentKind::CreditCode;
                (person.name, state.name_mask) =
                    applicant::name(&person.name, state.is_enterprise)?;
                person.document = document.normalized().to_owned();
            }
            state.groups = request.groups.clone();
            state.wants_reminders = request.wants_reminders;
            state.etag = domain::etag(row.version + 1);
            let (new, commitment) = sealed::seal(&ring, district, &row.id, &person, Some(key));
            let act = Act::ApplicantUpdated(ApplicantUpdated { commitment });
            let by_document = document.map(|d| found_by_document(&ring, district, &d, &row.id));
            let by_birthday = found_by_birthday(&ring, district, &state, &person, today);
            let step = on.put(&place(&on.scope, &row.id), Some(&row), (act, state));
            Ok(step
                .and([
                    sealed::insert(new),
                    found_by_telephone(&ring, district, &person, &row.id),
                ])
                .and(by_document)
                .and(by_birthday)
                .with([
                    Other::delete(sealed::delete(district, &row.id)),
                    lost(Table::Lookups, district, "telephone", &row.id),
                    lost(Table::Lookups, district, BIRTHDAY, &row.id),
                ])
                .answering(stored(&row.id)))
        };
        let command = self.keyed(caller, request).await;
        match self.change_by(caller, command, decide).await {
            Ok(change) => self.changed(caller, &request.district, change).await,
            Err(error) if unique::is_taken(&error) => Err(applicant::document_taken().into()),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn erase_applicant(
        &self,
        caller: &Caller,
        request: &EraseApplicantRequest,
    ) -> Result<ApplicantChange, Error> {
        let decide = move |on: On| async move {
            let row = self.applicant(&on.scope, &request.applicant).await?;
            applicant::not_erased(&row.body)?;
            domain::same_etag(&request.etag, row.version)?;
            let act = Act::ApplicantErased(ApplicantErased {
                reason: request.reason.clone(),
            });
            let state = applicant::erased(&row.body, row.version + 1);
            let step = on.put(&place(&on.scope, &row.id), Some(&row), (act, state));
            let district = on.scope.district();
            Ok(step
                .with([
                    Other::delete(sealed::delete(district, &row.id)),
                    lost(Table::Uniques, district, "document", &row.id),
                    lost(Table::Lookups, district, "telephone", &row.id),
                    lost(Table::Lookups, district, BIRTHDAY, &row.id),
                ])
                .answering(stored(&row.id)))
        };
        let change = self.change(caller, request, decide).await?;
        self.changed(caller, &request.district, change).await
    }

    pub(crate) async fn get_applicant(
        &self,
        caller: &Caller,
        request: &GetApplicantRequest,
    ) -> Result<Applicant, Error> {
        self.store.wait_for(&request.after).await?;
        let facts = assignment::person(&self.store, &request.district, &request.applicant).await?;
        let district = facts.district.ok_or_else(district_unknown)?;
        Scope::of(caller, &request.district, &district.region)?;
        let person = facts.applicant.ok_or_else(applicant::applicant_unknown)?;
        Ok(self.aged(person, facts.document, facts.now)?)
    }

    pub(crate) async fn find_applicants(
        &self,
        caller: &Caller,
        request: &FindApplicantsRequest,
    ) -> Result<FindApplicantsResponse, Error> {
        let (scope, _) = self.scope(caller, &request.district).await?;
        let now = self.store.now().await?;
        let (table, field, form) = if !request.document.is_empty() {
            let today = now.local().date_naive();
            let document = applicant::document(request.document_kind(), &request.document, today)?;
            let form = document.map(|d| d.index_form()).unwrap_or_default();
            (Table::Uniques, "document", form)
        } else if !request.telephone.is_empty() {
            (
                Table::Lookups,
                "telephone",
                applicant::telephone(&request.telephone)?.normalized(),
            )
        } else {
            return Err(Refusal::invalid(
                "EMPTY",
                "",
                "请填写完整的证件号码或电话号码",
                "give a whole document number or a whole telephone number",
            )
            .field("document", "is missing")
            .into());
        };
        let values = self
            .keys
            .ring()
            .blind_indexes(scope.district(), field, &form);
        let mut applicants = Vec::new();
        for id in unique::find(&self.store.db, &scope, table, field, values, MOST_FOUND).await? {
            let row = self.applicant(&scope, &id).await?;
            applicants.push(self.told(&scope, row.body, now).await?);
        }
        Ok(FindApplicantsResponse { applicants })
    }

    pub(crate) async fn reveal_applicant(
        &self,
        caller: &Caller,
        request: &RevealApplicantRequest,
    ) -> Result<RevealApplicantResponse, Error> {
        let decide = move |on: On| async move {
            let row = self.applicant(&on.scope, &request.applicant).await?;
            applicant::not_erased(&row.body)?;
            let act = Act::ApplicantRevealed(ApplicantRevealed {
                purpose: request.purpose.clone(),
            });
            let state = Applicant {
                etag: domain::etag(row.version + 1),
                ..row.body.clone()
            };
            let step = on.put(&place(&on.scope, &row.id), Some(&row), (act, state));
            // What is stored with the act is empty: the log carries no personal data.
            Ok(step.answering(()))
        };
        // The act is written before anything is opened.
        let looked: RevealApplicantResponse = self.change(caller, request, decide).await?;
        let (scope, _) = self.scope(caller, &request.district).await?;
        let row = self.applicant(&scope, &request.applicant).await?;
        applicant::not_erased(&row.body)?;
        let (person, _) = self.personal(&scope, &row.id).await?;
        Ok(RevealApplicantResponse {
            name: person.name,
            document_kind: row.body.document_kind,
            document: person.document,
            telephone: person.telephone,
            address: person.address,
            position: looked.position,
        })
    }

    pub(crate) async fn list_reveals(
        &self,
        caller: &Caller,
        request: &ListRevealsRequest,
    ) -> Result<ListRevealsResponse, Error> {
        self.store.wait_for(&request.after).await?;
        let (scope, _) = self.scope(caller, &request.district).await?;
        let query = [
            "ListReveals",
            &request.district,
            &request.applicant,
            &reach(&scope),
        ];
        let page = Page::new(request.page_size, &request.page_token, &query)?;
        let subject =
            (!request.applicant.is_empty()).then(|| format!("applicants/{}", request.applicant));
        let sites = if *scope.reach() == Reach::Whole {
            None
        } else {
            let sites = resource::all::<Site>(&self.store.db, &scope, "site", None).await?;
            Some(sites.into_iter().map(|s| s.id).collect())
        };
        let found = history::page(
            &self.store.db,
            &scope,
            &[acts::REVEALED],
            subject,
            sites,
            &page,
        )
        .await?;
        let (found, next_page_token) = cut_acts(found, &page);
        let reveals = found.into_iter().map(|act| {
            let purpose = match DirectoryAct::decode(act.payload.as_slice()).map(|a| a.act) {
                Ok(Some(Act::ApplicantRevealed(revealed))) => revealed.purpose,
                _ => String::new(),
            };
            Reveal {
                applicant: act.subject.trim_start_matches("applicants/").to_owned(),
                actor: Some(Actor {
                    subject: act.actor,
                    site: act.actor_site,
                }),
                purpose,
                revealed_at: DateTime::from_timestamp_micros(act.acted_at_us).map(timestamp),
            }
        });
        Ok(ListRevealsResponse {
            reveals: reveals.collect(),
            next_page_token,
        })
    }

    pub(crate) async fn prove_identity(
        &self,
        caller: &Caller,
        request: &ProveIdentityRequest,
    ) -> Result<ProveIdentityResponse, Error> {
        let (scope, _) = self.scope(caller, &request.district).await?;
        // A citizen's call carries no more than a receipt: the service that proves has the whole district.
        let scope = Scope::whole(scope.district());
        let row = self.applicant(&scope, &request.applicant).await?;
        if row.body.is_erased {
            return Ok(ProveIdentityResponse { is_proved: false });
        }
        let (person, _) = self.personal(&scope, &row.id).await?;
        Ok(ProveIdentityResponse {
            is_proved: applicant::proves(&person.document, &request.document),
        })
    }
}
