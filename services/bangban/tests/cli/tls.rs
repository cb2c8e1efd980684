//! TLS in front of an instance, as a gateway of the installation would speak it: it asks callers for a certificate too.

use std::{fs, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
    },
};

/// The name in its certificate: not the address.
pub const NAME: &str = "bangban.internal";

/// Runs until it is dropped.
pub struct Front {
    pub address: String,
    /// PEM files: of the authority, and of a caller.
    pub authority: String,
    pub certificate: String,
    pub key: String,
    _runtime: Runtime,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn make() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        // Another subject than those it signs, which otherwise look signed by themselves.
        let subject = &mut params.distinguished_name;
        subject.push(DnType::CommonName, "authority of the front");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let made = params.signed_by(&key, &self.issuer);
        (made.expect("a certificate"), key)
    }

    /// Only callers with a certificate of this authority.
    fn server(&self) -> ServerConfig {
        let (certificate, key) = self.sign(NAME);
        let chain: Vec<CertificateDer<'_>> = vec![certificate.der().clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        let authority = self.certificate.der().clone();
        roots.add(authority).expect("an authority");
        let callers =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(callers.build().expect("a verifier"))
            .with_single_cert(chain, key)
            .expect("a server");
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

impl Front {
    /// Before what listens in plain text at `address`; its files are in the folder.
    pub fn before(address: &str, folder: &Path) -> Self {
        let authority = Authority::make();
        let (certificate, key) = authority.sign("caller.bangban.internal");
        let written = |name: &str, text: String| {
            let file = folder.join(name);
            fs::write(&file, text).expect("written");
            file.display().to_string()
        };
        let runtime = Runtime::new().expect("a runtime");
        let acceptor = TlsAcceptor::from(Arc::new(authority.server()));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port");
        let front = Self {
            address: listener.local_addr().expect("an address").to_string(),
            authority: written("front-authority.pem", authority.certificate.pem()),
            certificate: written("front-caller.pem", certificate.pem()),
            key: written("front-caller.key", key.serialize_pem()),
            _runtime: runtime,
        };
        front
            ._runtime
            .spawn(relay(listener, acceptor, address.to_owned()));
        front
    }
}

async fn relay(listener: TcpListener, acceptor: TlsAcceptor, to: String) {
    while let Ok((caller, _)) = listener.accept().await {
        let (acceptor, to) = (acceptor.clone(), to.clone());
        tokio::spawn(async move {
            if let (Ok(mut caller), Ok(mut server)) =
                tokio::join!(acceptor.accept(caller), TcpStream::connect(&to))
            {
                let _ = copy_bidirectional(&mut caller, &mut server).await;
            }
        });
    }
}
