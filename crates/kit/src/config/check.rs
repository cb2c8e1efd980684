//! What is wrong with a configuration: every key at once, each with what to write instead.

use figment::{
    Figment,
    providers::Serialized,
    value::{Dict, Value},
};
use tracing_subscriber::EnvFilter;

use super::Config;

/// Every key, and what may stand there.
const KEYS: [(&str, &str); 38] = [
    ("data", "a folder, such as \"/var/lib/bangban\""),
    (
        "server.listen",
        "an address and a port, such as \"127.0.0.1:7400\"",
    ),
    ("server.drain_notice_seconds", "a number from 0 to 300"),
    ("server.drain_seconds", "a number from 0 to 3600"),
    ("server.max_message_bytes", "a number from 1024 to 16777216"),
    ("server.max_streams", "a number from 1 to 100000"),
    (
        "server.max_in_flight",
        "a number from 4 to 100000, or 0 for what suits the processors",
    ),
    (
        "server.max_exports",
        "a number from 1 to 1000, or 0 for what suits the processors",
    ),
    ("server.max_feeds", "a number from 1 to 10000"),
    ("server.target_milliseconds", "a number from 1 to 10000"),
    ("server.queue_milliseconds", "a number from 1 to 10000"),
    ("server.max_connections", "a number from 1 to 1000000"),
    ("server.max_connection_seconds", "a number from 60 to 86400"),
    (
        "tls.certificate",
        "a PEM file, together with tls.key and tls.authority, or \"\" for no TLS",
    ),
    ("tls.key", "the PEM file with the key of tls.certificate"),
    (
        "tls.authority",
        "the PEM file with the authorities that sign certificates of services",
    ),
    ("database.url", "\"sqlite\" or a \"postgres://\" URL"),
    ("database.max_connections", "a number from 1 to 1000"),
    ("database.acquire_seconds", "a number from 1 to 300"),
    ("database.migrate", "true or false"),
    (
        "identity.issuer",
        "the issuer of the tokens, such as \"https://login.example.cn\"",
    ),
    (
        "identity.audience",
        "the audience of the tokens, such as \"bangban\"",
    ),
    (
        "identity.jwks",
        "a file with a key set, or \"\" for an issuer of our own",
    ),
    (
        "identity.context_key",
        "a file, or \"\" for the one in the data folder",
    ),
    (
        "identity.keyring",
        "a file, or \"\" for the one in the data folder",
    ),
    ("log.format", "\"json\" or \"text\""),
    (
        "log.level",
        "a level, or directives such as \"info,sqlx=warn\"",
    ),
    (
        "telemetry.otlp_endpoint",
        "the URL of a collector, such as \"http://127.0.0.1:4317\", or \"\" for none",
    ),
    ("telemetry.sample_ratio", "a number from 0.0 to 1.0"),
    (
        "telemetry.prometheus_listen",
        "an address and a port, such as \"127.0.0.1:9464\", or \"\" for none",
    ),
    ("telemetry.metrics_seconds", "a number from 5 to 3600"),
    ("telemetry.district_labels", "a number from 0 to 1000"),
    (
        "demonstration.is_enabled",
        "true or false; false where identity.jwks names a real issuer",
    ),
    (
        "redis.url",
        "a URL such as \"redis://10.0.0.6:6379\", \"redis-sentinel://10.0.0.6:26379,10.0.0.7:26379/main\" or \"redis-cluster://10.0.0.6:6379\", or \"\" for a gate in memory",
    ),
    (
        "redis.tls_roots",
        "a file with certificates, or \"\" for those of the system",
    ),
    (
        "scheduling.link_key",
        "a file, or \"\" for the one in the data folder",
    ),
    (
        "scheduling.is_single_process",
        "true or false; true only where one process serves appointments",
    ),
    (
        "peers",
        "a section with URLs for each name, such as directory = \"https://10.0.0.5:7400,https://10.0.0.6:7400\"",
    ),
];

/// The configuration, or all that is wrong with it.
pub(super) fn checked(figment: &Figment) -> Result<Config, Vec<String>> {
    let merged: Dict = figment.extract().map_err(|e| {
        // A file that is no TOML: nothing is known of its keys.
        e.into_iter().map(|e| e.to_string()).collect::<Vec<_>>()
    })?;
    let mut leaves = Vec::new();
    gather("", &merged, &mut leaves);
    let mut wrong = Vec::new();
    let mut good = Figment::from(Serialized::defaults(Config::default()));
    for (key, value) in leaves {
        if !is_known(&key) {
            wrong.push(unknown(&key));
        } else if fits(&key, &value) {
            good = good.merge(Serialized::default(&key, value));
        } else {
            wrong.push(instead(&key));
        }
    }
    let config: Config = good
        .extract()
        .map_err(|e| e.into_iter().map(|e| e.to_string()).collect::<Vec<_>>())?;
    wrong.extend(out_of_range(&config));
    if wrong.is_empty() {
        Ok(config)
    } else {
        Err(wrong)
    }
}

/// The value of a flag: text, or where no text may stand the number or truth value that it reads as.
pub(super) fn flag(key: &str, text: &str) -> Value {
    let number = text.parse::<u64>().ok().map(Value::from);
    let fraction = text.parse::<f64>().ok().map(Value::from);
    let truth = text.parse::<bool>().ok().map(Value::from);
    let as_text = Value::from(text);
    [Some(as_text.clone()), number, fraction, truth]
        .into_iter()
        .flatten()
        .find(|value| is_known(key) && fits(key, value))
        .unwrap_or(as_text)
}

/// Every value with its key; a section without values is one.
fn gather(above: &str, dict: &Dict, leaves: &mut Vec<(String, Value)>) {
    for (name, value) in dict {
        let key = if above.is_empty() {
            name.clone()
        } else {
            format!("{above}.{name}")
        };
        match value {
            Value::Dict(_, inner) if !inner.is_empty() => gather(&key, inner, leaves),
            Value::Dict(..) if is_section(&key) => {}
            _ => leaves.push((key, value.clone())),
        }
    }
}

fn is_known(key: &str) -> bool {
    let is_peer = key
        .strip_prefix("peers.")
        .is_some_and(|name| !name.contains('.'));
    is_peer || KEYS.iter().any(|(known, _)| *known == key)
}

fn is_section(key: &str) -> bool {
    key == "peers" || keys_of(key).next().is_some()
}

/// The names of a section's keys.
fn keys_of(section: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter_map(move |(key, _)| key.strip_prefix(section)?.strip_prefix('.'))
}

/// Whether a value is of the kind that its key wants.
fn fits(key: &str, value: &Value) -> bool {
    Figment::from(Serialized::defaults(Config::default()))
        .merge(Serialized::default(key, value.clone()))
        .extract::<Config>()
        .is_ok()
}

fn unknown(key: &str) -> String {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let list = |names: Vec<&str>| names.join(", ");
    if is_section(key) {
        return format!(
            "{key}: is a section: write [{key}] and below it {}",
            list(keys_of(key).collect())
        );
    }
    if is_section(section) {
        return format!(
            "{key}: there is no such key: write one of {} in [{section}] instead of {name}",
            list(keys_of(section).collect())
        );
    }
    let mut top: Vec<&str> = KEYS
        .iter()
        .map(|(key, _)| key.split('.').next().unwrap_or(key))
        .collect();
    top.dedup();
    format!(
        "{key}: there is no such key: write one of {} instead",
        list(top)
    )
}

/// The sentence for a value that may not stand there. The value itself is not told: it may hold a password.
fn instead(key: &str) -> String {
    let place = if key.starts_with("peers.") {
        "URLs with a port, separated by commas, such as \"http://10.0.0.5:7400\", or one \"dns://NAME:PORT\""
    } else {
        KEYS.iter()
            .find(|(known, _)| *known == key)
            .map_or("", |(_, place)| place)
    };
    format!("{key}: write {place}")
}

fn out_of_range(config: &Config) -> Vec<String> {
    let (server, database, identity) = (&config.server, &config.database, &config.identity);
    let is_url = |url: &str| url.starts_with("postgres://") || url.starts_with("postgresql://");
    let tls = &config.tls;
    let is_named = |path: &std::path::Path| !path.as_os_str().is_empty();
    let has_certificate = is_named(&tls.certificate);
    let is_redis = |url: &str| {
        let kinds = ["redis", "redis-sentinel", "redis-cluster"];
        let plain = url.replacen("rediss", "redis", 1);
        let (kind, hosts) = plain.split_once("://").unwrap_or_default();
        let has_master = hosts
            .split_once('/')
            .is_some_and(|(_, master)| !master.is_empty());
        kinds.contains(&kind) && !hosts.is_empty() && (kind != "redis-sentinel" || has_master)
    };
    let has_issuer = !identity.jwks.as_os_str().is_empty();
    let rules = [
        ("data", !config.data.as_os_str().is_empty()),
        (
            "server.drain_notice_seconds",
            server.drain_notice_seconds <= 300,
        ),
        ("server.drain_seconds", server.drain_seconds <= 3600),
        (
            "server.max_message_bytes",
            (1024..=16 << 20).contains(&server.max_message_bytes),
        ),
        (
            "server.max_streams",
            (1..=100_000).contains(&server.max_streams),
        ),
        (
            "server.max_in_flight",
            matches!(server.max_in_flight, 0 | 4..=100_000),
        ),
        ("server.max_exports", server.max_exports <= 1000),
        ("server.max_feeds", (1..=10_000).contains(&server.max_feeds)),
        (
            "server.target_milliseconds",
            (1..=10_000).contains(&server.target_milliseconds),
        ),
        (
            "server.queue_milliseconds",
            (1..=10_000).contains(&server.queue_milliseconds),
        ),
        (
            "server.max_connections",
            (1..=1_000_000).contains(&server.max_connections),
        ),
        (
            "server.max_connection_seconds",
            (60..=86_400).contains(&server.max_connection_seconds),
        ),
        ("tls.key", is_named(&tls.key) == has_certificate),
        (
            "tls.authority",
            is_named(&tls.authority) || !has_certificate,
        ),
        (
            "database.url",
            database.url == "sqlite" || is_url(&database.url),
        ),
        (
            "database.max_connections",
            (1..=1000).contains(&database.max_connections),
        ),
        (
            "database.acquire_seconds",
            (1..=300).contains(&database.acquire_seconds),
        ),
        ("identity.issuer", !identity.issuer.is_empty()),
        ("identity.audience", !identity.audience.is_empty()),
        (
            "redis.url",
            config.redis.url.is_empty() || is_redis(&config.redis.url),
        ),
        ("log.level", EnvFilter::try_new(&config.log.level).is_ok()),
        (
            "demonstration.is_enabled",
            !(config.demonstration.is_enabled && has_issuer),
        ),
    ];
    let broken = rules.iter().filter(|(_, holds)| !holds);
    let peers = config.peers.iter().filter(|(_, urls)| !are_endpoints(urls));
    let telemetry = config.telemetry.wrong().into_iter();
    broken
        .map(|(key, _)| instead(key))
        .chain(telemetry.map(|key| instead(&format!("telemetry.{key}"))))
        .chain(peers.map(|(name, _)| instead(&format!("peers.{name}"))))
        .collect()
}

/// Whether a text says where a service is: URLs with a port, separated by commas, or one name in DNS.
fn are_endpoints(text: &str) -> bool {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    parts.iter().all(|part| {
        part.parse::<http::Uri>().is_ok_and(|uri| {
            let is_known = match uri.scheme_str() {
                Some("http" | "https") => true,
                Some("dns") => parts.len() == 1,
                _ => false,
            };
            is_known && uri.host().is_some() && uri.port_u16().is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_may_stand_there() {
        let defaults: Dict = Figment::from(Serialized::defaults(Config::default()))
            .extract()
            .expect("the defaults");
        let mut leaves = Vec::new();
        gather("", &defaults, &mut leaves);
        let mut keys: Vec<String> = leaves.into_iter().map(|(key, _)| key).collect();
        keys.push("peers".to_owned());
        keys.sort();
        let mut known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        known.sort_unstable();
        assert_eq!(keys, known);
    }
}
