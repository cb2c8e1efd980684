//! Region codes: GB/T 2260 for provinces, prefectures and counties, GB/T 10114 for towns, and the
//! statistical twelve digits for villages (BB-1).
//!
//! A code is cut at its tier: `33`, `3303`, `330327`, `330327101`, `330327101001`. The prefix of a
//! code is the default of authority, so a prefix that ends inside a tier (`330`) is no code at all.
//! Codes are versioned data: this module knows their form, not whether one is in force.

use std::fmt;
use std::str::FromStr;

use crate::text::{Ascii, ascii_str};
use crate::{Error, Fault, Subject};

/// The five tiers of the region tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Province, autonomous region, municipality, special administrative region: 2 digits.
    Province,
    /// Prefecture, city with districts, league: 4 digits.
    Prefecture,
    /// County, district, banner, county-level city: 6 digits.
    County,
    /// Town, township, subdistrict: 9 digits.
    Town,
    /// Village or residents' committee: 12 digits.
    Village,
}

impl Tier {
    /// All tiers, the widest first.
    pub const ALL: [Self; 5] = [
        Self::Province,
        Self::Prefecture,
        Self::County,
        Self::Town,
        Self::Village,
    ];

    /// How many digits a code of this tier has.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::Prefecture => 4,
            Self::County => 6,
            Self::Town => 9,
            Self::Village => 12,
        }
    }

    /// The tier in Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Province => "省级",
            Self::Prefecture => "市级",
            Self::County => "县级",
            Self::Town => "乡级",
            Self::Village => "村级",
        }
    }

    /// Where this tier's own digits begin.
    const fn start(self) -> usize {
        match self {
            Self::Province => 0,
            Self::Prefecture => 2,
            Self::County => 4,
            Self::Town => 6,
            Self::Village => 9,
        }
    }

    const fn from_digits(digits: usize) -> Option<Self> {
        match digits {
            2 => Some(Self::Province),
            4 => Some(Self::Prefecture),
            6 => Some(Self::County),
            9 => Some(Self::Town),
            12 => Some(Self::Village),
            _ => None,
        }
    }
}

/// A region's code, cut at its tier. Sorted by code, a region comes directly before its parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode {
    /// ASCII digits, then NUL to the end.
    bytes: [u8; 12],
}

impl RegionCode {
    /// Parses a code cut at its tier: 2, 4, 6, 9 or 12 digits. Full-width digits and white space
    /// are tolerated.
    ///
    /// The county part may be `00` in codes of towns and villages, because five cities
    /// (441900 Dongguan, 442000 Zhongshan and others) have towns and no counties; every other part
    /// must not be zero. A padded code such as `330000` is for [`RegionCode::from_statistical`].
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `REGION_UNKNOWN_FORM`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let digits = Ascii::<12>::digits(text).map_err(Self::refused)?;
        Self::from_digits(digits.as_bytes()).map_err(Self::refused)
    }

    /// Parses a code of the statistics bureau or the civil affairs ministry, padded with zeros to
    /// 12, 9 or 6 digits: `330000000000` and `330000` are both `33`.
    ///
    /// # Errors
    /// `EMPTY`, `LENGTH_WRONG`, `CHARACTER_NOT_ALLOWED`, `REGION_UNKNOWN_FORM`.
    pub fn from_statistical(text: &str) -> Result<Self, Error> {
        let refused = |fault| Error::new(Subject::StatisticalCode, fault);
        let digits = Ascii::<12>::digits(text).map_err(refused)?;
        let mut rest = digits.as_bytes();
        let tier = Tier::from_digits(rest.len())
            .filter(|&tier| tier >= Tier::County)
            .ok_or(refused(Fault::LengthWrong))?;
        for padded in Tier::ALL
            .into_iter()
            .skip(1)
            .rev()
            .filter(|&padded| padded <= tier)
        {
            if is_zero(&rest[padded.start()..]) {
                rest = &rest[..padded.start()];
            } else {
                break;
            }
        }
        Self::from_digits(rest).map_err(refused)
    }

    fn from_digits(digits: &[u8]) -> Result<Self, Fault> {
        let tier = Tier::from_digits(digits.len()).ok_or(Fault::LengthWrong)?;
        // GB/T 2260: the first digit is one of eight great regions, the second a province in it.
        let is_province =
            matches!(digits[0], b'1'..=b'8') && (digits[1] != b'0' || digits[0] == b'5');
        let has_empty_tier = Tier::ALL.into_iter().filter(|&t| t <= tier).any(|t| {
            is_zero(&digits[t.start()..t.digits()]) && (t != Tier::County || tier == Tier::County)
        });
        if !is_province || has_empty_tier {
            return Err(Fault::RegionUnknownForm);
        }
        Ok(Self::cut(digits, tier))
    }

    fn cut(digits: &[u8], tier: Tier) -> Self {
        let mut bytes = [0; 12];
        bytes[..tier.digits()].copy_from_slice(&digits[..tier.digits()]);
        Self { bytes }
    }

    const fn refused(fault: Fault) -> Error {
        Error::new(Subject::RegionCode, fault)
    }

    /// The tier, which the length says.
    #[must_use]
    pub const fn tier(&self) -> Tier {
        match self.bytes {
            [_, _, 0, ..] => Tier::Province,
            [_, _, _, _, 0, ..] => Tier::Prefecture,
            [_, _, _, _, _, _, 0, ..] => Tier::County,
            [_, _, _, _, _, _, _, _, _, 0, ..] => Tier::Town,
            _ => Tier::Village,
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii_str(self.digits())
    }

    fn digits(&self) -> &[u8] {
        &self.bytes[..self.tier().digits()]
    }

    /// The region directly above, or none for a province. The parent of a town in a city without
    /// counties is the city.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        Tier::ALL
            .into_iter()
            .rev()
            .find_map(|tier| (tier < self.tier()).then(|| self.at(tier))?)
    }

    /// The region and all above it, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// The region of `tier` that this one is or lies in; none if this one is wider, or for the
    /// county of a town in a city without counties.
    #[must_use]
    pub fn at(&self, tier: Tier) -> Option<Self> {
        let is_wider = self.tier() < tier;
        if is_wider || is_zero(&self.bytes[tier.start()..tier.digits()]) {
            return None;
        }
        Some(Self::cut(&self.bytes, tier))
    }

    /// The province.
    #[must_use]
    pub fn province(&self) -> Self {
        Self::cut(&self.bytes, Tier::Province)
    }

    /// Whether `other` is this region or lies in it, by code.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.digits().starts_with(self.digits())
    }

    /// Whether this region is `other` or one above it: the default of authority over `other`.
    #[must_use]
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        self.contains(other)
    }

    /// The code padded with zeros to the twelve digits of the statistics bureau.
    #[must_use]
    pub fn to_statistical(&self) -> String {
        format!("{:0<12}", self.as_str())
    }
}

fn is_zero(digits: &[u8]) -> bool {
    digits.iter().all(|&digit| digit == b'0')
}

impl FromStr for RegionCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl AsRef<str> for RegionCode {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionCode({self})")
    }
}
