//! Which model of which provider is meant by a key of LiteLLM's, and where?

/// A key in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) region: Option<String>,
}

/// What LiteLLM calls a provider, and what genai-prices calls it.
const PROVIDERS: [(&str, &str); 15] = [
    ("azure_ai", "azure"),
    ("azure_text", "azure"),
    ("bedrock", "aws"),
    ("bedrock_converse", "aws"),
    ("bedrock_mantle", "aws"),
    ("cohere_chat", "cohere"),
    ("codestral", "mistral"),
    ("fireworks_ai", "fireworks"),
    ("gemini", "google"),
    ("moonshot", "moonshotai"),
    ("text-completion-openai", "openai"),
    ("together_ai", "together"),
    ("vertex_ai", "google"),
    ("voyage", "voyageai"),
    ("xai", "x-ai"),
];

/// First segments that name the route to a provider and are no part of a model's name.
const ROUTES: [&str; 3] = ["converse", "invoke", "claude_platform"];

/// The areas of Azure and their names as regions.
const AREAS_OF_AZURE: [(&str, &str); 6] = [
    ("eu", "eu"),
    ("us", "us"),
    ("global", "global"),
    ("global-standard", "global"),
    ("us-gov", "us-gov"),
    ("apac", "apac"),
];

/// The areas of Bedrock's inference profiles.
const AREAS_OF_BEDROCK: [&str; 8] = ["apac", "au", "ca", "eu", "global", "jp", "us", "us-gov"];

impl Key {
    /// `None` for images of one size, commitments of months and the like.
    pub(super) fn parse(key: &str, litellm_provider: &str) -> Option<Self> {
        if litellm_provider.is_empty() || key.contains("-commitment/") {
            return None;
        }
        let family = match litellm_provider {
            // `vertex_ai-anthropic_models` and the like.
            it if it.starts_with("vertex_ai-") => "vertex_ai",
            it if it.starts_with("fireworks_ai-") => "fireworks_ai",
            it => it,
        };
        let alias = PROVIDERS.iter().find(|(litellm, _)| *litellm == family);
        let provider = alias.map_or(family, |(_, provider)| provider);
        let mut rest = key;
        let mut region = None;
        while let Some((segment, after)) = rest.split_once('/') {
            if is_of_an_image(segment) {
                return None;
            }
            let is_route = segment == family
                || segment == litellm_provider
                || ROUTES.contains(&segment)
                || (provider == "aws" && segment.starts_with("bedrock"));
            if let Some(place) = region_of(provider, segment) {
                region = Some(place.to_owned());
            } else if !is_route || after.is_empty() {
                break;
            }
            rest = after;
        }
        Some(Self {
            provider: provider.to_owned(),
            model: rest.to_owned(),
            region,
        })
    }

    /// The area and the model of an inference profile, `eu.amazon.nova-lite-v1:0`.
    pub(super) fn profile(&self) -> Option<(&str, &str)> {
        let (area, model) = self.model.split_once('.')?;
        let is_profile = self.provider == "aws" && AREAS_OF_BEDROCK.contains(&area);
        (is_profile && self.region.is_none()).then_some((area, model))
    }
}

/// `1024-x-1024`, `50-steps`, `hd`.
fn is_of_an_image(segment: &str) -> bool {
    let is_quality = matches!(
        segment,
        "low" | "medium" | "high" | "standard" | "hd" | "auto"
    );
    is_quality || segment.contains("-x-") || segment.ends_with("-steps")
}

fn region_of<'a>(provider: &str, segment: &'a str) -> Option<&'a str> {
    match provider {
        "azure" => {
            let area = AREAS_OF_AZURE.iter().find(|(it, _)| *it == segment);
            area.map(|(_, region)| *region)
        }
        "aws" => is_region_of_aws(segment).then_some(segment),
        _ => None,
    }
}

/// `eu-west-1`, `us-gov-east-1`.
fn is_region_of_aws(segment: &str) -> bool {
    let parts: Vec<&str> = segment.split('-').collect();
    let ends_in_digit = parts
        .last()
        .is_some_and(|it| it.len() == 1 && it.bytes().all(|byte| byte.is_ascii_digit()));
    let starts_in_country = parts.first().is_some_and(|it| it.len() == 2);
    (3..=4).contains(&parts.len()) && ends_in_digit && starts_in_country
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_apart() {
        for (key, litellm, provider, model, region) in [
            ("gpt-4o", "openai", "openai", "gpt-4o", None),
            (
                "gemini/gemini-2.5-pro",
                "gemini",
                "google",
                "gemini-2.5-pro",
                None,
            ),
            ("azure/eu/gpt-4o", "azure", "azure", "gpt-4o", Some("eu")),
            (
                "azure/global-standard/gpt-4o",
                "azure",
                "azure",
                "gpt-4o",
                Some("global"),
            ),
            (
                "bedrock/us-gov-west-1/amazon.nova-pro-v1:0",
                "bedrock",
                "aws",
                "amazon.nova-pro-v1:0",
                Some("us-gov-west-1"),
            ),
            (
                "vertex_ai/claude-haiku-4-5@20251001",
                "vertex_ai-anthropic_models",
                "google",
                "claude-haiku-4-5@20251001",
                None,
            ),
            (
                "together_ai/Qwen/Qwen3-32B",
                "together_ai",
                "together",
                "Qwen/Qwen3-32B",
                None,
            ),
            (
                "fireworks_ai/accounts/fireworks/models/glm-5",
                "fireworks_ai",
                "fireworks",
                "accounts/fireworks/models/glm-5",
                None,
            ),
        ] {
            let parsed = Key::parse(key, litellm).unwrap();
            let expected = Key {
                provider: provider.to_owned(),
                model: model.to_owned(),
                region: region.map(str::to_owned),
            };
            assert_eq!(parsed, expected);
        }
        assert_eq!(
            Key::parse("512-x-512/max-steps/stability.x", "bedrock"),
            None
        );
        let commitment = "bedrock/*/6-month-commitment/cohere.command-text-v14";
        assert_eq!(Key::parse(commitment, "bedrock"), None);
    }

    #[test]
    fn an_inference_profile_has_an_area() {
        let parsed = Key::parse("eu.amazon.nova-lite-v1:0", "bedrock_converse").unwrap();
        assert_eq!(parsed.profile(), Some(("eu", "amazon.nova-lite-v1:0")));
        let parsed = Key::parse("amazon.nova-lite-v1:0", "bedrock_converse").unwrap();
        assert_eq!(parsed.profile(), None);
    }
}
