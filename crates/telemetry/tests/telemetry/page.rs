//! The page is what Prometheus's text format says, line by line.

use std::collections::{HashMap, HashSet};

use crate::{
    receiver::Receiver,
    served::{alone, feed, get, page, tail, telling},
};

/// Name, labels and value of a line.
fn parsed(line: &str) -> (String, Vec<(String, String)>, f64) {
    let end = line.find(['{', ' ']).expect("a name");
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once("=\"").expect("a label");
            let (mut value, mut chars) = (String::new(), after.char_indices());
            let end = loop {
                match chars.next().expect("a closing quote") {
                    (_, '\\') => match chars.next().expect("an escape").1 {
                        'n' => value.push('\n'),
                        c @ ('\\' | '"') => value.push(c),
                        c => panic!("\\{c} is no escape"),
                    },
                    (at, '"') => break at,
                    (_, c) => value.push(c),
                }
            };
            labels.push((key.to_owned(), value));
            rest = after[end + 1..].trim_start_matches(',');
        }
        rest = &rest[1..];
    }
    let value = rest.trim().replace("+Inf", "inf");
    (name.to_owned(), labels, value.parse().expect("a number"))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[test]
fn the_page_is_in_the_text_format() {
    alone(|| async {
        let (_, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        let (_, done) = tail(&mut feed().await, "ends").await;
        done.expect("it ends well");
        let answer = page(&telemetry).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.starts_with("HTTP/1.1 200") && head.contains("version=0.0.4"),
            "{head}"
        );
        let (mut kinds, mut seen) = (HashMap::new(), HashSet::new());
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a kind");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(
                    kinds.insert(name.to_owned(), kind.to_owned()).is_none(),
                    "{line}: twice"
                );
            }
            if line.starts_with('#') {
                continue;
            }
            let (name, labels, value) = parsed(line);
            assert!(is_name(&name) && value >= 0.0, "{line}");
            assert!(labels.iter().all(|(key, _)| is_name(key)), "{line}");
            assert!(seen.insert((name.clone(), labels.clone())), "{line}: twice");
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end).filter(|f| kinds.contains_key(*f)));
            assert!(
                kinds.contains_key(family.unwrap_or(&name)),
                "{line}: no TYPE"
            );
        }
        for (name, kind) in [
            ("rpc_server_call_duration_seconds", "histogram"),
            ("rpc_client_call_duration_seconds", "histogram"),
            ("bangban_client_retries_total", "counter"),
            ("target_info", "gauge"),
        ] {
            assert_eq!(
                kinds.get(name).map(String::as_str),
                Some(kind),
                "{name}\n{body}"
            );
        }
        // Buckets add up: each holds those below it, and the last holds all.
        let buckets: Vec<f64> = body
            .lines()
            .filter(|l| l.starts_with("rpc_server_call_duration_seconds_bucket"))
            .map(|l| parsed(l).2)
            .collect();
        assert!(
            buckets.is_sorted() && buckets.last() == Some(&1.0),
            "{buckets:?}"
        );
        let address = telemetry.prometheus.expect("an address");
        assert!(get(address, "GET", "/").await.starts_with("HTTP/1.1 404"));
        assert!(
            get(address, "POST", "/metrics")
                .await
                .starts_with("HTTP/1.1 405")
        );
        telemetry.end().await;
        assert!(
            tokio::net::TcpStream::connect(address).await.is_err(),
            "nobody listens any more"
        );
    });
}
