use bangban_codes::{CreditCode, PersonName, ReceiptNumber, ResidentId, Telephone};

use crate::today;

#[test]
fn an_error_speaks_english_and_chinese() {
    let error = ResidentId::parse("110105194912310021", today()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the resident identity number does not match its check character; \
         a character may be wrong or two may be swapped"
    );
    assert_eq!(
        error.zh(),
        "居民身份证号码校验不通过，请核对是否有输错或颠倒的字符。"
    );
    assert_eq!(error.reason(), "CHECKSUM_MISMATCH");
    let error = Telephone::parse("0577-88").unwrap_err();
    assert_eq!(
        error.zh(),
        "电话号码位数不对，应为11位手机号、区号加7至8位固定电话号码，或服务热线。"
    );
    let error = ReceiptNumber::parse("").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the receipt number is missing; expected 14 digits"
    );
    assert_eq!(error.zh(), "回执号未填写，应为14位数字。");
}

#[test]
fn no_error_repeats_the_refused_value() {
    let secret = "93303271980010100";
    let errors = [
        ResidentId::parse(secret, today()).unwrap_err(),
        CreditCode::parse(secret).unwrap_err(),
        Telephone::parse(secret).unwrap_err(),
        PersonName::parse(secret).unwrap_err(),
        ReceiptNumber::parse(secret).unwrap_err(),
    ];
    for error in errors {
        let said = format!("{error} {error:?} {}", error.zh());
        assert!(!said.contains("3303"), "{said}");
    }
}
