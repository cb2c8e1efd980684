use std::io::{BufReader, Read};

use bangban_ledger::ProblemKind::{EndMissing, LineTooLong, UnknownLine};
use bangban_ledger::{MAX_LINE_BYTES, MAX_PROBLEMS, verify};

use crate::sample::{bytes, good, kinds, report};

#[test]
fn a_line_beyond_the_bound_is_skipped() {
    let mut lines = good();
    lines.insert(7, "x".repeat(MAX_LINE_BYTES + 1));
    let report = report(&lines);
    assert_eq!(kinds(&report)[0], LineTooLong);
    assert_eq!((report.cases, report.verified), (3, 2));
}

#[test]
fn a_line_at_the_bound_is_read() {
    let mut lines = good();
    let padding = MAX_LINE_BYTES - r#"{"line":"later","x":""}"#.len();
    lines.insert(
        7,
        format!(r#"{{"line":"later","x":"{}"}}"#, "x".repeat(padding)),
    );
    assert_eq!(kinds(&report(&lines))[0], UnknownLine);
}

#[test]
fn an_endless_line_is_never_held() {
    let endless = std::io::repeat(b'x').take(3 * MAX_LINE_BYTES as u64);
    let head = good().remove(0);
    let input = BufReader::new(head.as_bytes().chain(&b"\n"[..]).chain(endless));
    assert_eq!(kinds(&verify(input).unwrap()), [LineTooLong, EndMissing]);
}

#[test]
fn problems_beyond_the_limit_are_counted() {
    let mut lines = good();
    lines.splice(
        1..1,
        std::iter::repeat_n(r#"{"line":"x"}"#.to_owned(), 3 * MAX_PROBLEMS),
    );
    let report = report(&lines);
    assert_eq!(report.problems.len(), MAX_PROBLEMS);
    assert_eq!(report.problem_count, 3 * MAX_PROBLEMS as u64 + 1);
}

#[test]
fn sentences_quote_little_of_the_file_and_nothing_that_moves_a_cursor() {
    let mut lines = good();
    lines.insert(1, format!(r#"{{"line":"\u001b[2J{}"}}"#, "x".repeat(5_000)));
    let problem = &report(&lines).problems[0];
    for text in [&problem.en, &problem.zh] {
        assert!(
            text.chars().count() < 300 && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}

#[test]
fn small_reads_give_the_same_report() {
    let bytes = bytes(&good());
    assert!(
        verify(BufReader::with_capacity(1, &*bytes))
            .unwrap()
            .is_good()
    );
}
