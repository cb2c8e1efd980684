//! PEM files become what rustls takes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{Context, SHA256};
use bangban_kit::config;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs::default_provider},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::Pair;

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}; look at [tls] with `bangban config check`", path.display())]
pub struct Unusable {
    path: PathBuf,
    what: String,
}

fn unusable(path: &Path, what: impl std::fmt::Display) -> Unusable {
    Unusable {
        path: path.to_owned(),
        what: what.to_string(),
    }
}

struct Own {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

pub(super) fn read(files: &config::Tls) -> Result<Pair, Unusable> {
    let provider = Arc::new(default_provider());
    let mut digest = Context::new(&SHA256);
    let mut text = |path: &Path| {
        let text = fs::read(path).map_err(|e| unusable(path, e))?;
        digest.update(&text);
        Ok::<_, Unusable>(text)
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates(&files.authority, &text(&files.authority)?)? {
        roots
            .add(authority)
            .map_err(|e| unusable(&files.authority, e))?;
    }
    let own = if files.certificate.as_os_str().is_empty() {
        None
    } else {
        let chain = certificates(&files.certificate, &text(&files.certificate)?)?;
        let key = PrivateKeyDer::from_pem_slice(&text(&files.key)?)
            .map_err(|e| unusable(&files.key, e))?;
        Some(Own { chain, key })
    };
    let roots = Arc::new(roots);
    Ok(Pair {
        client: Arc::new(client(&provider, &roots, own.as_ref(), files)?),
        server: own
            .map(|own| server(&provider, &roots, own, files).map(Arc::new))
            .transpose()?,
        digest: digest.finish().as_ref().try_into().unwrap_or_default(),
    })
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|e| unusable(path, e))?;
    if found.is_empty() {
        return Err(unusable(path, "there is no certificate in it"));
    }
    Ok(found)
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    own: Option<&Own>,
    files: &config::Tls,
) -> Result<ClientConfig, Unusable> {
    let wrong = |e: rustls::Error| unusable(&files.certificate, e);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_root_certificates(roots.clone());
    let mut config = match own {
        Some(own) => builder
            .with_client_auth_cert(own.chain.clone(), own.key.clone_key())
            .map_err(wrong)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// People and their tools show no certificate; one that is shown has to be of the authority.
fn server(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    own: Own,
    files: &config::Tls,
) -> Result<ServerConfig, Unusable> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|e| unusable(&files.authority, e))?;
    let wrong = |e: rustls::Error| unusable(&files.certificate, e);
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(own.chain, own.key)
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed session is not verified again: it would outlive its authority.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}
