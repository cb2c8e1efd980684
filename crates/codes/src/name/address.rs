//! Masks of addresses.

/// What is written for the hidden part, whatever its length.
const HIDDEN: &str = "****";
/// Longest name of a region in characters: 积石山保安族东乡族撒拉族自治县 has fifteen.
const REGION_LIMIT: usize = 15;

/// An address down to its county, `浙江省温州市苍南县****`. Town, street and house are hidden; where no
/// region is recognised at the beginning, everything is.
///
/// Regions are recognised by their last character (省市区县旗盟州), so this knows no list that could
/// be out of date, and hides too much rather than too little where it is unsure.
#[must_use]
pub fn mask_address(address: &str) -> String {
    let address = address.trim();
    if address.is_empty() {
        return String::new();
    }
    let mut kept = 0;
    let mut cities = 0;
    while let Some(region) = leading_region(&address[kept..]) {
        match rank(region) {
            Rank::Upper => {}
            Rank::City => cities += 1,
            Rank::County => {
                kept += region.len();
                break;
            }
        }
        // 浙江省温州市乐清市: a city, a city of county rank, and no third.
        if cities > 2 {
            break;
        }
        kept += region.len();
    }
    format!("{}{HIDDEN}", &address[..kept])
}

enum Rank {
    Upper,
    City,
    County,
}

fn rank(region: &str) -> Rank {
    if ["省", "自治区", "特别行政区", "地区", "自治州", "盟"]
        .iter()
        .any(|end| region.ends_with(end))
    {
        Rank::Upper
    } else if region.ends_with('市') {
        Rank::City
    } else {
        Rank::County
    }
}

/// The region the text begins with, up to its first ending.
fn leading_region(text: &str) -> Option<&str> {
    let mut before = ['\0'; 2];
    for (index, (at, c)) in text.char_indices().take(REGION_LIMIT).enumerate() {
        let rest = &text[at + c.len_utf8()..];
        let region = &text[..at + c.len_utf8()];
        if !is_of_name(c) {
            return None;
        }
        if index > 0 && is_ending(c, before, rest) {
            return (!names_a_street(region)).then_some(region);
        }
        before = [before[1], c];
    }
    None
}

/// Han characters only: digits, letters and signs belong to houses.
const fn is_of_name(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}')
        && !matches!(c, '号' | '室' | '栋' | '幢' | '楼' | '弄')
}

fn is_ending(c: char, before: [char; 2], rest: &str) -> bool {
    match c {
        '省' | '盟' => true,
        // 红旗路 is a street of any town.
        '旗' => !rest.starts_with(['路', '街', '巷', '大', '村', '镇', '乡', '新', '小', '中']),
        '州' => before == ['自', '治'],
        // 市场, 市民中心 and the like are buildings.
        '市' => !rest.starts_with(['场', '民']),
        // 县城, 县府路 follow the county they belong to.
        '县' => true,
        // 自治区 and 地区 are regions; 小区, 社区, 园区, 生活区 and the like are places to live or work.
        '区' => !matches!(
            before[1],
            '小' | '社' | '园' | '业' | '活' | '宅' | '舍' | '属' | '厂' | '住'
        ),
        _ => false,
    }
}

/// Whether a town or street stands inside what looked like a region: 灵溪镇建兴东路市. A name may
/// begin with such a character (镇海区, 路桥区, 乡宁县) or have it last before its ending (景德镇市, 新乡市).
fn names_a_street(region: &str) -> bool {
    let inner = region.chars().count().saturating_sub(2);
    region.chars().enumerate().any(|(index, c)| {
        index > 0 && index < inner && matches!(c, '镇' | '乡' | '街' | '路' | '村' | '道')
    }) && !region.contains("自治")
}
