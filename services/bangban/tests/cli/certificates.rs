//! Certificates of an installation, as files.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// The name in the server's certificate, beside its address.
pub const SERVER: &str = "bangban.internal";

/// An authority in a folder: `authority.pem`, and what it signs.
pub struct Authority<'a> {
    issuer: Issuer<'static, KeyPair>,
    folder: &'a Path,
}

impl<'a> Authority<'a> {
    pub fn in_folder(folder: &'a Path) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        // Another subject than those it signs, which otherwise look signed by themselves.
        let subject = &mut params.distinguished_name;
        subject.push(DnType::CommonName, "authority of the installation");
        let key = KeyPair::generate().expect("a key");
        let own = params.self_signed(&key).expect("a certificate");
        fs::write(folder.join("authority.pem"), own.pem()).expect("written");
        Self {
            issuer: Issuer::new(params, key),
            folder,
        }
    }

    /// A certificate for these names or addresses, in `NAME.pem` and `NAME.key`.
    pub fn sign(&self, name: &str, names: &[&str]) {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let params = CertificateParams::new(names).expect("names");
        let signed = params.signed_by(&key, &self.issuer).expect("signed");
        let write = |end: &str, text: String| {
            fs::write(self.folder.join(format!("{name}.{end}")), text).expect("written");
        };
        write("pem", signed.pem());
        write("key", key.serialize_pem());
    }
}
