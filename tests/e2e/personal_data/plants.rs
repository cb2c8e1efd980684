//! What is planted, and every form in which it might come up.

use std::{collections::HashMap, fmt::Write as _};

/// Something personal that must not be found.
struct Plant {
    /// What it is.
    what: &'static str,
    /// It.
    text: &'static str,
}

/// Name.
pub const NAME: &str = "欧阳暗号";
/// Document number.
pub const DOCUMENT: &str = "42052719440308774X";
/// Telephone.
pub const TELEPHONE: &str = "13987650419";
/// Address.
pub const ADDRESS: &str = "湖北省宜昌市秭归县郭家坝镇烟灯堡村埋藏街73号";
/// The telephone after a change.
pub const NEW_TELEPHONE: &str = "13987650420";
/// The address after a change.
pub const NEW_ADDRESS: &str = "湖北省宜昌市秭归县郭家坝镇烟灯堡村隐匿巷74号";

/// All of it, and the parts that say as much as the whole.
const PLANTS: [Plant; 9] = [
    Plant {
        what: "name",
        text: NAME,
    },
    Plant {
        what: "given name",
        text: "暗号",
    },
    Plant {
        what: "document",
        text: DOCUMENT,
    },
    Plant {
        what: "document in small letters",
        text: "42052719440308774x",
    },
    Plant {
        what: "document without its check character",
        text: "42052719440308774",
    },
    Plant {
        what: "telephone",
        text: TELEPHONE,
    },
    Plant {
        what: "street",
        text: "埋藏街73号",
    },
    Plant {
        what: "new telephone",
        text: NEW_TELEPHONE,
    },
    Plant {
        what: "new street",
        text: "隐匿巷74号",
    },
];

/// A form of a plant.
struct Form {
    /// Of what, and how.
    what: String,
    /// The bytes that would be there.
    bytes: Vec<u8>,
}

/// The plants in clear and as programs write what they do not show: UTF-16, hex, base64, escapes of JSON and URLs.
fn forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for plant in &PLANTS {
        let text = plant.text;
        let mut add = |how: &str, bytes: Vec<u8>| {
            let what = format!("{} ({how})", plant.what);
            forms.push(Form { what, bytes });
        };
        add("in clear", text.as_bytes().to_vec());
        add(
            "UTF-16, low byte first",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        );
        add(
            "UTF-16, high byte first",
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        );
        let hex = hex(text.as_bytes());
        add("HEX", hex.to_uppercase().into_bytes());
        add("hex", hex.into_bytes());
        for (offset, alphabet) in (0..3).flat_map(|o| [(o, b"+/"), (o, b"-_")]) {
            add("base64", base64(text.as_bytes(), offset, alphabet));
        }
        if !text.is_ascii() {
            let units = text.encode_utf16();
            add(
                "escaped",
                units
                    .fold(String::new(), |s, u| s + &format!("\\u{u:04x}"))
                    .into_bytes(),
            );
            let bytes = text.bytes();
            add(
                "in a URL",
                bytes
                    .fold(String::new(), |s, b| s + &format!("%{b:02X}"))
                    .into_bytes(),
            );
        }
    }
    forms
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The characters of a base64 text that follow from these bytes alone, when `offset` bytes stand before them.
fn base64(bytes: &[u8], offset: usize, last: &[u8; 2]) -> Vec<u8> {
    let alphabet = |six: u32| match six {
        0..26 => b'A' + six as u8,
        26..52 => b'a' + (six - 26) as u8,
        52..62 => b'0' + (six - 52) as u8,
        _ => last[(six - 62) as usize],
    };
    let bits: Vec<u32> = std::iter::repeat_n(0, offset * 8)
        .chain(
            bytes
                .iter()
                .flat_map(|b| (0..8).rev().map(move |n| u32::from(b >> n & 1))),
        )
        .collect();
    let whole = bits
        .chunks_exact(6)
        .map(|six| six.iter().fold(0, |n, bit| n << 1 | bit));
    // Characters that share bits with what stands before are not ours.
    whole.skip((offset * 8).div_ceil(6)).map(alphabet).collect()
}

/// Bytes by which forms are looked up.
const KEY: usize = 4;

/// Forms by the bytes with which they begin.
pub struct Forms(HashMap<[u8; KEY], Vec<Form>>);

impl Forms {
    /// All of them. What is so short that it comes up by chance is left out.
    pub fn new() -> Self {
        let mut by_key: HashMap<[u8; KEY], Vec<Form>> = HashMap::new();
        for form in forms().into_iter().filter(|f| f.bytes.len() > KEY) {
            let mut key = [0; KEY];
            key.copy_from_slice(&form.bytes[..KEY]);
            by_key.entry(key).or_default().push(form);
        }
        Self(by_key)
    }

    /// Which forms stand in these bytes.
    pub fn found(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found = Vec::new();
        for (at, key) in bytes.windows(KEY).enumerate() {
            let begun = self.0.get(key).into_iter().flatten();
            let whole = begun.filter(|form| bytes[at..].starts_with(&form.bytes));
            found.extend(whole.map(|form| form.what.as_str()));
        }
        found
    }
}

/// The bytes behind every `\x…` of a text, as PostgreSQL writes bytes.
pub fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in text.split("\\x").skip(1) {
        let digits: Vec<u32> = part.chars().map_while(|c| c.to_digit(16)).collect();
        bytes.extend(
            digits
                .chunks_exact(2)
                .map(|two| (two[0] << 4 | two[1]) as u8),
        );
        bytes.push(0);
    }
    bytes
}

#[test]
fn a_plant_is_found_in_every_form() {
    let forms = Forms::new();
    let of = |bytes: &[u8]| forms.found(bytes).len();
    assert_eq!(of(b"nothing here"), 0);
    assert!(of(format!("a{NAME}b").as_bytes()) >= 2);
    // "139…" behind one byte and behind two.
    assert!(of(b"eDEzOTg3NjUwNDE5") >= 1 && of(b"eHgxMzk4NzY1MDQxOXg=") >= 1);
    assert!(of(b"MTM5ODc2NTA0MTk=") >= 1);
    assert!(of(&unescaped("(1,\"\\\\x3133393837363530343139\")")) >= 1);
}
