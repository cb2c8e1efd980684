//! Certificates of services, made for a test.

use std::path::{Path, PathBuf};

use bangban_kit::config;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};

/// An authority, which writes what it makes into a folder.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one.
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let made = params.self_signed(&key).unwrap();
        std::fs::write(folder.join("authority.pem"), made.pem()).unwrap();
        Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(params, key),
        }
    }

    /// What somebody without a certificate knows.
    pub fn known(&self) -> config::Tls {
        config::Tls {
            authority: self.folder.join("authority.pem"),
            ..config::Tls::default()
        }
    }

    /// A certificate of a service that lives until this year.
    pub fn of(&self, service: &str, until: i32) -> config::Tls {
        let names = vec![
            format!("{service}.bangban.internal"),
            "127.0.0.1".to_owned(),
        ];
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        let files = config::Tls {
            certificate: self.folder.join(format!("{service}.pem")),
            key: self.folder.join(format!("{service}.key")),
            ..self.known()
        };
        std::fs::write(&files.certificate, made.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}
