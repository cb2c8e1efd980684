//! Watches statements: a span for each within a trace that is recorded, named by what it does to which tables. Neither
//! its text nor its values are told.
//!
//! Where one statement serves many who ask at once, each has a span for its wait; the statement belongs to the first, and
//! it and the others link to each other.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::Span;

use crate::{signals, summary};

/// Whose database it is, and which.
#[derive(Debug, Clone, Copy)]
pub struct Database {
    /// `postgresql` or `sqlite`.
    pub system: &'static str,
    /// The service: its schema, or its file.
    pub namespace: &'static str,
}

/// A statement on its way; one that is dropped ends as it is.
#[derive(Debug)]
pub struct Statement(Span);

/// One who waits for a statement that may serve others as well; the wait ends when it is dropped.
#[derive(Debug)]
pub struct Waiting(Context);

/// The place of one who waits in a queue.
#[derive(Debug, Clone)]
pub struct Place(Context);

impl Database {
    /// A statement is sent now; nothing outside of a trace that is recorded.
    #[must_use]
    pub fn statement(self, sql: &str) -> Option<Statement> {
        let parent = recorded()?;
        self.begin(sql, &parent, Vec::new(), 1)
    }

    /// A statement is sent now for those who wait.
    #[must_use]
    pub fn together(self, sql: &str, places: &[Place], asked: usize) -> Option<Statement> {
        let (first, others) = places.split_first()?;
        let links = others.iter().map(|place| Link::with_context(place.span()));
        let statement = self.begin(sql, &first.0, links.collect(), asked)?;
        for other in others {
            let link = statement.0.span_context().clone();
            other.0.span().add_link(link, Vec::new());
        }
        Some(statement)
    }

    fn begin(
        self,
        sql: &str,
        parent: &Context,
        links: Vec<Link>,
        asked: usize,
    ) -> Option<Statement> {
        let signals = signals::get()?;
        let tracer = signals.tracer.as_ref()?;
        let (verb, tables) = summary::of(sql);
        let mut attributes = vec![
            KeyValue::new("db.system.name", self.system),
            KeyValue::new("db.namespace", self.namespace),
            KeyValue::new("db.operation.name", verb.clone()),
        ];
        let mut name = verb;
        for table in &tables {
            name.push(' ');
            name.push_str(table);
        }
        attributes.push(KeyValue::new("db.query.summary", name.clone()));
        if let [table] = tables.as_slice() {
            attributes.push(KeyValue::new("db.collection.name", table.clone()));
        }
        if asked > 1 {
            let asked = i64::try_from(asked).unwrap_or(i64::MAX);
            attributes.push(KeyValue::new("db.operation.batch.size", asked));
        }
        let span = tracer
            .span_builder(name)
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .with_links(links)
            .start_with_context(tracer, parent);
        Some(Statement(span))
    }
}

impl Statement {
    /// It was answered, or failed: with the database's code where it has one.
    pub fn end(mut self, failed: Option<Option<String>>) {
        if let Some(code) = failed {
            let kind = code.clone().unwrap_or_else(|| "_OTHER".to_owned());
            if let Some(code) = code {
                self.0
                    .set_attribute(KeyValue::new("db.response.status_code", code));
            }
            self.0.set_attribute(KeyValue::new("error.type", kind));
            self.0.set_status(Status::error(""));
        }
        self.0.end();
    }
}

/// Begins to wait, under a name; nothing outside of a trace that is recorded.
#[must_use]
pub fn wait(name: &'static str) -> Option<Waiting> {
    let parent = recorded()?;
    let signals = signals::get()?;
    let tracer = signals.tracer.as_ref()?;
    let span = tracer
        .span_builder(name)
        .with_kind(SpanKind::Internal)
        .start_with_context(tracer, &parent);
    Some(Waiting(parent.with_span(span)))
}

impl Waiting {
    /// Its place, for whoever runs the statement.
    #[must_use]
    pub fn place(&self) -> Place {
        Place(self.0.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.span().end();
    }
}

impl Place {
    fn span(&self) -> SpanContext {
        self.0.span().span_context().clone()
    }
}

/// The current context, when its trace is recorded.
fn recorded() -> Option<Context> {
    Context::map_current(|cx| {
        let is_recorded = cx.has_active_span() && cx.span().span_context().is_sampled();
        is_recorded.then(|| cx.clone())
    })
}
