//! Verifies an export, reading it once, holding one line, one case's leaves, and for each checkpoint the edge of its tree.

mod anchors;

use std::io::{self, BufRead};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::line::{ActLine, CaseLine, CheckpointLine, EndLine, Format, HeadLine, Kind, LeafLine};
use crate::lines::{Ended, Lines};
use crate::report::Place;
use crate::text::hash;
use crate::{EntryRef, FORMAT, Hash, Head, ProblemKind, Report, START, Trust, VERSION, instant};
use anchors::{Anchors, Finding};

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
    verify_with(input, &Trust::default(), each)
}

/// Verifies an export against keys and checkpoints that are held elsewhere, and hands out each case.
///
/// # Errors
/// Only those of the reader.
pub fn verify_with(
    input: impl BufRead,
    trust: &Trust,
    each: impl FnMut(&Ledger<'_>),
) -> io::Result<Report> {
    let mut lines = Lines::new(input);
    let mut verifier = Verifier {
        report: Report::default(),
        each,
        line: 0,
        last: None,
        open: None,
        anchors: Anchors::new(trust),
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

struct Verifier<'t, F> {
    report: Report,
    each: F,
    line: u64,
    /// The greatest subject so far.
    last: Option<String>,
    open: Option<Open>,
    anchors: Anchors<'t>,
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
    /// What checkpoints say of it.
    leaves: Vec<anchors::Known>,
}

impl<F: FnMut(&Ledger<'_>)> Verifier<'_, F> {
    fn add(&mut self, number: Option<u64>, kind: ProblemKind, more: &str) {
        let place = Place {
            line: self.line,
            subject: self.open.as_ref().map(|open| open.subject.as_str()),
            number,
            checkpoint: None,
        };
        self.report.add(place, kind, more);
    }

    fn found(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            let place = Place {
                line: finding.line.unwrap_or(self.line),
                subject: finding.subject.as_deref(),
                number: None,
                checkpoint: finding.checkpoint,
            };
            self.report.add(place, finding.kind, &finding.more);
        }
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
            ("checkpoint", true) => {
                self.report.checkpoints += 1;
                self.read(text, Self::checkpoint)
            }
            ("leaf", true) => {
                self.close();
                self.read(text, Self::leaf)
            }
            ("end", true) => {
                self.close();
                self.miss(None);
                self.read(text, |verifier, end| verifier.end(&end, before))
            }
            // The chain goes on: a later version may put lines of its own anywhere.
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
            let findings = verifier
                .anchors
                .begin(&head.district, head.case_filter.is_some());
            verifier.found(findings);
            verifier.report.head = Some(Head {
                district: head.district.into_owned(),
                exported_at_us: head.exported_at_us,
                exporter: head.exporter.into_owned(),
                case_filter: head.case_filter.map(Into::into),
            });
            Next::Line
        })
    }

    fn checkpoint(&mut self, line: CheckpointLine<'_>) -> Next {
        let is_late = self.open.is_some() || self.last.is_some();
        let findings = self.anchors.checkpoint(&line, self.line, is_late);
        if findings.is_empty() {
            self.report.last_checkpoint = Some((line.number, line.day.into_owned()));
        }
        self.found(findings);
        Next::Line
    }

    fn leaf(&mut self, line: LeafLine<'_>) -> Next {
        self.miss(Some(&line.subject));
        let is_late = (self.last.as_deref()).is_some_and(|last| *line.subject <= *last);
        let findings = self.anchors.leaf(&line, self.line, is_late);
        self.found(findings);
        Next::Line
    }

    /// A case that only checkpoints know goes by without being here, when another one than `next` follows.
    fn miss(&mut self, next: Option<&str>) {
        if let Some((missing, finding)) = self.anchors.missing(next) {
            self.found(vec![finding]);
            self.last = self.last.take().max(Some(missing));
        }
    }

    fn case(&mut self, case: CaseLine<'_>) -> Next {
        self.miss(Some(&case.subject));
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
            leaves: self.anchors.taken(),
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
            district: self.anchors.district(),
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
        let told = open
            .leaves
            .iter()
            .filter(|leaf| leaf.act_count == act.number);
        if let Some(leaf) = told.clone().find(|leaf| leaf.head != stated) {
            let more = format!("checkpoint 检查点 {}", leaf.checkpoint);
            wrong.push((ProblemKind::CaseRewritten, more));
            // Once is enough: every later act is another one too.
            open.leaves.clear();
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
        let mut place = Place {
            line: open.line,
            subject: Some(&open.subject),
            ..Place::default()
        };
        for (kind, is_wrong) in [
            (ProblemKind::CaseEmpty, open.seen == 0),
            (ProblemKind::CaseCountDiffers, open.seen != open.act_count),
            (ProblemKind::CaseHeadDiffers, open.previous != open.head),
        ] {
            if is_wrong {
                open.holds = false;
                self.report.add(place, kind, "");
            }
        }
        if let Some(leaf) = open.leaves.last().filter(|l| l.act_count >= open.expected) {
            open.holds = false;
            place.number = Some(open.expected - 1);
            place.checkpoint = Some(leaf.checkpoint);
            let more = format!("{} acts 条记录", leaf.act_count);
            self.report.add(place, ProblemKind::CaseCut, &more);
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
        let findings = self.anchors.end();
        self.found(findings);
        self.report.covered = self.anchors.covered;
        self.report.signers = self.anchors.signers.clone();
        Next::End
    }
}
