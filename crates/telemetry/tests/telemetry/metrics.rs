//! Gauges and counters show what was put last, and nothing that is not there any more.

use std::time::Instant;

use bangban_telemetry::gauges::{Counter, Gauge, Reading, by_district, every};

use crate::{
    receiver::Receiver,
    served::{alone, page, telling},
};

static OVERDUE: Gauge = Gauge {
    name: "bangban.tests.overdue",
    unit: "{case}",
    description: "Cases, with a \\ and\na line",
};

static LAG: Gauge = Gauge {
    name: "bangban.tests.lag",
    unit: "s",
    description: "Seconds since",
};

static ANSWERS: Counter = Counter {
    name: "bangban.tests.answers",
    unit: "{answer}",
    description: "Answers",
};

#[test]
fn gauges_show_what_was_put_last_and_nothing_else() {
    OVERDUE.put(Vec::new(), Reading::Value(1.0));
    alone(|| async {
        let (receiver, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        assert_eq!(every().map(|every| every.as_secs()), Some(30));
        let pair = |district: &str, count| (district.to_owned(), count);
        OVERDUE.replace(by_district([pair("zigui", 3.0), pair("yiling", 1.0)]));
        OVERDUE.replace(by_district([pair("zigui", 2.0)]));
        let put = Instant::now();
        LAG.put(vec![("log", "a\"b\\c\nd".to_owned())], Reading::Since(put));
        let yes = || vec![("answer", "yes".to_owned())];
        ANSWERS.put(yes(), 1);
        ANSWERS.put(yes(), 3);
        let page = page(&telemetry).await;
        let ours: Vec<&str> = page
            .lines()
            .filter(|l| l.contains("bangban_tests_overdue"))
            .collect();
        assert_eq!(
            ours,
            [
                "# HELP bangban_tests_overdue Cases, with a \\\\ and\\na line",
                "# TYPE bangban_tests_overdue gauge",
                "bangban_tests_overdue{district=\"zigui\"} 2",
            ]
        );
        let lag = page
            .lines()
            .find_map(|l| l.strip_prefix("bangban_tests_lag_seconds{log=\"a\\\"b\\\\c\\nd\"} "))
            .expect(&page);
        let lag: f64 = lag.parse().expect("seconds");
        assert!(
            lag > 0.0 && lag <= put.elapsed().as_secs_f64(),
            "{lag}: {page}"
        );
        let counted: Vec<&str> = page
            .lines()
            .filter(|l| l.contains("bangban_tests_answers") && !l.contains("HELP"))
            .collect();
        assert_eq!(
            counted,
            [
                "# TYPE bangban_tests_answers_total counter",
                "bangban_tests_answers_total{answer=\"yes\"} 3",
            ]
        );
        telemetry.end().await;
        assert!(every().is_none(), "nobody reads any more");
        let names: Vec<String> = receiver
            .metrics()
            .into_iter()
            .map(|(_, m)| m.name)
            .collect();
        assert!(names.iter().any(|name| name == OVERDUE.name), "{names:?}");
    });
}
