//! What can be done to an export, and to the database before it is exported; the same for the same seed.

use bangban_ledger::Leaf;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::district::{District, bytes, entry, key, seeded};

/// Kinds of tampering.
pub const KINDS: u64 = 34;

/// A file that was tampered with.
pub struct Tampered {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Whether key and kept checkpoints show it; docs/ledger-format.md says what they do not.
    pub is_covered: bool,
}

/// Numbers that look random: splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

fn is(line: &str, kind: &str) -> bool {
    line.contains(&format!("\"line\":\"{kind}\""))
}

/// Places of the lines of a kind.
fn all(lines: &[String], kind: &str) -> Vec<usize> {
    (0..lines.len())
        .filter(|&at| is(&lines[at], kind))
        .collect()
}

fn edit(line: &mut String, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut value: Value = serde_json::from_str(line).unwrap();
    change(value.as_object_mut().unwrap());
    *line = value.to_string();
}

/// Another digit at a place of a hexadecimal or Base64 text.
fn other(text: &mut Value, random: &mut Random) {
    let mut chars: Vec<char> = text.as_str().unwrap().chars().collect();
    let at = random.below(chars.len().min(40));
    chars[at] = if chars[at] == 'a' { 'b' } else { 'a' };
    *text = json!(chars.into_iter().collect::<String>());
}

/// Counts again and restates the digest.
fn reseal(lines: &mut [String]) {
    let (cases, acts) = (all(lines, "case").len(), all(lines, "act").len());
    let (end, rest) = lines.split_last_mut().unwrap();
    let sha256 = hex::encode(Sha256::digest(bytes(rest)));
    *end =
        format!(r#"{{"line":"end","case_count":{cases},"act_count":{acts},"sha256":"{sha256}"}}"#);
}

/// A case's lines, and those of its leaves where they are asked for.
fn of_case(lines: &[String], case: usize, with_leaves: bool) -> std::ops::Range<usize> {
    let mut from = case;
    while with_leaves && is(&lines[from - 1], "leaf") {
        from -= 1;
    }
    let acts = lines[case + 1..]
        .iter()
        .take_while(|line| is(line, "act"))
        .count();
    from..case + 1 + acts
}

/// Cases that checkpoints know, with the number of acts that the last of them knows.
fn known(district: &District) -> Vec<(String, usize)> {
    let of = |subject: &String| {
        let last = district
            .leaves
            .iter()
            .flatten()
            .rfind(|leaf| leaf.subject == *subject);
        last.map(|leaf| (subject.clone(), usize::try_from(leaf.act_count).unwrap()))
    };
    district.chains.keys().filter_map(of).collect()
}

/// The tampering of this seed.
pub fn tampered(seed: u64) -> Tampered {
    let (kind, mut random) = (seed % KINDS, Random(seed));
    let (name, bytes, is_covered) = match kind {
        0..14 => by_line(kind, &mut random),
        14..19 => by_byte(kind, &mut random),
        19..28 => in_database(kind, &mut random),
        28..31 => in_part(kind, &mut random),
        _ => uncovered(kind, &mut random),
    };
    Tampered {
        name: format!("{seed:03}-{name}"),
        bytes,
        is_covered,
    }
}

type Told = (&'static str, Vec<u8>, bool);

/// Lines of the file are edited, and the end line is restated.
fn by_line(kind: u64, random: &mut Random) -> Told {
    let mut lines = District::sample().lines(None);
    let acts = all(&lines, "act");
    let cases = all(&lines, "case");
    let checkpoints = all(&lines, "checkpoint");
    let leaves = all(&lines, "leaf");
    let name = match kind {
        0 => {
            edit(&mut lines[random.pick(&acts)], |act| {
                other(&mut act["payload"], random)
            });
            "payload-changed"
        }
        1 => {
            lines.remove(random.pick(&acts));
            "act-dropped"
        }
        2 => {
            let at = random.pick(&acts);
            lines.swap(at, at - 1);
            "act-swapped"
        }
        3 => {
            let known = &cases[..cases.len() - 1];
            let gone = of_case(&lines, random.pick(known), false);
            lines.drain(gone);
            "case-dropped"
        }
        4 => {
            let known = &cases[..cases.len() - 1];
            let gone = of_case(&lines, random.pick(known), true);
            lines.drain(gone);
            "case-dropped-with-its-leaves"
        }
        5 => {
            let range = of_case(&lines, random.pick(&cases), false);
            let copy = lines[range.clone()].to_vec();
            lines.splice(range.end..range.end, copy);
            "case-twice"
        }
        6 => {
            let from = of_case(&lines, cases[0], true).start;
            let one = of_case(&lines, random.pick(&cases[1..]), true);
            let moved: Vec<String> = lines.drain(one).collect();
            lines.splice(from..from, moved);
            "case-moved"
        }
        7 => {
            edit(&mut lines[random.pick(&checkpoints)], |line| {
                other(&mut line["signature"], random)
            });
            "signature-forged"
        }
        8 => {
            let at = random.below(checkpoints.len() - 1);
            lines.swap(checkpoints[at], checkpoints[at + 1]);
            "checkpoints-reordered"
        }
        9 => {
            lines.remove(random.pick(&checkpoints));
            "checkpoint-dropped"
        }
        10 => {
            let member = random.pick(&["day", "root", "previous", "hash", "key"]);
            edit(&mut lines[random.pick(&checkpoints)], |line| {
                other(&mut line[member], random)
            });
            "checkpoint-changed"
        }
        11 => {
            let at = random.pick(&leaves);
            match random.below(3) {
                0 => edit(&mut lines[at], |leaf| other(&mut leaf["head"], random)),
                1 => edit(&mut lines[at], |leaf| leaf["act_count"] = json!(1_000)),
                _ => drop(lines.remove(at)),
            }
            "leaf-changed"
        }
        12 => {
            edit(&mut lines[0], |head| head["case_filter"] = json!("cases/a"));
            "said-to-be-a-part"
        }
        _ => {
            let at = random.below(lines.len() - 1);
            match random.below(4) {
                0 => edit(&mut lines[at], |line| {
                    drop(line.insert("verified".to_owned(), json!(true)))
                }),
                1 => lines.insert(at + 1, r#"{"line":"seal","by":"me"}"#.to_owned()),
                2 => lines[at].insert_str(1, r#""line":"act","#),
                _ => {
                    let at = random.pick(&acts);
                    edit(&mut lines[at], |act| {
                        act["acted_at"] = json!("2026-11-24T12:00:00.000000+08:00")
                    });
                }
            }
            "line-of-another-shape"
        }
    };
    reseal(&mut lines);
    (name, bytes(&lines), true)
}

/// Bytes of the file are changed, and nothing is restated.
fn by_byte(kind: u64, random: &mut Random) -> Told {
    let mut whole = District::sample().bytes();
    let at = random.below(whole.len());
    let name = match kind {
        14 => {
            whole.truncate(at);
            "cut"
        }
        15 => {
            whole[at] ^= 1 << random.below(7);
            "byte-changed"
        }
        16 => {
            whole.remove(at);
            "byte-dropped"
        }
        17 => {
            whole.insert(at, b'0');
            "byte-added"
        }
        _ => {
            whole.extend(b"{\"line\":\"end\"}\n");
            "more-after-the-end"
        }
    };
    (name, whole, true)
}

/// The database is changed by its owner, hashes and all, and then exported.
fn in_database(kind: u64, random: &mut Random) -> Told {
    let mut district = District::sample();
    let (subject, count) = random.pick(&known(&district));
    let name = match kind {
        19 => {
            let chain = district.chains.get_mut(&subject).unwrap();
            chain.truncate(1.max(random.below(count)).min(count - 1));
            if chain.is_empty() {
                district.chains.remove(&subject);
            }
            "chain-cut"
        }
        20 => {
            let from = 1 + random.below(count);
            let chain = district.chains.get_mut(&subject).unwrap();
            chain[from - 1].0.payload = b"another".to_vec();
            district.recompute(&subject, from);
            "chain-rewritten"
        }
        21 => {
            district.chains.remove(&subject);
            "case-gone"
        }
        22 => {
            district.checkpoints.pop();
            district.leaves.pop();
            "last-checkpoint-gone"
        }
        23 => {
            district.checkpoints.clear();
            district.leaves.clear();
            "all-checkpoints-gone"
        }
        24 => {
            rewrite(&mut district, &subject);
            remake(&mut district, &seeded(9));
            "all-signed-with-another-key"
        }
        25 => {
            rewrite(&mut district, &subject);
            remake(&mut district, &key());
            "all-signed-anew"
        }
        26 => {
            let keep = random.below(district.checkpoints.len() - 1);
            district.checkpoints.truncate(keep);
            district.leaves.truncate(keep);
            district.close(vec![], &key());
            "another-end"
        }
        _ => {
            let from = random.below(district.checkpoints.len());
            district.checkpoints.remove(from);
            district.leaves.remove(from);
            remake(&mut district, &key());
            "checkpoint-gone-and-signed-anew"
        }
    };
    (name, district.bytes(), true)
}

/// A case with another first act, known to all leaves.
fn rewrite(district: &mut District, subject: &str) {
    district.chains.get_mut(subject).unwrap()[0].0.actor = "staff/8".to_owned();
    district.recompute(subject, 1);
    for leaf in district
        .leaves
        .iter_mut()
        .flatten()
        .filter(|leaf| leaf.subject == subject)
    {
        let at = usize::try_from(leaf.act_count).unwrap() - 1;
        leaf.head = district.chains[subject][at].2;
    }
}

fn remake(district: &mut District, key: &bangban_ledger::SigningKey) {
    let leaves: Vec<Vec<Leaf>> = std::mem::take(&mut district.leaves);
    district.checkpoints.clear();
    leaves
        .into_iter()
        .for_each(|leaves| district.close(leaves, key));
}

/// The export of one case.
fn in_part(kind: u64, random: &mut Random) -> Told {
    let mut district = District::sample();
    let (subject, count) = random.pick(&known(&district));
    let name = match kind {
        28 => {
            let chain = district.chains.get_mut(&subject).unwrap();
            chain[count - 1].0.payload = b"another".to_vec();
            district.recompute(&subject, count);
            "one-case-rewritten"
        }
        29 => {
            district
                .chains
                .get_mut(&subject)
                .unwrap()
                .truncate(count - 1);
            district.chains.retain(|_, chain| !chain.is_empty());
            "one-case-cut"
        }
        _ => "one-case-with-another-proof",
    };
    let mut lines = district.lines(Some(&subject));
    if kind == 30 {
        let leaf = random.pick(&all(&lines, "leaf"));
        match random.below(3) {
            0 => edit(&mut lines[leaf], |leaf| leaf["index"] = json!(77)),
            1 => edit(&mut lines[leaf], |leaf| {
                leaf["path"] = json!(["00".repeat(32)])
            }),
            _ => edit(&mut lines[leaf], |leaf| leaf["path"] = json!(null)),
        }
        reseal(&mut lines);
    }
    (name, bytes(&lines), true)
}

/// What nothing in the file stands against.
fn uncovered(kind: u64, random: &mut Random) -> Told {
    let mut district = District::sample();
    let name = match kind {
        31 => {
            let mut lines = district.lines(None);
            let case = random.pick(&all(&lines, "case"));
            let act = random.pick(&all(&lines, "act"));
            match random.below(3) {
                0 => edit(&mut lines[case], |case| {
                    case["receipt"] = json!("42527000000011")
                }),
                1 => edit(&mut lines[act], |act| act["text"] = json!("未收到材料")),
                _ => edit(&mut lines[0], |head| head["exporter"] = json!("staff/8")),
            }
            reseal(&mut lines);
            return ("not-hashed", bytes(&lines), false);
        }
        32 => {
            // The morning after the last checkpoint.
            match random.below(3) {
                0 => drop(district.chains.remove("cases/h")),
                1 => drop(district.chains.get_mut("cases/h").unwrap().pop()),
                _ => drop(district.chains.get_mut("cases/a").unwrap().pop()),
            }
            "after-the-last-checkpoint"
        }
        _ => {
            let chain = district.chains.get_mut("cases/h").unwrap();
            chain[0].0 = entry("cases/h", 1);
            chain[0].0.payload = vec![u8::try_from(random.below(200)).unwrap()];
            district.recompute("cases/h", 1);
            "rewritten-after-the-last-checkpoint"
        }
    };
    (name, district.bytes(), false)
}
