//! Does a broken rule file say where, and leave the old rules in force?
#![cfg(feature = "serde")]

use bursar_risk::{Format, LiveRules, LoadError, ReplaceError, RuleSet};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOML: &str = r#"name = "gateway"
version = 7
policy = "score-only"
thresholds = { review = 40, block = 70 }
numbers = ["chargebacks"]

[[rules]]
name = "high_velocity"
when = { signal = "tokens_per_minute", above = { fraction = 0.8, of = "plan_tokens_per_minute" } }
score = 30
action = "flag"
reason = "{tokens_per_minute} tokens, more than {threshold}"

[[rules]]
name = "disputed"
when.all = [{ signal = "account_age_days", below = 7 }, { signal = "country", one_of = ["XX", "YY"] }]
score = 60
action = "review"
mode = "shadow"
"#;

/// The same set as people write it in YAML.
const YAML: &str = r#"name: gateway
version: 7
policy: score-only
thresholds: {review: 40, block: 70}
numbers: [chargebacks]
rules:
  - name: high_velocity
    when:
      signal: tokens_per_minute
      above: {fraction: 0.8, of: plan_tokens_per_minute}
    score: 30
    action: flag
    reason: "{tokens_per_minute} tokens, more than {threshold}"
  - name: disputed
    when:
      all:
        - {signal: account_age_days, below: 7}
        - {signal: country, one_of: [XX, YY]}
    score: 60
    action: review
    mode: shadow
"#;

fn written(format: Format) -> String {
    match format {
        Format::Toml => TOML.to_owned(),
        Format::Json => serde_json::to_string_pretty(&RuleSet::from_toml(TOML).unwrap()).unwrap(),
        Format::Yaml => YAML.to_owned(),
    }
}

#[test]
fn a_set_reads_the_same_from_each_format() {
    let rules = RuleSet::from_toml(TOML).unwrap();
    for format in [Format::Json, Format::Yaml] {
        assert_eq!(RuleSet::from_text(format, &written(format)).unwrap(), rules);
    }
}

/// The set of the TOML above in the block style that people write.
const BLOCK_YAML: &str = r#"# in force since spring
name: gateway
version: 7
policy: score-only
thresholds:
  review: 40
  block: 70
numbers:
  - chargebacks
rules:
  - name: high_velocity
    when:
      signal: tokens_per_minute
      above:
        fraction: 0.8
        of: plan_tokens_per_minute
    score: 30
    action: flag
    reason: "{tokens_per_minute} tokens, more than {threshold}"
  - name: disputed
    when:
      all:
        - signal: account_age_days
          below: 7
        - signal: country
          one_of:
            - XX
            - YY
    score: 60
    action: review
    mode: shadow
"#;

#[test]
fn a_set_in_block_style_reads_as_the_same_set() {
    let rules = RuleSet::from_yaml(BLOCK_YAML).unwrap();
    assert_eq!(rules, RuleSet::from_toml(TOML).unwrap());
}

#[test]
fn what_is_wrong_in_block_style_is_named_with_line_and_field() {
    let cases = [
        ("score: 30", "score: -30", 17, "rules[0].score"),
        ("action: flag", "action: flog", 18, "rules[0].action"),
        ("fraction: 0.8", "fraction: much", 15, "rules[0].when.above"),
        ("below: 7", "bellow: 7", 25, "rules[1].when.all[0]"),
        ("- XX", "- much_too_long", 28, "rules[1].when"),
        ("review: 40", "review: 90", 6, "thresholds.review"),
        ("mode: shadow", "mode: shade", 32, "rules[1].mode"),
    ];
    for (right, wrong, line, field) in cases {
        let error = RuleSet::from_yaml(&BLOCK_YAML.replacen(right, wrong, 1)).unwrap_err();
        assert!(error.field().starts_with(field), "{wrong}: {error}");
        assert!(error.line().abs_diff(line) <= 1, "{wrong}: {error}");
    }
}

#[test]
fn a_notice_is_read_and_written_as_it_is() {
    let text = TOML.replace(
        "action = \"flag\"",
        "action = \"flag\"\nnotice = \"Too {fast}.\"",
    );
    let rules = RuleSet::from_toml(&text).unwrap();
    assert_eq!(rules.rules()[0].public_notice(), Some("Too {fast}."));
    let written = serde_json::to_string(&rules).unwrap();
    assert_eq!(RuleSet::from_json(&written).unwrap(), rules);
}

#[test]
fn what_is_wrong_is_named_with_line_and_field() {
    let cases = [
        ("score = 30", "score = -30", 10, "rules[0].score"),
        (
            "action = \"flag\"",
            "action = \"flog\"",
            11,
            "rules[0].action",
        ),
        (
            "\"tokens_per_minute\"",
            "\"tokens\"",
            9,
            "rules[0].when.signal",
        ),
        ("below = 7", "below = nan", 16, "rules[1].when.all[0].below"),
        ("\"XX\"", "\"much_too_long\"", 16, "rules[1].when.one_of"),
        ("{threshold}", "{treshold}", 12, "rules[0].reason"),
        ("\"disputed\"", "\"high_velocity\"", 15, "rules[1].name"),
        ("review = 40", "review = 90", 4, "thresholds.review"),
    ];
    for (right, wrong, line, field) in cases {
        let error = RuleSet::from_toml(&TOML.replacen(right, wrong, 1)).unwrap_err();
        assert_eq!(error.line(), line, "{wrong}: {error}");
        let start = field.split(".one_of").next().unwrap();
        assert!(error.field().starts_with(start), "{wrong}: {error}");
    }
}

/// Changes up to three characters of a text: one is replaced, removed, doubled or cut off after.
fn corrupt(text: &str, draw: &mut ChaCha8Rng) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..draw.random_range(1..=3) {
        let place = draw.random_range(0..characters.len());
        match draw.random_range(0..5) {
            0 => characters[place] = char::from(draw.random_range(32..127_u8)),
            1 => characters.insert(place, char::from(draw.random_range(0..255_u8))),
            2 => characters.truncate(place.max(1)),
            3 => characters.insert(place, characters[place]),
            _ => drop(characters.remove(place)),
        }
    }
    characters.into_iter().collect()
}

/// What came of the corrupted files of one format.
#[derive(Debug, Default)]
struct Tally {
    refused: u32,
    accepted: u32,
    stale: u32,
}

/// Offers a corrupted file to rules in force and checks what is said and what is in force then.
fn offer(format: Format, text: &str, tally: &mut Tally) {
    let live = LiveRules::new(RuleSet::standard());
    let before = live.current();
    match live.replace_with_text(format, text) {
        // It says the same, or something else that is sound: a digit of a score, a letter of a reason.
        Ok(()) => {
            tally.accepted += 1;
            assert_eq!(
                *live.current(),
                RuleSet::from_text(format, text).unwrap(),
                "{text}"
            );
        }
        Err(ReplaceError::Load(error)) => {
            tally.refused += 1;
            assert_has_place(&error, text);
            assert_eq!(live.current(), before);
        }
        // A corrupted version may be an old one.
        Err(error) => {
            tally.stale += 1;
            let is_older =
                matches!(error, ReplaceError::Stale { current, offered } if offered <= current);
            assert!(is_older, "{error}");
            assert_eq!(live.current(), before);
        }
    }
}

/// The line and the column lie in the file, or right behind its end; the message is about something,
/// and the field is one that a rule file has, unless no name stands before the place.
fn assert_has_place(error: &LoadError, text: &str) {
    let shown = format!("{error}\n{text}");
    let lines: Vec<&str> = text.split('\n').collect();
    assert!((1..=lines.len()).contains(&error.line()), "{shown}");
    let width = lines[error.line() - 1].chars().count();
    assert!((1..=width + 1).contains(&error.column()), "{shown}");
    assert!(!error.message().is_empty(), "{shown}");
    assert!(!error.field().is_empty(), "{shown}");
    if error.field() == "(file)" {
        let before = lines[..error.line()].concat();
        assert!(
            !before.contains(|first: char| first.is_ascii_alphabetic()),
            "{shown}"
        );
    }
    let place = format!("line {}", error.line());
    assert!(error.to_string().contains(&place), "{shown}");
    assert!(error.to_string().contains(error.field()), "{shown}");
}

#[test]
fn a_thousand_corruptions_of_each_format_give_a_place_and_leave_the_old_rules_in_force() {
    for (format, seed) in [(Format::Toml, 6), (Format::Json, 7), (Format::Yaml, 8)] {
        let mut draw = ChaCha8Rng::seed_from_u64(seed);
        let mut tally = Tally::default();
        let whole = written(format);
        for _ in 0..1000 {
            offer(format, &corrupt(&whole, &mut draw), &mut tally);
        }
        assert_eq!(tally.refused + tally.accepted + tally.stale, 1000);
        assert!(tally.refused > 500, "{format:?}: {tally:?}");
    }
}
