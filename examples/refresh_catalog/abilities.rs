//! What can a model do, as far as LiteLLM and genai-prices say so?

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

/// Limits and abilities in the words of the table; empty where nothing is said.
#[derive(Default, Clone)]
pub(crate) struct Abilities {
    pub(crate) context_window: String,
    pub(crate) max_output: String,
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) features: String,
    pub(crate) deprecated_on: String,
}

/// By the names of LiteLLM, and by provider and id of genai-prices for the window alone.
pub(crate) struct Known {
    by_key: BTreeMap<String, Abilities>,
    windows: BTreeMap<(String, String), String>,
}

const FEATURES: [(&str, &str); 7] = [
    ("supports_function_calling", "tools"),
    ("supports_response_schema", "json_schema"),
    ("supports_reasoning", "reasoning"),
    ("supports_prompt_caching", "prompt_caching"),
    ("supports_web_search", "web_search"),
    ("supports_computer_use", "computer_use"),
    ("supports_native_streaming", "streaming"),
];

const INPUTS: [(&str, &str); 4] = [
    ("supports_vision", "image"),
    ("supports_pdf_input", "pdf"),
    ("supports_audio_input", "audio"),
    ("supports_video_input", "video"),
];

pub(crate) fn read(genai_prices: &[u8], litellm: &[u8]) -> Result<Known> {
    let litellm: BTreeMap<String, Value> = serde_json::from_slice(litellm)?;
    let by_key = litellm
        .iter()
        .map(|(key, entry)| (key.to_lowercase(), of_entry(entry)));
    let mut windows = BTreeMap::new();
    let providers: Vec<Value> = serde_json::from_slice(genai_prices)?;
    for provider in &providers {
        let models = provider["models"].as_array().into_iter().flatten();
        for model in models {
            let window = model["context_window"].as_u64();
            let names = (provider["id"].as_str(), model["id"].as_str());
            if let (Some(window), (Some(provider), Some(id))) = (window, names) {
                windows.insert((provider.to_owned(), id.to_owned()), window.to_string());
            }
        }
    }
    Ok(Known {
        by_key: by_key.collect(),
        windows,
    })
}

impl Known {
    /// Of the model of a provider, which LiteLLM may know under several names.
    pub(crate) fn find(&self, provider: &str, id: &str, known_as: &[String]) -> Abilities {
        let names = std::iter::once(id).chain(known_as.iter().map(String::as_str));
        let mut abilities = names
            .filter_map(|name| self.by_key.get(&name.to_lowercase()))
            .next()
            .cloned()
            .unwrap_or_default();
        if let Some(window) = self.windows.get(&(provider.to_owned(), id.to_owned())) {
            abilities.context_window.clone_from(window);
        }
        abilities
    }
}

fn of_entry(entry: &Value) -> Abilities {
    let is = |name: &str| entry[name].as_bool() == Some(true);
    let number = |name: &str| {
        entry[name]
            .as_u64()
            .map_or_else(String::new, |it| it.to_string())
    };
    let is_chat = matches!(
        entry["mode"].as_str(),
        Some("chat" | "completion" | "responses")
    );
    let input = words(
        &entry["supported_modalities"],
        is_chat,
        INPUTS.iter().copied().filter(|(name, _)| is(name)),
    );
    let sound = is("supports_audio_output").then_some(("", "audio"));
    let features: Vec<_> = FEATURES
        .iter()
        .filter(|(name, _)| is(name))
        .map(|(_, word)| *word)
        .collect();
    Abilities {
        context_window: number("max_input_tokens"),
        max_output: number("max_output_tokens"),
        input,
        output: words(
            &entry["supported_output_modalities"],
            is_chat,
            sound.into_iter(),
        ),
        features: features.join(" "),
        deprecated_on: entry["deprecation_date"]
            .as_str()
            .filter(|it| it.parse::<jiff::civil::Date>().is_ok())
            .unwrap_or_default()
            .to_owned(),
    }
}

/// The modalities that are listed, with those that are said elsewhere.
fn words<'a>(
    listed: &Value,
    is_text: bool,
    more: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let listed = listed
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut words: Vec<String> = listed.map(str::to_owned).collect();
    if is_text && words.is_empty() {
        words.push("text".to_owned());
    }
    for (_, word) in more {
        if !words.iter().any(|it| it == word) {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}
