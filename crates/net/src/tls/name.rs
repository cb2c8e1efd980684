//! Which service a certificate is of.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::DOMAIN;

/// The service that a verified certificate names; none when it is somebody else's.
pub(crate) fn service(certificate: &CertificateDer<'_>) -> Option<Arc<str>> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    certificate
        .valid_dns_names()
        .find_map(|name| name.strip_suffix(DOMAIN))
        .filter(|name| !name.is_empty() && !name.contains(['.', '*']))
        .map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str]) -> CertificateDer<'static> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        made.cert.der().clone()
    }

    #[test]
    fn a_certificate_names_one_service_or_none() {
        let of = |names: &[&str]| service(&made(names));
        assert_eq!(
            of(&["127.0.0.1", "casework.bangban.internal"]).as_deref(),
            Some("casework")
        );
        assert_eq!(of(&["casework.example.cn"]), None);
        assert_eq!(of(&["*.bangban.internal"]), None);
        assert_eq!(of(&["a.b.bangban.internal"]), None);
        assert_eq!(of(&["bangban.internal"]), None);
    }
}
