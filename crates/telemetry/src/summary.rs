//! What a statement does, from its text: the verb and the tables, never a value.

/// Most tables that are named.
const MOST: usize = 4;

/// Verb and tables of a statement, as `db.query.summary` has them. What `WITH` does is what comes first in it that is no
/// reading.
pub(crate) fn of(sql: &str) -> (String, Vec<String>) {
    let mut words = sql
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';'))
        .filter(|word| !word.is_empty());
    let mut before = words.next().unwrap_or("");
    let mut verb = before.to_ascii_uppercase();
    if !verb.chars().all(|c| c.is_ascii_uppercase()) {
        verb = String::new();
    }
    let mut tables: Vec<String> = Vec::new();
    for word in words {
        let is = |what: &str| before.eq_ignore_ascii_case(what);
        if ["from", "into", "join", "update", "table"]
            .iter()
            .any(|w| is(w))
            && let Some(table) = table(word)
            && !is_called(sql, word)
            && !tables.iter().any(|known| known == table)
            && tables.len() < MOST
        {
            tables.push(table.to_owned());
        }
        let is_writing = ["INSERT", "UPDATE", "DELETE"]
            .iter()
            .any(|writing| word.eq_ignore_ascii_case(writing));
        if verb == "WITH" && is_writing {
            verb = word.to_ascii_uppercase();
        }
        before = word;
    }
    // A name that a `WITH` gives is no table.
    let named = |table: &String| sql.contains(&format!("{table} AS ("));
    tables.retain(|table| !named(table));
    (verb, tables)
}

/// Whether a word of a text is a function's name: `extract(epoch FROM clock_timestamp())`.
fn is_called(sql: &str, word: &str) -> bool {
    let end = word.as_ptr().addr() - sql.as_ptr().addr() + word.len();
    sql.as_bytes().get(end) == Some(&b'(')
}

/// A plain name, with or without quotes.
fn table(word: &str) -> Option<&str> {
    let name = word.trim_matches('"');
    let is_name = !name.is_empty()
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_word = matches!(name, "select" | "values" | "set" | "only" | "of");
    (is_name && !is_word).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn statements_are_named_by_what_they_do_to_which_tables() {
        for (sql, verb, tables) in [
            (
                "SELECT body FROM cases WHERE id = $1",
                "SELECT",
                &["cases"][..],
            ),
            (
                r#"SELECT "acts"."tx" FROM "acts" WHERE "acts"."number" = $1"#,
                "SELECT",
                &["acts"],
            ),
            (
                "INSERT INTO positions (log) VALUES ($1) ON CONFLICT DO NOTHING",
                "INSERT",
                &["positions"],
            ),
            ("UPDATE cases SET state = $1", "UPDATE", &["cases"]),
            ("DELETE FROM copies", "DELETE", &["copies"]),
            (
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM clock WHERE id = 1",
                "SELECT",
                &["clock"],
            ),
            (
                "SELECT g.n FROM unnest($1::text[]) WITH ORDINALITY AS g(district, n) JOIN clock c ON c.id = 1 \
                 LEFT JOIN cases s ON s.id = g.id",
                "SELECT",
                &["clock", "cases"],
            ),
            (
                "WITH changed AS (UPDATE cases t SET a = g.a FROM unnest($1::text[]) WITH ORDINALITY AS g(a, n) RETURNING g.n), \
                 written AS (INSERT INTO acts (a) SELECT a FROM unnest($2::text[]) AS a(a) RETURNING hash) \
                 SELECT hash FROM written",
                "UPDATE",
                &["cases", "acts"],
            ),
            ("BEGIN IMMEDIATE", "BEGIN", &[]),
            ("'杨桂兰'", "", &[]),
            ("", "", &[]),
        ] {
            let (said, named) = of(sql);
            assert_eq!(
                (said.as_str(), named.as_slice()),
                (
                    verb,
                    tables
                        .iter()
                        .map(|t| (*t).to_owned())
                        .collect::<Vec<_>>()
                        .as_slice()
                ),
                "{sql}"
            );
        }
    }

    #[test]
    fn values_in_a_text_are_never_told() {
        let (verb, tables) =
            of("SELECT 1 FROM people WHERE name = '杨桂兰' AND note = 'sent from 13800138000'");
        assert_eq!(
            (verb.as_str(), tables.as_slice()),
            ("SELECT", &["people".to_owned()][..])
        );
    }
}
