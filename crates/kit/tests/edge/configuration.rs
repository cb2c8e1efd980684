//! Configuration: everything that is wrong is said at once, each with its key and what to write instead.

use bangban_kit::config::Config;

fn load(toml: &str, flags: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bangban.toml");
    std::fs::write(&file, toml).expect("written");
    let flags: Vec<_> = flags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Config::load(Some(&file), &flags).map_err(|error| error.0)
}

#[test]
fn all_mistakes_are_named_at_once_with_what_to_write_instead() {
    let toml = r#"
        dta = "/srv"
        log = 5

        [server]
        lissten = "127.0.0.1:1"
        listen = "localhost"
        drain_seconds = "soon"
        max_message_bytes = 5
        max_streams = -1

        [database]
        url = "mysql://root:secret@h/d"
        max_connections = 0
        migrate = "perhaps"

        [identity]
        issuer = ""
        audience = 5

        [peers]
        directory = "10.0.0.5:7400"
        casework = 7

        [slots]
        url = "redis://"

        [telemetry]
        otlp_endpoint = "collector:4317"
        sample_ratio = 1.5
        prometheus_listen = "9464"
        metrics_seconds = 1
        district_labels = "all"
    "#;
    let flags = [
        ("server.drain_notice_seconds", "301"),
        ("demonstration.is_enbled", "true"),
    ];
    let wrong = load(toml, &flags).expect_err("refused");
    let expected = [
        ("dta", "one of data, server, tls, database"),
        ("log", "[log] and below it format, level"),
        ("server.lissten", "listen, drain_notice_seconds"),
        ("server.listen", "127.0.0.1:7400"),
        ("server.drain_seconds", "0 to 3600"),
        ("server.drain_notice_seconds", "0 to 300"),
        ("server.max_message_bytes", "1024 to 16777216"),
        ("server.max_streams", "1 to 100000"),
        ("database.url", "\"sqlite\" or a \"postgres://\" URL"),
        ("database.max_connections", "1 to 1000"),
        ("database.migrate", "true or false"),
        ("identity.issuer", "https://"),
        ("identity.audience", "bangban"),
        ("peers.directory", "http://"),
        ("peers.casework", "http://"),
        ("slots.url", "one of data, server"),
        ("telemetry.otlp_endpoint", "http://127.0.0.1:4317"),
        ("telemetry.sample_ratio", "0.0 to 1.0"),
        ("telemetry.prometheus_listen", "127.0.0.1:9464"),
        ("telemetry.metrics_seconds", "5 to 3600"),
        ("telemetry.district_labels", "0 to 1000"),
        ("demonstration.is_enbled", "is_enabled"),
    ];
    for (key, instead) in expected {
        let start = format!("{key}: ");
        let line = wrong.iter().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{key} is not named in {wrong:#?}"));
        assert!(line.contains("write") && line.contains(instead), "{line}");
    }
    assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
    assert!(!wrong.concat().contains("secret"), "values are not told");
}

#[test]
fn what_is_at_the_edge_of_its_range_is_accepted() {
    for (key, inside, outside) in [
        ("server.drain_notice_seconds", "300", "301"),
        ("server.drain_seconds", "0", "3601"),
        ("server.max_message_bytes", "1024", "1023"),
        ("server.max_message_bytes", "16777216", "16777217"),
        ("server.max_streams", "1", "0"),
        ("server.max_in_flight", "4", "3"),
        ("server.max_in_flight", "0", "100001"),
        ("server.max_exports", "1000", "1001"),
        ("server.max_feeds", "1", "0"),
        ("server.target_milliseconds", "10000", "10001"),
        ("server.queue_milliseconds", "1", "0"),
        ("server.max_connections", "1000000", "1000001"),
        ("server.max_connection_seconds", "60", "59"),
        ("server.max_connection_seconds", "86400", "86401"),
        ("database.max_connections", "1000", "1001"),
        ("database.acquire_seconds", "1", "0"),
        ("database.url", "postgresql://h/d", "postgresfoo"),
        ("log.format", "text", "xml"),
        ("log.level", "info,sqlx=warn", "info,=,=x=y"),
        (
            "peers.directory",
            "https://directory:7400",
            "ftp://directory",
        ),
        (
            "peers.directory",
            "http://10.0.0.5:7400,http://10.0.0.6:7400",
            "http://10.0.0.5:7400,",
        ),
        (
            "peers.directory",
            "dns://directory:7400",
            "dns://directory:7400,dns://other:7400",
        ),
        ("demonstration.is_enabled", "true", "yes"),
        (
            "telemetry.otlp_endpoint",
            "http://[::1]:4317",
            "https://collector:4317",
        ),
        ("telemetry.otlp_endpoint", "", "collector"),
        ("telemetry.sample_ratio", "1", "-0.1"),
        ("telemetry.sample_ratio", "0.25", "NaN"),
        ("telemetry.prometheus_listen", "127.0.0.1:0", "localhost"),
        ("telemetry.metrics_seconds", "5", "4"),
        ("telemetry.district_labels", "1000", "1001"),
    ] {
        assert!(load("", &[(key, inside)]).is_ok(), "{key} = {inside}");
        let wrong = load("", &[(key, outside)]).expect_err(key);
        assert!(wrong.len() == 1 && wrong[0].starts_with(key), "{wrong:?}");
    }
}

#[test]
fn text_that_looks_like_a_number_stays_text_where_text_belongs() {
    let config = load("", &[("data", "123"), ("identity.audience", "true")]).expect("accepted");
    assert_eq!(config.data.to_str(), Some("123"));
    assert_eq!(config.identity.audience, "true");
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_refused() {
    let wrong = load("[server\nlisten = ", &[]).expect_err("refused");
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    let nowhere = std::path::Path::new("/nowhere/bangban.toml");
    let wrong = Config::load(Some(nowhere), &[])
        .expect_err("refused")
        .to_string();
    assert!(wrong.contains("/nowhere/bangban.toml"), "{wrong}");
}
