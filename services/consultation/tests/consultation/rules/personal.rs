use bangban_consultation::domain::text::is_personal;

use crate::story::{Story, asked, refused, told};

#[test]
fn numbers_of_people_are_found_however_they_are_written() {
    let today = "2026-03-02".parse().expect("a day");
    for text in [
        "身份证11010519491231002X，请查",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 19491231 002x",
        "电话13800138000",
        "+86 138-0013-8000",
        "先打 0717-2880000 再打 138 0013 8000",
        // The number of a residence permit for Hong Kong.
        "810000199408230021",
    ] {
        assert!(is_personal(text, today), "{text}");
    }
    for text in [
        "每月100元，80岁起，2026年3月2日",
        // The check character is wrong; a hotline; a fixed line; longer and shorter than a mobile number.
        "110105194912310021",
        "12345",
        "0717-2880000",
        "138001380001",
        "1380013800",
        "编号 4205271000000000000000",
        "12800138000",
    ] {
        assert!(!is_personal(text, today), "{text}");
    }
}

#[test]
fn bb_10_1_1c_personal_data_stand_in_the_applicants_record_not_in_texts() {
    let expected = ("PERSONAL_DATA_IN_TEXT", "BB-10.1.1c");
    let mut request = asked();
    request.question = "我的身份证是11010519491231002X".to_owned();
    assert_eq!(refused(Story::unwritten().register(&request)), expected);
    let mut story = Story::new();
    let mut request = told();
    request.preparations.push("找13800138000".to_owned());
    let refusal = story.answer(&request).err().expect("refused");
    assert_eq!(refusal.reason, expected.0);
    assert_eq!(refusal.fields[0].0, "preparations[1]");
}
