//! What does a rule file hold, field by field? The form of the text, and its way into checked types.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::condition::{Condition, Relation, Threshold, Values, key};
use crate::error::RuleError;
use crate::rule::{Action, Missing, Mode, Rule};
use crate::rule_set::{Policy, RuleSet, Thresholds};
use crate::signal::{Code, Signal, SignalKind, Vocabulary};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetText {
    name: String,
    version: u64,
    #[serde(default)]
    policy: Policy,
    #[serde(default)]
    thresholds: Thresholds,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tiers: BTreeMap<String, Thresholds>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codes: Vec<String>,
    rules: Vec<RuleText>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: String,
    when: ConditionText,
    score: u32,
    action: Action,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    missing: Missing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

/// All forms in one, since an untagged enum could not say what is wrong.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above: Option<ThresholdText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_least: Option<ThresholdText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below: Option<ThresholdText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_most: Option<ThresholdText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_of: Option<Vec<ValueText>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<Vec<ConditionText>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any: Option<Vec<ConditionText>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not: Option<Box<ConditionText>>,
}

#[derive(Debug, Clone, PartialEq)]
enum ThresholdText {
    Number(f64),
    Fraction(FractionText),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FractionText {
    fraction: f64,
    of: String,
}

#[derive(Debug, Clone, PartialEq)]
enum ValueText {
    Number(f64),
    Code(String),
}

impl SetText {
    pub(super) fn of(set: &RuleSet) -> Self {
        let own = |kind| set.vocabulary.own(kind).map(str::to_owned).collect();
        let tiers = set.tiers.iter();
        Self {
            name: set.name.clone(),
            version: set.version,
            policy: set.policy,
            thresholds: set.thresholds,
            tiers: tiers.map(|(tier, at)| (tier.to_string(), *at)).collect(),
            numbers: own(SignalKind::Number),
            codes: own(SignalKind::Code),
            rules: set
                .rules
                .iter()
                .map(|rule| RuleText::of(rule, &set.vocabulary))
                .collect(),
        }
    }

    pub(super) fn check(self) -> Result<RuleSet, RuleError> {
        let mut vocabulary = Vocabulary::standard();
        for (index, name) in self.numbers.iter().enumerate() {
            let defined = vocabulary.define_number(name);
            defined.map_err(|error| error.at(index).under("numbers"))?;
        }
        for (index, name) in self.codes.iter().enumerate() {
            let defined = vocabulary.define_code(name);
            defined.map_err(|error| error.at(index).under("codes"))?;
        }
        let mut rules = Vec::with_capacity(self.rules.len());
        for (index, rule) in self.rules.into_iter().enumerate() {
            let checked = rule.check(&vocabulary);
            rules.push(checked.map_err(|error| error.at(index).under("rules"))?);
        }
        let mut set = RuleSet::new(self.name, self.version, [])?;
        set.policy = self.policy;
        set.thresholds = self.thresholds;
        for (tier, thresholds) in self.tiers {
            let code = Code::new(&tier).map_err(|error| error.under(&tier).under("tiers"))?;
            set.tiers.push((code, thresholds));
        }
        set.vocabulary = vocabulary;
        set.rules = rules;
        set.checked()
    }
}

impl RuleText {
    fn of(rule: &Rule, vocabulary: &Vocabulary) -> Self {
        Self {
            name: rule.name.clone(),
            when: ConditionText::of(&rule.when, vocabulary),
            score: rule.points,
            action: rule.action,
            mode: rule.mode,
            missing: rule.missing,
            reason: rule.reason.clone(),
            notice: rule.notice.clone(),
        }
    }

    fn check(self, vocabulary: &Vocabulary) -> Result<Rule, RuleError> {
        let when = self.when.check(vocabulary, crate::condition::MAX_DEPTH);
        let when = when.map_err(|error| error.under("when"))?;
        let mut rule = Rule::new(self.name, when, self.score, self.action)
            .mode(self.mode)
            .when_missing(self.missing);
        rule.reason = self.reason;
        rule.notice = self.notice;
        Ok(rule)
    }
}

impl ConditionText {
    fn of(condition: &Condition, vocabulary: &Vocabulary) -> Self {
        let name = |signal: &Signal| Some(vocabulary.name(*signal).to_owned());
        let all = |parts: &[Condition]| {
            Some(
                parts
                    .iter()
                    .map(|part| Self::of(part, vocabulary))
                    .collect(),
            )
        };
        let empty = Self::default();
        match condition {
            Condition::Compare {
                signal,
                relation,
                threshold,
            } => {
                let threshold = Some(ThresholdText::of(threshold, vocabulary));
                let mut text = Self {
                    signal: name(signal),
                    ..empty
                };
                *text.threshold_mut(*relation) = threshold;
                text
            }
            Condition::OneOf { signal, values } => Self {
                signal: name(signal),
                one_of: Some(values_text(values)),
                ..empty
            },
            Condition::All(parts) => Self {
                all: all(parts),
                ..empty
            },
            Condition::Any(parts) => Self {
                any: all(parts),
                ..empty
            },
            Condition::Not(part) => Self {
                not: Some(Box::new(Self::of(part, vocabulary))),
                ..empty
            },
        }
    }

    fn threshold_mut(&mut self, relation: Relation) -> &mut Option<ThresholdText> {
        match relation {
            Relation::Above => &mut self.above,
            Relation::AtLeast => &mut self.at_least,
            Relation::Below => &mut self.below,
            Relation::AtMost => &mut self.at_most,
        }
    }

    fn check(mut self, vocabulary: &Vocabulary, depth: usize) -> Result<Condition, RuleError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(RuleError::new("conditions nest too deeply: split the rule"));
        };
        self.require_one_form()?;
        match self.signal.take() {
            Some(signal) => self.check_signal(&signal, vocabulary),
            None => self.check_parts(vocabulary, depth),
        }
    }

    /// A signal with one comparison, or one way to join.
    fn require_one_form(&self) -> Result<(), RuleError> {
        let comparisons = [
            self.above.is_some(),
            self.at_least.is_some(),
            self.below.is_some(),
            self.at_most.is_some(),
            self.one_of.is_some(),
        ];
        let joins = [self.all.is_some(), self.any.is_some(), self.not.is_some()];
        let count = |of: &[bool]| of.iter().filter(|&&is_there| is_there).count();
        match (self.signal.is_some(), count(&comparisons), count(&joins)) {
            (true, 1, 0) | (false, 0, 1) => Ok(()),
            _ => Err(RuleError::new(
                "give a `signal` with one of `above`, `at_least`, `below`, `at_most` and `one_of`, or one of `all`, `any` and `not` alone",
            )),
        }
    }

    fn check_signal(mut self, name: &str, vocabulary: &Vocabulary) -> Result<Condition, RuleError> {
        let signal = find(name, vocabulary).map_err(|error| error.under("signal"))?;
        if let Some(values) = self.one_of {
            let values = check_values(values).map_err(|error| error.under("one_of"))?;
            return Ok(Condition::OneOf { signal, values });
        }
        let relations = [
            Relation::Above,
            Relation::AtLeast,
            Relation::Below,
            Relation::AtMost,
        ];
        for relation in relations {
            if let Some(threshold) = self.threshold_mut(relation).take() {
                let threshold = threshold.check(vocabulary);
                return Ok(Condition::Compare {
                    signal,
                    relation,
                    threshold: threshold.map_err(|error| error.under(key(relation)))?,
                });
            }
        }
        Err(RuleError::new(
            "the signal is compared with nothing: give a threshold",
        ))
    }

    fn check_parts(self, vocabulary: &Vocabulary, depth: usize) -> Result<Condition, RuleError> {
        let check_all = |parts: Vec<Self>, key: &str| {
            let numbered = parts.into_iter().enumerate();
            let checked = numbered.map(|(index, part)| {
                let checked = part.check(vocabulary, depth);
                checked.map_err(|error| error.at(index).under(key))
            });
            checked.collect::<Result<Vec<_>, _>>()
        };
        match (self.all, self.any, self.not) {
            (Some(parts), _, _) => check_all(parts, "all").map(Condition::All),
            (_, Some(parts), _) => check_all(parts, "any").map(Condition::Any),
            (_, _, Some(part)) => {
                let checked = part.check(vocabulary, depth);
                checked
                    .map(|part| !part)
                    .map_err(|error| error.under("not"))
            }
            _ => Err(RuleError::new("the condition is empty: name a signal")),
        }
    }
}

fn find(name: &str, vocabulary: &Vocabulary) -> Result<Signal, RuleError> {
    vocabulary.find(name).ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        RuleError::new(format!(
            "there is no signal `{}`: correct the name, or list it in `numbers` or `codes`",
            shown.escape_default()
        ))
    })
}

fn check_values(values: Vec<ValueText>) -> Result<Values, RuleError> {
    let are_numbers = matches!(values.first(), Some(ValueText::Number(_)));
    let mut numbers = Vec::new();
    let mut codes = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        match (value, are_numbers) {
            (ValueText::Number(number), true) => numbers.push(number),
            (ValueText::Code(code), false) => {
                codes.push(Code::new(&code).map_err(|error| error.at(index))?);
            }
            _ => {
                let message = "the list mixes numbers and texts: keep one kind";
                return Err(RuleError::new(message).at(index));
            }
        }
    }
    Ok(match are_numbers {
        true => Values::Numbers(numbers),
        false => Values::Codes(codes),
    })
}

fn values_text(values: &Values) -> Vec<ValueText> {
    match values {
        Values::Numbers(all) => all.iter().copied().map(ValueText::Number).collect(),
        Values::Codes(all) => all
            .iter()
            .map(|code| ValueText::Code(code.to_string()))
            .collect(),
    }
}

impl ThresholdText {
    fn of(threshold: &Threshold, vocabulary: &Vocabulary) -> Self {
        match threshold {
            Threshold::Fixed(value) => Self::Number(*value),
            Threshold::Fraction { fraction, of } => Self::Fraction(FractionText {
                fraction: *fraction,
                of: vocabulary.name(*of).to_owned(),
            }),
        }
    }

    fn check(self, vocabulary: &Vocabulary) -> Result<Threshold, RuleError> {
        Ok(match self {
            Self::Number(value) => Threshold::Fixed(value),
            Self::Fraction(text) => Threshold::Fraction {
                fraction: text.fraction,
                of: find(&text.of, vocabulary).map_err(|error| error.under("of"))?,
            },
        })
    }
}

impl Serialize for ThresholdText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Fraction(fraction) => fraction.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ThresholdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = ThresholdText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, or `fraction` and `of`")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<ThresholdText, E> {
                Ok(ThresholdText::Number(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<ThresholdText, E> {
                Ok(ThresholdText::Number(value as f64))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<ThresholdText, E> {
                Ok(ThresholdText::Number(value))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ThresholdText, A::Error> {
                let map = de::value::MapAccessDeserializer::new(map);
                FractionText::deserialize(map).map(ThresholdText::Fraction)
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl Serialize for ValueText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Code(code) => serializer.serialize_str(code),
        }
    }
}

impl<'de> Deserialize<'de> for ValueText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = ValueText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or a text")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<ValueText, E> {
                Ok(ValueText::Number(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<ValueText, E> {
                Ok(ValueText::Number(value as f64))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<ValueText, E> {
                Ok(ValueText::Number(value))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<ValueText, E> {
                Ok(ValueText::Code(value.to_owned()))
            }
        }

        deserializer.deserialize_any(Read)
    }
}
