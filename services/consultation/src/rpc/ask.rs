//! What directory is asked each time, because it must be right at once: staff, site and applicant (BB-5.2, BB-6).

use bangban_kit::{access::Deadline, identity::Caller};
use bangban_learned::absence;
use bangban_net::peer::Peer;
use bangban_proto::bangban::directory::v1::{
    Applicant, GetApplicantRequest, GetSiteRequest, GetStaffRequest,
    applicant_service_client::ApplicantServiceClient, site_service_client::SiteServiceClient,
    staff_service_client::StaffServiceClient,
};
use chrono::NaiveDate;
use tonic::Status;

use crate::domain::{Assigned, assignment};

/// About whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) district: &'a str,
    pub(crate) staff: &'a str,
    pub(crate) site: &'a str,
    /// Empty for none.
    pub(crate) applicant: &'a str,
}

/// Asks whether somebody may take a contact today. The service asks in its own name: the receiver of a hand-over may
/// serve where the giver sees nobody.
///
/// # Errors
/// Directory's refusals; those of [`assignment::check`]; DIRECTORY_UNAVAILABLE when it cannot be asked.
pub(crate) async fn assigned(
    directory: &Peer,
    deadline: Option<Deadline>,
    about: About<'_>,
    today: NaiveDate,
) -> Result<Assigned, Status> {
    let system = Caller::system("consultation");
    let district = about.district.to_owned();
    let staff = GetStaffRequest {
        district: district.clone(),
        staff: about.staff.to_owned(),
        after: String::new(),
    };
    let staff = directory.request(&system, deadline, staff)?;
    let site = GetSiteRequest {
        district,
        site: about.site.to_owned(),
        after: String::new(),
    };
    let site = directory.request(&system, deadline, site)?;
    let mut staffs = StaffServiceClient::new(directory.channel.clone());
    let mut sites = SiteServiceClient::new(directory.channel.clone());
    let person = async {
        match about.applicant {
            "" => Ok(None),
            id => applicant(directory, deadline, about.district, id)
                .await
                .map(Some),
        }
    };
    let asked = tokio::try_join!(staffs.get_staff(staff), sites.get_site(site), person);
    let (staff, site, person) = asked.map_err(|status| absence::told(status, deadline))?;
    let (staff, site) = (staff.into_inner(), site.into_inner());
    Ok(assignment::check(&staff, &site, person.as_ref(), today)?)
}

/// An applicant as everyone sees it: masked.
///
/// # Errors
/// Directory's.
pub(crate) async fn applicant(
    directory: &Peer,
    deadline: Option<Deadline>,
    district: &str,
    id: &str,
) -> Result<Applicant, Status> {
    let request = GetApplicantRequest {
        district: district.to_owned(),
        applicant: id.to_owned(),
        after: String::new(),
    };
    let request = directory.request(&Caller::system("consultation"), deadline, request)?;
    let mut applicants = ApplicantServiceClient::new(directory.channel.clone());
    Ok(applicants.get_applicant(request).await?.into_inner())
}
