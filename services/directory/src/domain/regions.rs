//! The five files of a region tree, checked as a whole before anything is written.
//!
//! The statistics bureau fills a tier that a region does not have with a row of zeros: 441900 stands in the file of
//! counties for 4419 (Dongguan), which has towns and no counties. Such a row is no region: what hangs on it hangs on the
//! region above.

use std::collections::HashMap;

use bangban_codes::region::RegionCode;

use super::complaint::Complaint;

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
    /// Digits of the codes above, and the column that holds them.
    pub parent: Option<(usize, &'static str)>,
}

/// The files, from above to below.
pub const LEVELS: [Level; 5] = [
    Level {
        file: "provinces.csv",
        digits: 2,
        parent: None,
    },
    Level {
        file: "cities.csv",
        digits: 4,
        parent: Some((2, "provinceCode")),
    },
    Level {
        file: "areas.csv",
        digits: 6,
        parent: Some((4, "cityCode")),
    },
    Level {
        file: "streets.csv",
        digits: 9,
        parent: Some((6, "areaCode")),
    },
    Level {
        file: "villages.csv",
        digits: 12,
        parent: Some((9, "streetCode")),
    },
];

/// Where a file's header says that things stand.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    count: usize,
    code: usize,
    name: usize,
    parent: Option<usize>,
}

/// What is wrong with a row, in Chinese and English.
type Wrong = (String, String);

/// Collects the tree and everything that is wrong with it.
#[derive(Debug, Default)]
pub struct Tree {
    /// Good rows.
    pub regions: Vec<Region>,
    /// What is wrong.
    pub wrong: Vec<Complaint>,
    /// Line of every code, by [`key`]. Rows of zeros are among them: others hang on those.
    seen: HashMap<u64, u64>,
}

impl Tree {
    /// Takes the header of a file in.
    pub fn header(&mut self, level: &Level, fields: &[&str]) -> Option<Columns> {
        let find = |name: &str| fields.iter().position(|f| f.trim() == name);
        let missing = ["code", "name"]
            .into_iter()
            .chain(level.parent.map(|(_, name)| name))
            .filter(|name| find(name).is_none())
            .collect::<Vec<_>>()
            .join(", ");
        if !missing.is_empty() {
            self.wrong.push(Complaint::new(
                level.file,
                1,
                format!("表头缺少列：{missing}"),
                format!("the header lacks the columns {missing}"),
            ));
            return None;
        }
        Some(Columns {
            count: fields.len(),
            code: find("code")?,
            name: find("name")?,
            parent: level.parent.and_then(|(_, name)| find(name)),
        })
    }

    /// Takes a row of a file in.
    pub fn row(&mut self, level: &Level, columns: Columns, line: u64, fields: &[&str]) {
        match self.check(level, columns, line, fields) {
            Ok(region) => self.regions.extend(region),
            Err((zh, en)) => {
                let complaint = Complaint::new(level.file, line, zh, en);
                self.wrong.push(complaint);
            }
        }
    }

    fn check(
        &mut self,
        level: &Level,
        columns: Columns,
        line: u64,
        fields: &[&str],
    ) -> Result<Option<Region>, Wrong> {
        let (digits, count) = (level.digits, fields.len());
        if count != columns.count {
            return Err((
                format!("有{count}列，应为{}列", columns.count),
                format!("{count} columns instead of {}", columns.count),
            ));
        }
        let (code, name) = (fields[columns.code], fields[columns.name].trim());
        if !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err((
                format!("代码“{code}”不是{digits}位数字"),
                format!("the code {code:?} is not made of {digits} digits"),
            ));
        }
        if code.len() != digits {
            return Err((
                format!("代码{code}有{}位，应为{digits}位", code.len()),
                format!(
                    "the code {code} has {} digits instead of {digits}",
                    code.len()
                ),
            ));
        }
        if let Some(first) = self.seen.get(&key(code)) {
            return Err((
                format!("代码{code}与第{first}行重复"),
                format!("the code {code} is a duplicate of line {first}"),
            ));
        }
        // A row that is wrong in itself is there all the same: what hangs on it is not to blame.
        self.seen.insert(key(code), line);
        if name.is_empty() {
            return Err((
                format!("{code}的名称为空"),
                format!("the name of {code} is empty"),
            ));
        }
        let mut is_filler = false;
        if let (Some((above, _)), Some(at)) = (level.parent, columns.parent) {
            let (parent, prefix) = (fields[at], &code[..above]);
            if parent != prefix {
                return Err((
                    format!("上级代码{parent}不是代码{code}的前缀{prefix}"),
                    format!("the parent {parent} is not the prefix {prefix} of the code {code}"),
                ));
            }
            if !self.seen.contains_key(&key(parent)) {
                return Err((
                    format!("{code}的上级代码{parent}不存在"),
                    format!("the parent {parent} of {code} is unknown"),
                ));
            }
            is_filler = code[above..].bytes().all(|b| b == b'0');
        }
        if is_filler {
            return Ok(None);
        }
        let parsed = RegionCode::parse(code).map_err(|e| {
            (
                format!("代码{code}：{}", e.zh()),
                format!("the code {code}: {e}"),
            )
        })?;
        Ok(Some(Region {
            code: code.to_owned(),
            name: name.to_owned(),
            parent: parsed.parent().map_or_else(String::new, |p| p.to_string()),
        }))
    }
}

/// A code as a number that keeps its length.
fn key(code: &str) -> u64 {
    code.bytes()
        .fold(1, |key, digit| key * 10 + u64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_of_a_city_without_counties_hang_on_the_city() {
        let mut tree = Tree::default();
        let rows: [&[&str]; 5] = [
            &["44", "广东省"],
            &["4419", "东莞市", "44"],
            &["441900", "东莞市", "4419", "44"],
            &["441900003", "东城街道", "441900", "44", "4419"],
            &[
                "441900003001",
                "岗贝社区居民委员会",
                "441900003",
                "44",
                "4419",
                "441900",
            ],
        ];
        let headers: [&[&str]; 5] = [
            &["code", "name"],
            &["code", "name", "provinceCode"],
            &["code", "name", "cityCode", "provinceCode"],
            &["code", "name", "areaCode", "provinceCode", "cityCode"],
            &[
                "code",
                "name",
                "streetCode",
                "provinceCode",
                "cityCode",
                "areaCode",
            ],
        ];
        for ((level, header), row) in LEVELS.iter().zip(headers).zip(rows) {
            let columns = tree.header(level, header).expect("a header");
            tree.row(level, columns, 2, row);
        }
        assert_eq!(tree.wrong, []);
        let parents: Vec<_> = tree
            .regions
            .iter()
            .map(|r| (r.code.as_str(), r.parent.as_str()))
            .collect();
        assert_eq!(
            parents,
            [
                ("44", ""),
                ("4419", "44"),
                ("441900003", "4419"),
                ("441900003001", "441900003")
            ]
        );
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let mut tree = Tree::default();
        let columns = tree
            .header(&LEVELS[0], &["name", "code"])
            .expect("a header");
        tree.row(&LEVELS[0], columns, 2, &["湖北省", "42"]);
        assert_eq!(tree.regions[0].code, "42");
        assert!(
            tree.header(&LEVELS[1], &["code", "name", "province"])
                .is_none()
        );
        assert_eq!(
            tree.wrong[0].to_string(),
            "cities.csv:1: 表头缺少列：provinceCode / the header lacks the columns provinceCode"
        );
    }
}
