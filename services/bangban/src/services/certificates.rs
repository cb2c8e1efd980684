//! An authority made on the spot, and a certificate of each service: its DNS name says which service it is,
//! `casework.bangban.internal`, whatever the address.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{Datelike as _, Days, NaiveDate, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::files::write_secret;
use crate::failure::Failure;

/// Days that the authority lives.
const AUTHORITY_DAYS: u64 = 730;

/// Days that a service's certificate lives.
const SERVICE_DAYS: u64 = 90;

const DAY: Duration = Duration::from_secs(86_400);

/// Where the three PEM files of a service are.
#[derive(Debug, Clone)]
pub struct Files {
    /// Its certificate.
    pub certificate: PathBuf,
    /// The private key of that.
    pub key: PathBuf,
    /// The authority that all certificates of the installation are of.
    pub authority: PathBuf,
}

impl Files {
    /// Those of `name` in a folder.
    pub(super) fn of(folder: &Path, name: &str) -> Self {
        Self {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
            authority: folder.join("authority.pem"),
        }
    }
}

/// Makes what is missing in the folder, or has lived for a third of its time.
///
/// # Errors
/// The file system's; a key file that holds no key.
pub(super) fn make(folder: &Path, names: &[&str]) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|e| {
        Failure::of(
            &format!(
                "the folder {} cannot be made; choose another with --data",
                folder.display()
            ),
            &e,
        )
    })?;
    let unusable = |e: rcgen::Error| {
        Failure::of(
            &format!(
                "certificates cannot be made; remove the folder {} and start again",
                folder.display()
            ),
            &e,
        )
    };
    let authority = Files::of(folder, "authority");
    let is_new = !is_young(&[&authority.certificate, &authority.key], AUTHORITY_DAYS);
    if is_new {
        let key = KeyPair::generate().map_err(unusable)?;
        let made = authority_params().self_signed(&key).map_err(unusable)?;
        write_secret(&authority.key, &key.serialize_pem())?;
        write_secret(&authority.certificate, &made.pem())?;
    }
    let key = fs::read_to_string(&authority.key)
        .map_err(|e| Failure::of(&format!("{} cannot be read", authority.key.display()), &e))?;
    let key = KeyPair::from_pem(&key).map_err(unusable)?;
    let issuer = Issuer::new(authority_params(), key);
    for name in names {
        let files = Files::of(folder, name);
        if !is_new && is_young(&[&files.certificate, &files.key], SERVICE_DAYS) {
            continue;
        }
        let key = KeyPair::generate().map_err(unusable)?;
        let made = service_params(name)
            .and_then(|params| params.signed_by(&key, &issuer))
            .map_err(unusable)?;
        write_secret(&files.key, &key.serialize_pem())?;
        write_secret(&files.certificate, &made.pem())?;
    }
    Ok(())
}

/// Whether all files are there and younger than a third of what they live.
fn is_young(files: &[&Path], days: u64) -> bool {
    let life = DAY * u32::try_from(days).unwrap_or(u32::MAX) / 3;
    files.iter().all(|file| {
        fs::metadata(file)
            .and_then(|file| file.modified())
            .is_ok_and(|made| made.elapsed().is_ok_and(|age| age < life))
    })
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    // One step only: a service's certificate is no authority.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params
        .distinguished_name
        .push(DnType::CommonName, "bangban services, made on the spot");
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    lives(&mut params, AUTHORITY_DAYS);
    params
}

fn service_params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let dns = format!("{name}.bangban.internal");
    // The address is for people's tools; services look at the name.
    let mut params = CertificateParams::new(vec![dns.clone(), "127.0.0.1".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, dns);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    lives(&mut params, SERVICE_DAYS);
    Ok(params)
}

/// From yesterday, because clocks differ.
fn lives(params: &mut CertificateParams, days: u64) {
    let today = Utc::now().date_naive();
    let at = |day: NaiveDate| {
        let (month, day_of_month) = (day.month() as u8, day.day() as u8);
        rcgen::date_time_ymd(day.year(), month, day_of_month)
    };
    params.not_before = at(today - Days::new(1));
    params.not_after = at(today + Days::new(days));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_once_and_only_the_owner_reads_keys() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["directory", "casework"];
        let read = |name: &str| {
            let files = Files::of(folder.path(), name);
            let mode = fs::metadata(&files.key)
                .expect("a key")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
            fs::read_to_string(&files.certificate).expect("a certificate")
        };
        make(folder.path(), &names).expect("made");
        let (authority, first) = (read("authority"), read("casework"));
        make(folder.path(), &names).expect("there");
        assert_eq!((read("authority"), read("casework")), (authority, first));
        fs::remove_file(folder.path().join("authority.key")).expect("removed");
        let before = read("directory");
        make(folder.path(), &names).expect("made anew");
        assert_ne!(read("directory"), before, "of the new authority");
    }
}
