//! Verifies an export, reading it once, holding one line and one case's name.

use std::io::{self, BufRead};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::line::{ActLine, CaseLine, EndLine, Format, HeadLine, Kind};
use crate::lines::{Ended, Lines};
use crate::{EntryRef, FORMAT, Hash, Head, ProblemKind, Report, START, VERSION, instant};

/// One case of an export, after its last act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ledger<'a> {
    /// The case's id.
    pub subject: &'a str,
    /// Its receipt number as the export states it; the chain does not cover it.
    pub receipt: Option<&'a str>,
    /// How many acts the case line states.
    pub act_count: u64,
    /// The head that the case line states.
    pub head: &'a Hash,
    /// Whether the chain holds, from the first act to this head.
    pub holds: bool,
}

/// Verifies an export. What is wrong with it is in the report.
///
/// # Errors
/// Only those of the reader.
pub fn verify(input: impl BufRead) -> io::Result<Report> {
    verify_each(input, |_| {})
}

/// Verifies an export and hands out each case, so that heads are compared with those that are held elsewhere.
///
/// # Errors
/// Only those of the reader.
pub fn verify_each(input: impl BufRead, each: impl FnMut(&Ledger<'_>)) -> io::Result<Report> {
    let mut lines = Lines::new(input);
    let mut verifier = Verifier {
        report: Report::default(),
        each,
        line: 0,
        district: String::new(),
        last: None,
        open: None,
    };
    while let Some((ended, before)) = lines.next()? {
        verifier.line = lines.number;
        let next = match ended {
            Ended::Cut => break,
            Ended::TooLong => verifier.broken(ProblemKind::LineTooLong, ""),
            Ended::Whole => verifier.line(&lines.text, before),
        };
        match next {
            Next::Line => {}
            Next::Stop => return Ok(verifier.report),
            Next::End => {
                if lines.next()?.is_some() {
                    verifier.line = lines.number;
                    verifier.add(None, ProblemKind::AfterEnd, "");
                }
                return Ok(verifier.report);
            }
        }
    }
    verifier.close();
    if verifier.report.head.is_none() {
        verifier.add(None, ProblemKind::HeadMissing, "");
    }
    verifier.add(None, ProblemKind::EndMissing, "");
    Ok(verifier.report)
}

enum Next {
    Line,
    End,
    Stop,
}

struct Verifier<F> {
    report: Report,
    each: F,
    line: u64,
    district: String,
    /// The greatest subject so far.
    last: Option<String>,
    open: Option<Open>,
}

struct Open {
    line: u64,
    subject: String,
    receipt: Option<String>,
    act_count: u64,
    head: Hash,
    seen: u64,
    expected: u64,
    previous: Hash,
    holds: bool,
}

impl<F: FnMut(&Ledger<'_>)> Verifier<F> {
    fn add(&mut self, number: Option<u64>, kind: ProblemKind, more: &str) {
        let subject = self.open.as_ref().map(|open| open.subject.as_str());
        self.report.add(self.line, subject, number, kind, more);
    }

    /// A line that could not be read: whatever it was, the case around it does not hold.
    fn broken(&mut self, kind: ProblemKind, more: &str) -> Next {
        self.add(None, kind, more);
        if let Some(open) = &mut self.open {
            open.holds = false;
        }
        if self.report.head.is_some() {
            Next::Line
        } else {
            self.headless()
        }
    }

    fn headless(&mut self) -> Next {
        self.add(None, ProblemKind::HeadMissing, "");
        Next::Stop
    }

    fn line(&mut self, text: &[u8], before: Sha256) -> Next {
        let kind: Kind<'_> = match serde_json::from_slice(text) {
            Ok(kind) => kind,
            Err(error) => return self.broken(ProblemKind::BadLine, &error.to_string()),
        };
        match (&*kind.line, self.report.head.is_some()) {
            ("head", false) => self.head(text),
            (_, false) => self.headless(),
            ("head", true) => self.broken(ProblemKind::HeadRepeated, ""),
            ("case", true) => {
                // Closed before the line is read: the case before does not answer for this one.
                self.close();
                self.report.cases += 1;
                self.read(text, Self::case)
            }
            ("act", true) => {
                self.report.acts += 1;
                self.read(text, Self::act)
            }
            ("end", true) => {
                self.close();
                self.read(text, |verifier, end| verifier.end(&end, before))
            }
            // The chain goes on: a later version may put checkpoints anywhere.
            (other, true) => {
                self.add(None, ProblemKind::UnknownLine, other);
                Next::Line
            }
        }
    }

    fn read<'a, L: Deserialize<'a>>(
        &mut self,
        text: &'a [u8],
        next: impl FnOnce(&mut Self, L) -> Next,
    ) -> Next {
        match serde_json::from_slice(text) {
            Ok(line) => next(self, line),
            Err(error) => self.broken(ProblemKind::BadLine, &error.to_string()),
        }
    }

    fn head(&mut self, text: &[u8]) -> Next {
        let is_known = serde_json::from_slice(text)
            .is_ok_and(|f: Format<'_>| f.format == FORMAT && f.version == VERSION);
        if !is_known {
            self.add(None, ProblemKind::UnknownVersion, "");
            return Next::Stop;
        }
        self.read(text, |verifier, head: HeadLine<'_>| {
            if head.exported_at != instant::shanghai(head.exported_at_us) {
                verifier.add(None, ProblemKind::TimeDiffers, "");
            }
            verifier.district = head.district.clone().into_owned();
            verifier.report.head = Some(Head {
                district: head.district.into_owned(),
                exported_at_us: head.exported_at_us,
                exporter: head.exporter.into_owned(),
                case_filter: head.case_filter.map(Into::into),
            });
            Next::Line
        })
    }

    fn case(&mut self, case: CaseLine<'_>) -> Next {
        let head = hash(&case.head);
        self.open = Some(Open {
            line: self.line,
            subject: case.subject.clone().into_owned(),
            receipt: case.receipt.map(Into::into),
            act_count: case.act_count,
            head: head.unwrap_or(START),
            seen: 0,
            expected: 1,
            previous: START,
            holds: head.is_some(),
        });
        if head.is_none() {
            self.add(None, ProblemKind::BadLine, "head");
        }
        match self.last.as_deref().map(|last| (*case.subject).cmp(last)) {
            Some(std::cmp::Ordering::Equal) => return self.broken(ProblemKind::CaseRepeated, ""),
            Some(std::cmp::Ordering::Less) => return self.broken(ProblemKind::CaseMisplaced, ""),
            Some(std::cmp::Ordering::Greater) | None => self.last = Some(case.subject.into_owned()),
        }
        Next::Line
    }

    fn act(&mut self, act: ActLine<'_>) -> Next {
        let Some(open) = &mut self.open else {
            self.add(Some(act.number), ProblemKind::ActWithoutCase, "");
            return Next::Line;
        };
        open.seen += 1;
        let read = (
            hash(&act.previous),
            hash(&act.hash),
            STANDARD.decode(act.payload.as_bytes()),
        );
        let (Some(previous), Some(stated), Ok(payload)) = read else {
            return self.broken(ProblemKind::BadLine, "previous, hash, payload");
        };
        let entry = EntryRef {
            district: &self.district,
            subject: &open.subject,
            number: act.number,
            kind: &act.kind,
            acted_at_us: act.acted_at_us,
            actor: &act.actor,
            actor_site: &act.actor_site,
            is_demonstration: act.is_demonstration,
            payload: &payload,
        };
        let is_changed = entry.hash(&previous) != stated;
        let expected = open.expected;
        let is_linked = previous == open.previous;
        // The walk goes on from the stated hash, so that one fault is one problem; an act that comes too late does
        // not move it.
        if act.number >= expected {
            open.expected = act.number.saturating_add(1);
            open.previous = stated;
        }
        let mut wrong = Vec::new();
        match act.number.cmp(&expected) {
            std::cmp::Ordering::Greater => {
                wrong.push((
                    ProblemKind::ActMissing,
                    format!("{expected}–{}", act.number - 1),
                ));
            }
            std::cmp::Ordering::Less => wrong.push((ProblemKind::ActMisplaced, String::new())),
            std::cmp::Ordering::Equal if !is_linked => {
                wrong.push((ProblemKind::ChainBroken, String::new()))
            }
            std::cmp::Ordering::Equal => {}
        }
        if is_changed {
            wrong.push((ProblemKind::ActChanged, String::new()));
        }
        if act.acted_at != instant::shanghai(act.acted_at_us) {
            wrong.push((ProblemKind::TimeDiffers, String::new()));
        }
        open.holds &= wrong.is_empty();
        for (kind, more) in wrong {
            self.add(Some(act.number), kind, &more);
        }
        Next::Line
    }

    /// Judges the open case, when another one begins or the export ends.
    fn close(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        for (kind, is_wrong) in [
            (ProblemKind::CaseEmpty, open.seen == 0),
            (ProblemKind::CaseCountDiffers, open.seen != open.act_count),
            (ProblemKind::CaseHeadDiffers, open.previous != open.head),
        ] {
            if is_wrong {
                open.holds = false;
                self.report
                    .add(open.line, Some(&open.subject), None, kind, "");
            }
        }
        self.report.verified += u64::from(open.holds);
        (self.each)(&Ledger {
            subject: &open.subject,
            receipt: open.receipt.as_deref(),
            act_count: open.act_count,
            head: &open.head,
            holds: open.holds,
        });
    }

    fn end(&mut self, end: &EndLine<'_>, before: Sha256) -> Next {
        if (end.case_count, end.act_count) != (self.report.cases, self.report.acts) {
            self.add(None, ProblemKind::EndCountDiffers, "");
        }
        if hash(&end.sha256) != Some(before.finalize().into()) {
            self.add(None, ProblemKind::EndDigestDiffers, "");
        }
        Next::End
    }
}

/// Lower-case hexadecimal only: one hash has one text.
fn hash(text: &str) -> Option<Hash> {
    let mut hash = START;
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(text, &mut hash).is_ok()).then_some(hash)
}
