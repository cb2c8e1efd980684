//! Digits as they are spoken and written in Chinese.

use crate::text::fold;

/// The digit a character stands for, in ASCII.
///
/// Besides the everyday digits these are the financial ones (壹贰叁) and those of soldiers and
/// railwaymen (洞拐勾), who say them on the telephone all their lives.
pub(super) fn digit(c: char) -> Option<u8> {
    match fold(c) {
        c @ '0'..='9' => Some(c as u8),
        '零' | '〇' | '○' | '洞' => Some(b'0'),
        '一' | '幺' | '壹' => Some(b'1'),
        '二' | '两' | '兩' | '贰' => Some(b'2'),
        '三' | '叁' => Some(b'3'),
        '四' | '肆' => Some(b'4'),
        '五' | '伍' => Some(b'5'),
        '六' | '陆' => Some(b'6'),
        '七' | '柒' | '拐' => Some(b'7'),
        '八' | '捌' => Some(b'8'),
        '九' | '玖' | '勾' => Some(b'9'),
        _ => None,
    }
}

/// Whether a character only separates digits: white space, hyphens, the pauses dictation programs
/// write, and the spoken hyphen 杠.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(fold(c), '-' | ',' | '.' | '、' | '。' | '杠')
}

/// A digit read aloud.
pub(super) const fn zh(digit: u8) -> &'static str {
    match digit {
        b'0' => "零",
        b'1' => "幺",
        b'2' => "二",
        b'3' => "三",
        b'4' => "四",
        b'5' => "五",
        b'6' => "六",
        b'7' => "七",
        b'8' => "八",
        _ => "九",
    }
}
