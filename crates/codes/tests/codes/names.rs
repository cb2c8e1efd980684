use bangban_codes::{PersonName, mask_address, mask_enterprise, mask_name};
use proptest::prelude::*;

use crate::reason;

#[test]
fn names_come_to_one_normal_form() {
    for (text, expected) in [
        ("张三", "张三"),
        (" 张 三\u{3000}", "张三"),
        ("买买提·吐尔逊", "买买提·吐尔逊"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("买买提.吐尔逊", "买买提·吐尔逊"),
        ("买买提．吐尔逊", "买买提·吐尔逊"),
        ("买买提 ・ 吐尔逊", "买买提·吐尔逊"),
        ("John  Q. Smith", "John Q. Smith"),
        ("José María Núñez", "José María Núñez"),
        ("O’Brien‐Lee", "O'Brien-Lee"),
        ("Ｌｉ Ming", "Li Ming"),
        ("李 Ming", "李Ming"),
        ("Ming 李", "Ming李"),
        ("𠮷田", "𠮷田"),
        ("张\u{E123}", "张\u{E123}"),
        ("བསོད་ནམས", "བསོད་ནམས"),
    ] {
        assert_eq!(
            PersonName::parse(text).unwrap().as_str(),
            expected,
            "{text}"
        );
    }
    assert!(PersonName::parse(&"长".repeat(50)).is_ok());
}

#[test]
fn malformed_names_are_refused_with_their_reason() {
    let long = "长".repeat(51);
    for (text, expected) in [
        ("", "EMPTY"),
        (" \u{3000}", "EMPTY"),
        (long.as_str(), "LENGTH_WRONG"),
        ("张\u{0}三", "CHARACTER_NOT_ALLOWED"),
        ("张\n三", "CHARACTER_NOT_ALLOWED"),
        ("张\u{200B}三", "CHARACTER_NOT_ALLOWED"),
        ("张\u{202E}三", "CHARACTER_NOT_ALLOWED"),
        ("张\u{FFFD}", "CHARACTER_NOT_ALLOWED"),
        ("张?", "CHARACTER_NOT_ALLOWED"),
        ("张三3", "CHARACTER_NOT_ALLOWED"),
        ("张三。", "CHARACTER_NOT_ALLOWED"),
        ("<b>张三", "CHARACTER_NOT_ALLOWED"),
        ("😀", "CHARACTER_NOT_ALLOWED"),
        ("--", "CHARACTER_NOT_ALLOWED"),
        ("·张三", "FORM_UNKNOWN"),
        ("张三·", "FORM_UNKNOWN"),
    ] {
        assert_eq!(reason(text, PersonName::parse(text)), expected, "{text:?}");
    }
}

#[test]
fn a_person_is_masked_to_the_first_and_last_character() {
    for (name, mask) in [
        ("", ""),
        ("张", "*"),
        ("张三", "张*"),
        ("张桂娥", "张*娥"),
        ("欧阳娜娜", "欧**娜"),
        ("阿卜杜热合曼·买买提", "阿****提"),
        ("𠮷野家", "𠮷*家"),
        ("葛\u{E0100}城", "葛\u{E0100}*"),
    ] {
        assert_eq!(mask_name(name), mask);
    }
    let name = PersonName::parse("张桂娥").unwrap();
    assert_eq!(name.mask(), "张*娥");
    assert_eq!(format!("{name:?}"), "PersonName(张*娥)");
}

#[test]
fn an_enterprise_is_masked_in_the_middle() {
    for (name, mask) in [
        ("", ""),
        ("店", "*"),
        ("小店", "小*"),
        ("张三店", "张**"),
        ("张三小吃店", "张**吃店"),
        ("张三的鲜花小店铺", "张****店铺"),
        ("温州市某某食品有限公司", "温州****有限公司"),
    ] {
        assert_eq!(mask_enterprise(name), mask);
    }
}

#[test]
fn an_address_is_masked_below_its_county() {
    for (address, mask) in [
        ("", ""),
        (
            "浙江省温州市苍南县灵溪镇建兴东路1号",
            "浙江省温州市苍南县****",
        ),
        (
            "浙江省温州市乐清市虹桥镇新市路2号",
            "浙江省温州市乐清市****",
        ),
        ("北京市朝阳区建国路88号", "北京市朝阳区****"),
        ("上海市市辖区黄浦区南京路", "上海市市辖区****"),
        (
            "广西壮族自治区南宁市青秀区民族大道",
            "广西壮族自治区南宁市青秀区****",
        ),
        (
            "内蒙古自治区锡林郭勒盟正蓝旗上都镇",
            "内蒙古自治区锡林郭勒盟正蓝旗****",
        ),
        (
            "吉林省延边朝鲜族自治州延吉市局子街",
            "吉林省延边朝鲜族自治州延吉市****",
        ),
        (
            "甘肃省临夏回族自治州积石山保安族东乡族撒拉族自治县吹麻滩镇",
            "甘肃省临夏回族自治州积石山保安族东乡族撒拉族自治县****",
        ),
        ("江西省景德镇市珠山区", "江西省景德镇市珠山区****"),
        ("河南省新乡市卫滨区", "河南省新乡市卫滨区****"),
        ("浙江省台州市路桥区", "浙江省台州市路桥区****"),
        ("山东省枣庄市市中区文化路", "山东省枣庄市市中区****"),
        ("苍南县灵溪镇", "苍南县****"),
        ("浙江省温州市阳光小区3号楼", "浙江省温州市****"),
        ("温州市红旗路12号", "温州市****"),
        ("温州市灵溪镇建兴东路市场监管局", "温州市****"),
        ("温州市市民中心", "温州市****"),
        ("灵溪镇建兴东路1号", "****"),
        ("建兴东路1号阳光小区", "****"),
        ("12 Renmin Road, Wenzhou", "****"),
        ("阳光社区3号", "****"),
    ] {
        assert_eq!(mask_address(address), mask, "{address}");
    }
}

proptest! {
    #[test]
    fn normal_names_stay_as_they_are(text in any::<String>()) {
        if let Ok(name) = PersonName::parse(&text) {
            prop_assert_eq!(PersonName::parse(name.as_str()), Ok(name));
        }
    }

    #[test]
    fn masks_hide_something_of_every_name(name in "[张王李赵娥强华市区县]{1,20}") {
        prop_assert!(mask_name(&name).contains('*'));
        prop_assert!(mask_enterprise(&name).contains('*'));
        prop_assert!(mask_address(&name).ends_with("****"));
    }

    #[test]
    fn no_text_makes_a_mask_panic(text in any::<String>()) {
        let _ = (mask_name(&text), mask_enterprise(&text), mask_address(&text));
    }
}
