//! Reads the fields of an entry leniently, and keeps what is wrong with each.

use std::collections::HashSet;

use serde_yaml_ng::Value;

/// What is wrong with a part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the part, such as `items[0].versions[1].department`.
    pub at: String,
    /// What a person calls the entry.
    pub about: String,
    /// What is wrong.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// An entry, where it stands, and what is wrong so far.
pub struct Reader<'a> {
    value: &'a Value,
    /// Path of the entry.
    pub at: String,
    /// What a person calls it.
    pub about: String,
    known: HashSet<&'static str>,
    wrong: &'a mut Vec<Fault>,
}

static NULL: Value = Value::Null;

impl<'a> Reader<'a> {
    /// Reads `value` with `each`, and complains of fields that nobody asked for.
    pub fn read<T>(
        value: &'a Value,
        at: String,
        about: &str,
        wrong: &'a mut Vec<Fault>,
        each: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let mut reader = Reader {
            value,
            at,
            about: about.to_owned(),
            known: HashSet::new(),
            wrong,
        };
        let thing = each(&mut reader);
        reader.unknown();
        thing
    }

    fn unknown(&mut self) {
        let Some(fields) = self.value.as_mapping() else {
            return;
        };
        for name in fields.keys() {
            let name = name.as_str().unwrap_or("?");
            if !self.known.contains(name) {
                self.wrong.push(Fault {
                    at: self.path(name),
                    about: self.about.clone(),
                    zh: format!("没有“{name}”这个字段"),
                    en: format!("there is no field {name:?}"),
                });
            }
        }
    }

    fn path(&self, field: &str) -> String {
        if self.at.is_empty() || field.is_empty() {
            format!("{}{field}", self.at)
        } else {
            format!("{}.{field}", self.at)
        }
    }

    /// Whether it is made of fields.
    pub fn is_entry(&self) -> bool {
        self.value.is_mapping()
    }

    /// A field's value; null when it is not there.
    pub fn get(&mut self, field: &'static str) -> &'a Value {
        self.known.insert(field);
        self.value.get(field).unwrap_or(&NULL)
    }

    /// Notes what is wrong with a field.
    pub fn complain(&mut self, field: &str, zh: impl Into<String>, en: impl Into<String>) {
        let name = if field.is_empty() {
            self.at.rsplit('.').next().unwrap_or_default()
        } else {
            field
        };
        let (zh, en) = (zh.into(), en.into());
        self.wrong.push(Fault {
            at: self.path(field),
            about: self.about.clone(),
            zh: format!("{name}{zh}"),
            en: format!("{name} {en}").trim_start().to_owned(),
        });
    }

    /// A text that may be missing.
    pub fn optional(&mut self, field: &'static str) -> String {
        match self.get(field) {
            Value::Null => String::new(),
            Value::String(text) => text.trim_end().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.complain(field, "不是文字", "is no text");
                String::new()
            }
        }
    }

    /// A text.
    pub fn text(&mut self, field: &'static str) -> String {
        let faults = self.wrong.len();
        let text = self.optional(field);
        if text.is_empty() && self.wrong.len() == faults {
            self.complain(field, "缺失", "is missing");
        }
        text
    }

    /// The entry itself, a text.
    pub fn word(&mut self) -> String {
        match self.value.as_str() {
            Some(text) => text.to_owned(),
            None => {
                self.complain("", "应为文字", "a text is expected");
                String::new()
            }
        }
    }

    /// A whole number from 0 up.
    pub fn number(&mut self, field: &'static str) -> u32 {
        let number = self.get(field).as_u64().and_then(|n| u32::try_from(n).ok());
        number.unwrap_or_else(|| {
            self.complain(field, "缺失或不是整数", "is missing or no whole number");
            0
        })
    }

    /// True or false.
    pub fn flag(&mut self, field: &'static str) -> bool {
        self.get(field).as_bool().unwrap_or_else(|| {
            let en = "is missing or neither true nor false";
            self.complain(field, "缺失或不是 true/false", en);
            false
        })
    }

    /// A value of an enum: one of the names in `all`, which `of` knows.
    pub fn named(&mut self, field: &'static str, all: &[&str], of: impl Fn(&str) -> i32) -> i32 {
        let value = if field.is_empty() {
            self.value
        } else {
            self.get(field)
        };
        let name = value.as_str().unwrap_or_default();
        if all.contains(&name) {
            return of(name);
        }
        let known = all.join(", ");
        self.complain(
            field,
            format!("的值“{name}”无法识别，可用：{known}"),
            format!("has the unknown value {name:?}; write one of {known}"),
        );
        0
    }

    /// The entries of a list, which may be missing.
    pub fn list<T>(
        &mut self,
        field: &'static str,
        mut each: impl FnMut(&mut Reader<'_>) -> T,
    ) -> Vec<T> {
        let value = self.get(field);
        if value.is_null() {
            return Vec::new();
        }
        let Some(entries) = value.as_sequence() else {
            self.complain(field, "不是列表", "is no list");
            return Vec::new();
        };
        let mut all = Vec::with_capacity(entries.len());
        for (number, entry) in entries.iter().enumerate() {
            let at = format!("{}[{number}]", self.path(field));
            let about = self.about.clone();
            all.push(Reader::read(entry, at, &about, self.wrong, &mut each));
        }
        all
    }

    /// An entry within this one, which may be missing.
    pub fn within<T>(
        &mut self,
        field: &'static str,
        each: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> Option<T> {
        let value = self.get(field);
        if value.is_null() {
            return None;
        }
        if !value.is_mapping() {
            self.complain(field, "不是由字段组成的条目", "is no entry made of fields");
            return None;
        }
        let (at, about) = (self.path(field), self.about.clone());
        Some(Reader::read(value, at, &about, self.wrong, each))
    }
}
