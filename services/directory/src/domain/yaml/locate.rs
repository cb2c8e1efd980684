//! Where in a YAML text something stands. The parser tells a line only with an error, so the text is read again and the
//! reading is broken off at the place that is looked for. Only texts that are wrong pay for it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Field(&'a str),
    Entry(usize),
}

/// The line, from 1, of the field or entry at a path such as `items[0].versions[1].department`, or of the nearest thing
/// above it that is there.
#[must_use]
pub fn line(text: &str, path: &str) -> u64 {
    let steps = steps(path);
    let walked = Walk { steps: &steps }.deserialize(serde_yaml_ng::Deserializer::from_str(text));
    let place = walked.err().and_then(|error| error.location());
    place.map_or(0, |at| at.line() as u64)
}

fn steps(path: &str) -> Vec<Step<'_>> {
    path.split(['.', '['])
        .filter(|part| !part.is_empty())
        .map(|part| match part.strip_suffix(']').map(str::parse) {
            Some(Ok(number)) => Step::Entry(number),
            _ => Step::Field(part),
        })
        .collect()
}

/// Walks down a path and breaks off with an error at its end: at the name of a field, or where an entry begins.
#[derive(Clone, Copy)]
struct Walk<'a> {
    steps: &'a [Step<'a>],
}

fn here<E: serde::de::Error>() -> E {
    E::custom("here")
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Field(wanted), rest)) = self.steps.split_first() else {
            return Err(here());
        };
        let is_last = rest.is_empty();
        while let Some(is_wanted) = map.next_key_seed(Key { wanted, is_last })? {
            if is_wanted {
                map.next_value_seed(Walk { steps: rest })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Err(here())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Entry(wanted), rest)) = self.steps.split_first() else {
            return Err(here());
        };
        for _ in 0..*wanted {
            entries.next_element::<IgnoredAny>()?;
        }
        entries.next_element_seed(Walk { steps: rest })?;
        Err(here())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(here())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(here())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(here())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(here())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(here())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(here())
    }
}

/// Whether a field's name is the wanted one.
struct Key<'a> {
    wanted: &'a str,
    is_last: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<bool, E> {
        if name == self.wanted && self.is_last {
            return Err(here());
        }
        Ok(name == self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a comment
items:
  - code: one   # another
    name: 一
    versions:
      - version: 1
        limits:
          - {name: A, amount: 1}
          - {name: B,
             amount: x}
        text: |
          code: not this
  - code: two
    list: []
";

    #[test]
    fn a_line_is_that_of_the_field_or_of_the_nearest_thing_above() {
        for (path, expected) in [
            ("items[0].code", 3),
            ("items[0].versions[0].version", 6),
            ("items[0].versions[0].limits[1].amount", 10),
            ("items[0].versions[0].limits[1].owner", 9),
            ("items[0].versions[0].legal_basis", 6),
            ("items[0].versions", 5),
            ("items[0].versions[0]", 6),
            ("items[1].code", 13),
            ("items[1].list", 14),
            ("items[1].versions[0].version", 13),
            ("items[7]", 3),
            ("items", 2),
            ("rules", 2),
        ] {
            assert_eq!(line(TEXT, path), expected, "{path}");
        }
    }
}
