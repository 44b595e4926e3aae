//! How does money cross a wire, and what is refused on arrival?

use bursar_units::{Currency, Money, TokenCount, UnitRate};
use proptest::prelude::*;

use crate::strategies::any_money;
use crate::usd;

#[test]
fn amounts_are_strings_with_their_places() {
    let json = serde_json::to_string(&usd("12.340")).unwrap();
    assert_eq!(json, r#"{"amount":"12.340","currency":"USD"}"#);
    assert_eq!(serde_json::to_string(&Currency::JPY).unwrap(), r#""JPY""#);
    assert_eq!(serde_json::to_string(&TokenCount::new(7)).unwrap(), "7");
    let rate = UnitRate::per_million(usd("3.00"));
    let json = serde_json::to_string(&rate).unwrap();
    assert_eq!(
        json,
        r#"{"price":{"amount":"3.00","currency":"USD"},"per":"million"}"#
    );
    assert_eq!(serde_json::from_str::<UnitRate>(&json).unwrap(), rate);
}

#[test]
fn refuses_what_could_have_lost_digits_or_meaning() {
    for (json, message) in [
        (
            r#"{"amount":12.34,"currency":"USD"}"#,
            "invalid type: floating point `12.34`, expected the amount as a string such as \"12.34\", because a number would lose digits",
        ),
        (
            r#"{"amount":12,"currency":"USD"}"#,
            "invalid type: integer `12`, expected the amount as a string",
        ),
        (
            r#"{"amount":null,"currency":"USD"}"#,
            "invalid type: null, expected the amount as a string",
        ),
        (
            r#"{"amount":"1,5","currency":"USD"}"#,
            "`1,5` is not an amount",
        ),
        (r#"{"amount":"1","currency":"usd"}"#, "write `USD`"),
        (r#"{"amount":"1"}"#, "missing field `currency`"),
        (
            r#"{"amount":"1","currency":"USD","cents":5}"#,
            "unknown field `cents`",
        ),
    ] {
        let error = serde_json::from_str::<Money>(json).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert!(serde_json::from_str::<TokenCount>("-1").is_err());
    assert!(serde_json::from_str::<TokenCount>("1.5").is_err());
}

#[test]
fn reads_text_with_escapes_and_from_a_stream() {
    let json = r#"{"currency":"\u0055SD","amount":"1\u002e50"}"#;
    assert_eq!(
        serde_json::from_reader::<_, Money>(json.as_bytes()).unwrap(),
        usd("1.50")
    );
}

proptest! {
    #[test]
    fn money_arrives_as_it_was_sent(money in any_money()) {
        let json = serde_json::to_string(&money).unwrap();
        let read: Money = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read, money);
        prop_assert_eq!(read.amount().scale(), money.amount().scale());
    }
}
