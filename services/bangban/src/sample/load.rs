//! Brings the sample district into an installation. Each request has an id of its own that stays the same, so that a
//! load that was broken off is simply done again.

use std::path::Path;

use bangban_directory::Directory;
use bangban_proto::bangban::directory::v1::{
    ApplicantChange, CreateDistrictRequest, CreateSiteRequest, DeclareConflictRequest,
    EnrolStaffRequest, FindApplicantsRequest, GetStaffRequest, GrantSkillRequest,
    RecordTrainingRequest, RegisterApplicantRequest, Staff, SuspendStaffRequest,
    applicant_service_client::ApplicantServiceClient,
    district_service_client::DistrictServiceClient, site_service_client::SiteServiceClient,
    staff_service_client::StaffServiceClient,
};
use bangban_proto::bangban::scheduling::v1::{
    PutPublicationRequest, PutTemplateRequest, capacity_service_client::CapacityServiceClient,
};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use super::model::{Applicant, Sample, SampleStaff, operator};
use crate::{client::Client, failure::Failure, import, tell, token::Signer};

/// Loads the sample that lies in `folder` unless it is there; answers the last position of directory's log, empty when nothing was done.
pub async fn load_if_absent(
    sample: &Sample,
    directory: &Directory,
    client: &Client,
    signer: &Signer,
    folder: &Path,
) -> Result<String, Failure> {
    let client = client.with(&signer.token(&operator(), 1)?)?;
    let mut load = Load {
        sample,
        client,
        position: String::new(),
    };
    if load.is_there().await? {
        return Ok(load.position);
    }
    if !folder.is_dir() {
        return Err(Failure::new(format!(
            "there is no folder {} here: start this from the root of the repository.",
            folder.display()
        )));
    }
    tell::line(format!(
        "Loading the sample district {} …",
        sample.district.name
    ));
    import::regions(directory, &folder.join("regions")).await?;
    load.district().await?;
    import::catalogue(
        directory,
        &sample.district.id,
        &folder.join("catalogue.yaml"),
    )
    .await?;
    load.sites().await?;
    for staff in &sample.staff {
        load.staff(staff).await?;
    }
    load.applicants().await?;
    load.appointments().await?;
    load.conflicts().await?;
    Ok(load.position)
}

struct Load<'a> {
    sample: &'a Sample,
    client: Client,
    position: String,
}

/// The id of a request: the same for the same thing, whenever it is loaded.
fn request_id(what: &str, name: &str) -> String {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("bangban/sample/{what}/{name}").as_bytes(),
    )
    .to_string()
}

/// The answer; none when the thing was there already.
fn unless_there<T>(what: &str, answer: Result<Response<T>, Status>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if status.code() == Code::AlreadyExists => Ok(None),
        Err(status) => Err(Failure::refused(
            &format!("the sample cannot be loaded: {what}"),
            &status,
        )),
    }
}

impl Load<'_> {
    fn id(&self) -> String {
        self.sample.district.id.clone()
    }

    fn took(&mut self, position: Option<String>) {
        if let Some(position) = position.filter(|p| !p.is_empty()) {
            self.position = position;
        }
    }

    /// Whether the last thing that is loaded is there.
    async fn is_there(&self) -> Result<bool, Failure> {
        let last = self
            .sample
            .staff
            .iter()
            .rfind(|s| !s.conflicts.is_empty())
            .or(self.sample.staff.last());
        let Some(last) = last else { return Ok(true) };
        let request = GetStaffRequest {
            district: self.id(),
            staff: last.id.clone(),
            after: String::new(),
        };
        match StaffServiceClient::new(self.client.channel())
            .get_staff(self.client.request(request))
            .await
        {
            Ok(staff) => Ok(staff.into_inner().conflicts.len() >= last.conflicts.len()),
            Err(status)
                if matches!(
                    status.code(),
                    Code::NotFound | Code::FailedPrecondition | Code::PermissionDenied
                ) =>
            {
                Ok(false)
            }
            Err(status) => Err(Failure::refused(
                "the sample district cannot be looked for",
                &status,
            )),
        }
    }

    async fn district(&mut self) -> Result<(), Failure> {
        let district = &self.sample.district;
        let request = CreateDistrictRequest {
            district: district.id.clone(),
            request_id: request_id("district", &district.id),
            name: district.name.clone(),
            region: district.region.clone(),
            number: district.number,
        };
        let mut service = DistrictServiceClient::new(self.client.channel());
        let done = unless_there(
            "the district",
            service.create_district(self.client.request(request)).await,
        )?;
        self.took(done.map(|d| d.position));
        Ok(())
    }

    async fn sites(&mut self) -> Result<(), Failure> {
        let mut service = SiteServiceClient::new(self.client.channel());
        for site in &self.sample.sites {
            let request = CreateSiteRequest {
                district: self.id(),
                request_id: request_id("site", &site.id),
                site: Some(site.site()?),
            };
            let done = unless_there(
                &site.id,
                service.create_site(self.client.request(request)).await,
            )?;
            self.took(done.map(|d| d.position));
        }
        Ok(())
    }

    /// What appointments are given: scheduling learns of the sites from directory's feed.
    async fn appointments(&self) -> Result<(), Failure> {
        let mut service = CapacityServiceClient::new(self.client.channel());
        for (site, (template, publication)) in self
            .sample
            .sites
            .iter()
            .filter_map(|site| Some((site, site.appointments()?)))
        {
            let request = PutTemplateRequest {
                district: self.id(),
                request_id: request_id("template", &site.id),
                after: self.position.clone(),
                template: Some(template),
                ..PutTemplateRequest::default()
            };
            unless_there(
                &site.id,
                service.put_template(self.client.request(request)).await,
            )?;
            let request = PutPublicationRequest {
                district: self.id(),
                request_id: request_id("publication", &site.id),
                publication: Some(publication),
                ..PutPublicationRequest::default()
            };
            unless_there(
                &site.id,
                service.put_publication(self.client.request(request)).await,
            )?;
        }
        Ok(())
    }

    async fn staff(&mut self, person: &SampleStaff) -> Result<(), Failure> {
        let mut service = StaffServiceClient::new(self.client.channel());
        let id = &person.id;
        let staff = Staff {
            id: id.clone(),
            name: person.name.clone(),
            site: person.site.clone(),
            roles: person.roles()?,
            ..Staff::default()
        };
        let request = EnrolStaffRequest {
            district: self.id(),
            request_id: request_id("staff", id),
            staff: Some(staff),
        };
        let done = unless_there(id, service.enrol_staff(self.client.request(request)).await)?;
        self.took(done.map(|d| d.position));
        for training in person.trainings()? {
            let request = RecordTrainingRequest {
                district: self.id(),
                request_id: request_id("training", &training.certificate),
                staff: id.clone(),
                training: Some(training),
                etag: String::new(),
            };
            let done = unless_there(
                id,
                service.record_training(self.client.request(request)).await,
            )?;
            self.took(done.map(|d| d.position));
        }
        if let Some(skill) = person.skill()? {
            let request = GrantSkillRequest {
                district: self.id(),
                request_id: request_id("skill", id),
                staff: id.clone(),
                skill: Some(skill),
                etag: String::new(),
            };
            let done = unless_there(id, service.grant_skill(self.client.request(request)).await)?;
            self.took(done.map(|d| d.position));
        }
        if !person.is_active() {
            let request = SuspendStaffRequest {
                district: self.id(),
                request_id: request_id("suspended", id),
                staff: id.clone(),
                reason: person
                    .suspended_reason
                    .clone()
                    .unwrap_or_else(|| "示例".to_owned()),
                etag: String::new(),
            };
            let done = unless_there(
                id,
                service.suspend_staff(self.client.request(request)).await,
            )?;
            self.took(done.map(|d| d.position));
        }
        Ok(())
    }

    async fn applicants(&mut self) -> Result<(), Failure> {
        for applicant in &self.sample.applicants {
            let found = find_or_register(
                &self.client,
                &self.sample.district.id,
                applicant,
                request_id("applicant", &applicant.key),
            )
            .await?;
            self.took(Some(found.position));
        }
        Ok(())
    }

    async fn conflicts(&mut self) -> Result<(), Failure> {
        let mut service = StaffServiceClient::new(self.client.channel());
        for (staff, conflict) in self
            .sample
            .staff
            .iter()
            .flat_map(|s| s.conflicts.iter().map(move |c| (s, c)))
        {
            let applicant = self.sample.applicant(&conflict.applicant)?;
            let found = find_or_register(
                &self.client,
                &self.sample.district.id,
                applicant,
                request_id("applicant", &applicant.key),
            )
            .await?;
            let request = DeclareConflictRequest {
                district: self.id(),
                request_id: request_id("conflict", &format!("{}/{}", staff.id, conflict.applicant)),
                staff: staff.id.clone(),
                applicant: found.applicant.unwrap_or_default().id,
                relation: conflict.relation.clone(),
                etag: String::new(),
            };
            let done = unless_there(
                &staff.id,
                service.declare_conflict(self.client.request(request)).await,
            )?;
            self.took(done.map(|d| d.position));
        }
        Ok(())
    }
}

/// Finds an applicant by the document, or registers her; the position is empty for one who was there.
pub async fn find_or_register(
    client: &Client,
    district: &str,
    applicant: &Applicant,
    request_id: String,
) -> Result<ApplicantChange, Failure> {
    let mut service = ApplicantServiceClient::new(client.channel());
    let wanted = FindApplicantsRequest {
        district: district.to_owned(),
        document_kind: applicant.document_kind()?,
        document: applicant.document.clone(),
        telephone: String::new(),
    };
    let found = service
        .find_applicants(client.request(wanted))
        .await
        .map_err(|status| Failure::refused("the applicant cannot be looked for", &status))?
        .into_inner();
    if let Some(found) = found.applicants.into_iter().find(|a| !a.is_erased) {
        return Ok(ApplicantChange {
            applicant: Some(found),
            position: String::new(),
        });
    }
    let request = RegisterApplicantRequest {
        district: district.to_owned(),
        request_id,
        name: applicant.name.clone(),
        document_kind: applicant.document_kind()?,
        document: applicant.document.clone(),
        telephone: applicant.telephone.clone(),
        address: applicant.address.clone(),
        groups: applicant.groups()?,
        wants_reminders: applicant.wants_reminders,
    };
    service
        .register_applicant(client.request(request))
        .await
        .map(Response::into_inner)
        .map_err(|status| Failure::refused("the applicant cannot be registered", &status))
}
