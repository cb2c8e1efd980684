//! Certificates of a wrong authority, expired, or of the wrong service: refused, whoever shows them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bangban::{
    cli,
    serve::{self, Running, What},
};
use bangban_kit::{
    config::{self, Config},
    identity::{Caller, ContextKey},
    refusal,
};
use bangban_net::{
    client::{Address, Channel, Dial as _, Endpoints, Settings},
    tls::{Secure, Tls},
};
use bangban_proto::bangban::events::v1::{TailRequest, event_feed_client::EventFeedClient};
use bangban_tests::block_on;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};

use super::PATIENCE;

/// Who calls, and the service that is called.
const CALLER: &str = "supervision";
const CALLED: &str = "directory";

/// How long a connection is waited for that never stands.
const BRIEF: Duration = Duration::from_secs(1);

/// An authority, whose files lie in a folder.
struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
        ];
        let folder = folder.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let key = KeyPair::generate().expect("a key");
        let made = params.self_signed(&key).expect("a certificate");
        fs::write(folder.join("authority.pem"), made.pem()).expect("written");
        let issuer = Issuer::new(params, key);
        Self { folder, issuer }
    }

    /// A certificate of a service that lives until the first day of a year; whoever shows it trusts `trusted`.
    fn signs(&self, service: &str, until: i32, trusted: &Self) -> config::Tls {
        let dns = format!("{service}{}", bangban_net::tls::DOMAIN);
        let mut params = CertificateParams::new(vec![dns]).expect("a name");
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let made = params.signed_by(&key, &self.issuer).expect("signed");
        let file = |end: &str| self.folder.join(format!("{service}-{until}.{end}"));
        fs::write(file("pem"), made.pem()).expect("written");
        fs::write(file("key"), key.serialize_pem()).expect("written");
        config::Tls {
            certificate: file("pem"),
            key: file("key"),
            authority: trusted.folder.join("authority.pem"),
        }
    }
}

/// Everybody's authority, and a stranger's that bears the same name.
struct Setting {
    folder: TempDir,
    ours: Authority,
    theirs: Authority,
}

impl Setting {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ours = Authority::new(folder.path(), "ours");
        let theirs = Authority::new(&folder.path().join("elsewhere"), "ours");
        Self {
            folder,
            ours,
            theirs,
        }
    }

    /// Certificates of a service that nobody may believe, and what is wrong with each.
    fn wrong(&self, service: &str, other: &str) -> [(&'static str, config::Tls); 3] {
        let ours = &self.ours;
        [
            ("authority", self.theirs.signs(service, 2099, ours)),
            ("expired", ours.signs(service, 2021, ours)),
            ("service", ours.signs(other, 2099, ours)),
        ]
    }

    /// A directory that shows these.
    async fn serves(&self, tls: config::Tls) -> (Running, CancellationToken) {
        let mut config = Config {
            data: self.folder.path().join("data"),
            tls,
            ..Config::default()
        };
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.drain_seconds = 2;
        let stop = CancellationToken::new();
        let what = What::One(cli::Service::Directory);
        let running = serve::start(&config, what, stop.clone()).await;
        (running.expect("it serves"), stop)
    }

    /// Reads the directory's log in the name of a service, when it is connected within so much time.
    async fn tail(
        &self,
        running: &Running,
        files: &config::Tls,
        within: Duration,
    ) -> Result<(), Status> {
        let settings = Settings {
            wait_for_endpoint: within,
            health_timeout: within,
            ..Settings::of(CALLED)
        };
        let endpoints = format!("https://{}", running.address);
        let endpoints = Endpoints::parse(&endpoints, true).expect("an address");
        let tls = Tls::open(files).expect("files that can be read");
        let channel = Channel::balanced(endpoints, Secure::to_service(tls, CALLED), settings);
        let key = ContextKey::open_or_create(&self.folder.path().join("data/context.key"));
        let context = key.expect("a key").context(CALLER, &Caller::system(CALLER));
        let mut request = Request::new(TailRequest {
            log: CALLED.to_owned(),
            until_caught_up: true,
            ..TailRequest::default()
        });
        let bearer = format!("Bearer {}", context.expect("a context"));
        let bearer = bearer.parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        EventFeedClient::new(channel)
            .tail(request)
            .await
            .map(|_| ())
    }
}

/// What a handshake as this caller comes to: what this side says, or the other one's alert.
async fn handshake(running: &Running, files: &config::Tls) -> Result<(), String> {
    let tls = Tls::open(files).expect("files that can be read");
    let address = Address {
        host: running.address.ip().to_string(),
        port: running.address.port(),
        is_secure: true,
    };
    let dialled = Secure::to_service(tls, CALLED).dial(&address).await;
    let mut connection = dialled.map_err(|e| e.to_string())?;
    // The server has verified our certificate by the time that it speaks: HTTP/2 settings, or an alert.
    let mut first = [0];
    let read = connection.read(&mut first).await;
    read.map(|_| ()).map_err(|e| e.to_string())
}

#[test]
fn a_caller_whose_certificate_is_of_a_stranger_expired_or_of_another_service_is_refused() {
    block_on(async {
        let setting = Setting::new();
        let ours = &setting.ours;
        let (running, stop) = setting.serves(ours.signs(CALLED, 2099, ours)).await;
        let right = ours.signs(CALLER, 2099, ours);
        let believed = setting.tail(&running, &right, PATIENCE).await;
        believed.expect("believed");
        for (what, files) in setting.wrong(CALLER, "casework") {
            // Of another service the connection stands; the others are never connected.
            let within = if what == "service" { PATIENCE } else { BRIEF };
            let tailed = setting.tail(&running, &files, within).await;
            let status = tailed.expect_err(what);
            let told = handshake(&running, &files).await;
            println!("{what}: {status:?}, {told:?}");
            match what {
                "service" => {
                    // The connection stands: it is casework's. It does not speak for supervision.
                    assert_eq!(told, Ok(()));
                    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
                    let reason = refusal::reason(&status);
                    assert_eq!(reason, "CERTIFICATE_OF_ANOTHER_SERVICE");
                }
                _ => {
                    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                    let told = told.expect_err("refused");
                    assert!(told.contains("fatal alert"), "{what}: {told}");
                }
            }
        }
        // Nor does a person, who shows none.
        let person = config::Tls {
            authority: right.authority,
            ..config::Tls::default()
        };
        let tailed = setting.tail(&running, &person, PATIENCE).await;
        let status = tailed.expect_err("refused");
        assert_eq!(refusal::reason(&status), "CERTIFICATE_MISSING");
        stop.cancel();
        running.ended().await.expect("ended");
    });
}

#[test]
fn a_service_whose_certificate_is_of_a_stranger_expired_or_of_another_service_is_not_called() {
    block_on(async {
        let setting = Setting::new();
        let ours = &setting.ours;
        let caller = ours.signs(CALLER, 2099, ours);
        for (what, files) in setting.wrong(CALLED, "casework") {
            let (running, stop) = setting.serves(files).await;
            let tailed = setting.tail(&running, &caller, BRIEF).await;
            let status = tailed.expect_err(what);
            let told = handshake(&running, &caller).await.expect_err(what);
            println!("{what}: {status:?}, {told}");
            assert_eq!(status.code(), Code::Unavailable, "{status:?}");
            let why = match what {
                "authority" => "invalid peer certificate",
                "expired" => "expired",
                _ => "not valid for name",
            };
            assert!(told.contains(why), "{what}: {told}");
            stop.cancel();
            running.ended().await.expect("ended");
        }
    });
}
