//! What does a field of LiteLLM's price?

use std::collections::BTreeMap;

use bursar_units::UnitRate;
use serde_json::value::RawValue;

use super::{per_million, per_unit};
use crate::price_terms::Processing;
use crate::usage::UsageKind;

/// What a field is the price of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kind: UsageKind,
    pub(super) processing: Processing,
    /// It holds for inputs of more tokens.
    pub(super) above: u64,
}

const KINDS: [(&str, UsageKind); 17] = [
    ("input_cost_per_token", UsageKind::InputTokens),
    ("output_cost_per_token", UsageKind::OutputTokens),
    ("cache_read_input_token_cost", UsageKind::CacheReadTokens),
    (
        "cache_creation_input_token_cost",
        UsageKind::CacheWriteTokens,
    ),
    (
        "cache_creation_input_token_cost_above_1hr",
        UsageKind::CacheWrite1hTokens,
    ),
    ("input_cost_per_audio_token", UsageKind::InputAudioTokens),
    ("output_cost_per_audio_token", UsageKind::OutputAudioTokens),
    (
        "cache_read_input_audio_token_cost",
        UsageKind::CacheAudioReadTokens,
    ),
    (
        "cache_creation_input_audio_token_cost",
        UsageKind::CacheAudioWriteTokens,
    ),
    ("input_cost_per_image_token", UsageKind::InputImageTokens),
    ("output_cost_per_image_token", UsageKind::OutputImageTokens),
    (
        "cache_read_input_image_token_cost",
        UsageKind::CacheImageReadTokens,
    ),
    ("input_cost_per_video_token", UsageKind::InputVideoTokens),
    ("output_cost_per_video_token", UsageKind::OutputVideoTokens),
    (
        "output_cost_per_reasoning_token",
        UsageKind::OutputReasoningTokens,
    ),
    ("citation_cost_per_token", UsageKind::OutputCitationTokens),
    (SEARCHES, UsageKind::WebSearches),
];

const SEARCHES: &str = "search_context_cost_per_query";

const PROCESSINGS: [(&str, Processing); 3] = [
    ("_batches", Processing::Batch),
    ("_flex", Processing::Flex),
    ("_priority", Processing::Priority),
];

impl Field {
    /// `input_cost_per_token_above_200k_tokens_batches` in its parts.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut special = PROCESSINGS.iter().filter_map(|(suffix, processing)| {
            name.strip_suffix(suffix).map(|name| (name, *processing))
        });
        let (name, processing) = special.next().unwrap_or((name, Processing::Standard));
        let (name, above) = split_tier(name).unwrap_or((name, 0));
        let (_, kind) = KINDS.iter().find(|(it, _)| *it == name)?;
        Some(Self {
            kind: *kind,
            processing,
            above,
        })
    }

    /// The price in its value. Searches have one for each size of context; if these differ, it is none.
    pub(super) fn rate(&self, value: &RawValue) -> Option<UnitRate> {
        if self.kind != UsageKind::WebSearches {
            return per_million(value);
        }
        let sizes: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
        let mut rates = sizes.values().map(|it| per_unit(it));
        let first = rates.next()??;
        rates.all(|rate| rate == Some(first)).then_some(first)
    }
}

fn split_tier(name: &str) -> Option<(&str, u64)> {
    let (name, above) = name.strip_suffix("k_tokens")?.rsplit_once("_above_")?;
    Some((name, above.parse::<u64>().ok()?.checked_mul(1_000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart() {
        let field = |kind, processing, above| {
            Some(Field {
                kind,
                processing,
                above,
            })
        };
        for (name, expected) in [
            (
                "input_cost_per_token",
                field(UsageKind::InputTokens, Processing::Standard, 0),
            ),
            (
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
                field(UsageKind::CacheWrite1hTokens, Processing::Standard, 200_000),
            ),
            (
                "output_cost_per_token_above_272k_tokens_priority",
                field(UsageKind::OutputTokens, Processing::Priority, 272_000),
            ),
            ("input_cost_per_token_ultrafast", None),
            ("cache_creation_input_token_cost_above_12hr", None),
            ("input_cost_per_image", None),
        ] {
            assert_eq!(Field::parse(name), expected, "{name}");
        }
    }
}
