//! The five files of a region tree, checked as a whole before anything is written.

use std::collections::HashMap;

use bangban_codes::region::RegionCode;

/// A region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// 2, 4, 6, 9 or 12 digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of the region above; empty for a province.
    pub parent: String,
}

/// A file of the tree.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Its name.
    pub file: &'static str,
    /// Digits of its codes.
    pub digits: usize,
    /// Columns of a row.
    pub columns: usize,
    /// Column of the parent's code.
    pub parent: Option<usize>,
}

/// The files, from above to below.
pub const LEVELS: [Level; 5] = [
    Level {
        file: "provinces.csv",
        digits: 2,
        columns: 2,
        parent: None,
    },
    Level {
        file: "cities.csv",
        digits: 4,
        columns: 3,
        parent: Some(2),
    },
    Level {
        file: "areas.csv",
        digits: 6,
        columns: 4,
        parent: Some(2),
    },
    Level {
        file: "streets.csv",
        digits: 9,
        columns: 5,
        parent: Some(2),
    },
    Level {
        file: "villages.csv",
        digits: 12,
        columns: 6,
        parent: Some(2),
    },
];

/// Collects the tree and everything that is wrong with it.
#[derive(Debug, Default)]
pub struct Tree {
    /// Good rows.
    pub regions: Vec<Region>,
    /// `file:line: what is wrong`.
    pub wrong: Vec<String>,
    seen: HashMap<String, u64>,
}

impl Tree {
    /// Takes a row of a file in.
    pub fn row(&mut self, level: &Level, line: u64, fields: &[&str]) {
        if let Err(what) = self.check(level, line, fields) {
            self.wrong.push(format!("{}:{line}: {what}", level.file));
        }
    }

    fn check(&mut self, level: &Level, line: u64, fields: &[&str]) -> Result<(), String> {
        if fields.len() != level.columns {
            return Err(format!(
                "{} columns instead of {}",
                fields.len(),
                level.columns
            ));
        }
        let (code, name) = (fields[0], fields[1].trim());
        if !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "the code {code:?} is not made of {} digits",
                level.digits
            ));
        }
        if code.len() != level.digits {
            return Err(format!(
                "the code {code} has {} digits instead of {}",
                code.len(),
                level.digits
            ));
        }
        let parsed = RegionCode::parse(code).map_err(|e| format!("the code {code}: {e}"))?;
        if let Some(first) = self.seen.get(code) {
            return Err(format!("the code {code} is a duplicate of line {first}"));
        }
        if name.is_empty() {
            return Err(format!("the name of {code} is empty"));
        }
        let parent = level.parent.map_or("", |at| fields[at]);
        if let Some(above) = parsed.parent() {
            if above.as_str() != parent {
                return Err(format!(
                    "the parent {parent} is not the prefix {} of the code {code}",
                    above.as_str()
                ));
            }
            if !self.seen.contains_key(parent) {
                return Err(format!("the parent {parent} of {code} is unknown"));
            }
        }
        self.seen.insert(code.to_owned(), line);
        self.regions.push(Region {
            code: code.to_owned(),
            name: name.to_owned(),
            parent: parent.to_owned(),
        });
        Ok(())
    }
}
