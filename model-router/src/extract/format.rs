//! Where do the large providers say what a call used?

use std::sync::LazyLock;

use super::{ExtractError, Extracted, Extractor};
use crate::usage::UsageKind as Kind;

/// The form of a response body that has usage in it.
///
/// ```
/// use bursar_model_router::{ApiFormat, UsageKind};
///
/// // Anthropic counts cached tokens beside the input, OpenAI inside of it: both used 1,000 in all.
/// let anthropic = br#"{"model":"claude-haiku-4-5","usage":{"input_tokens":100,
///     "cache_read_input_tokens":900,"output_tokens":7}}"#;
/// let openai = br#"{"model":"gpt-4o","usage":{"prompt_tokens":1000,
///     "prompt_tokens_details":{"cached_tokens":900},"completion_tokens":7}}"#;
/// let one = ApiFormat::Anthropic.extract(anthropic)?;
/// let other = ApiFormat::OpenAiChat.extract(openai)?;
/// assert_eq!(one.usage, other.usage);
/// assert_eq!(one.usage.get(UsageKind::InputTokens), Some(1_000));
/// # Ok::<(), bursar_model_router::ExtractError>(())
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApiFormat {
    /// OpenAI's Chat Completions, and everybody who speaks it. A stream has usage only where it was asked
    /// for with `stream_options.include_usage`.
    #[serde(rename = "openai_chat")]
    OpenAiChat,
    /// OpenAI's Responses. Searches of the web are items of the output there and not in its usage.
    #[serde(rename = "openai_responses")]
    OpenAiResponses,
    /// Anthropic's Messages, also on Bedrock's InvokeModel and on Vertex AI.
    Anthropic,
    /// Amazon Bedrock's Converse. The body does not name the model.
    BedrockConverse,
    /// Google's generateContent, of the Gemini API and of Vertex AI. Documents count as images.
    Gemini,
}

impl ApiFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::Anthropic,
        Self::BedrockConverse,
        Self::Gemini,
    ];

    /// The usage in a response body of this form.
    ///
    /// # Errors
    /// [`ExtractError`].
    pub fn extract(self, body: &[u8]) -> Result<Extracted, ExtractError> {
        self.extractor().extract(body)
    }

    /// How it is read.
    pub fn extractor(self) -> &'static Extractor {
        static EXTRACTORS: LazyLock<[Extractor; 5]> = LazyLock::new(|| {
            [
                openai_chat(),
                openai_responses(),
                anthropic(),
                bedrock_converse(),
                gemini(),
            ]
        });
        &EXTRACTORS[self as usize]
    }
}

/// <https://platform.openai.com/docs/api-reference/chat/object>; `cache_write_tokens` came with GPT-5.6.
fn openai_chat() -> Extractor {
    Extractor::new("usage")
        .with_model_at("model")
        .required("prompt_tokens", Kind::InputTokens)
        .optional("prompt_tokens_details.cached_tokens", Kind::CacheReadTokens)
        .optional(
            "prompt_tokens_details.cache_write_tokens",
            Kind::CacheWriteTokens,
        )
        .optional("prompt_tokens_details.audio_tokens", Kind::InputAudioTokens)
        .optional("completion_tokens", Kind::OutputTokens)
        .optional(
            "completion_tokens_details.reasoning_tokens",
            Kind::OutputReasoningTokens,
        )
        .optional(
            "completion_tokens_details.audio_tokens",
            Kind::OutputAudioTokens,
        )
}

/// <https://platform.openai.com/docs/api-reference/responses/object>.
fn openai_responses() -> Extractor {
    Extractor::new("usage")
        .with_model_at("model")
        .required("input_tokens", Kind::InputTokens)
        .optional("input_tokens_details.cached_tokens", Kind::CacheReadTokens)
        .optional(
            "input_tokens_details.cache_write_tokens",
            Kind::CacheWriteTokens,
        )
        .required("output_tokens", Kind::OutputTokens)
        .optional(
            "output_tokens_details.reasoning_tokens",
            Kind::OutputReasoningTokens,
        )
}

/// <https://docs.anthropic.com/en/api/messages>: `input_tokens` are those after the last cache breakpoint.
fn anthropic() -> Extractor {
    Extractor::new("usage")
        .with_model_at("model")
        .required("input_tokens", Kind::InputTokens)
        .optional("cache_creation_input_tokens", Kind::InputTokens)
        .optional("cache_read_input_tokens", Kind::InputTokens)
        .optional("cache_creation_input_tokens", Kind::CacheWriteTokens)
        .optional(
            "cache_creation.ephemeral_5m_input_tokens",
            Kind::CacheWrite5mTokens,
        )
        .optional(
            "cache_creation.ephemeral_1h_input_tokens",
            Kind::CacheWrite1hTokens,
        )
        .optional("cache_read_input_tokens", Kind::CacheReadTokens)
        .required("output_tokens", Kind::OutputTokens)
        .optional(
            "output_tokens_details.thinking_tokens",
            Kind::OutputReasoningTokens,
        )
        .optional("server_tool_use.web_search_requests", Kind::WebSearches)
}

/// `TokenUsage` of the service model of bedrock-runtime: cached tokens are beside `inputTokens`.
fn bedrock_converse() -> Extractor {
    Extractor::new("usage")
        .required("inputTokens", Kind::InputTokens)
        .optional("cacheReadInputTokens", Kind::InputTokens)
        .optional("cacheWriteInputTokens", Kind::InputTokens)
        .optional("cacheReadInputTokens", Kind::CacheReadTokens)
        .optional("cacheWriteInputTokens", Kind::CacheWriteTokens)
        .optional("cacheDetails[ttl=5m].inputTokens", Kind::CacheWrite5mTokens)
        .optional("cacheDetails[ttl=1h].inputTokens", Kind::CacheWrite1hTokens)
        .required("outputTokens", Kind::OutputTokens)
}

/// <https://ai.google.dev/api/generate-content#UsageMetadata>: cached tokens are inside
/// `promptTokenCount`; thoughts are beside `candidatesTokenCount`, and what tools gave is beside the prompt.
fn gemini() -> Extractor {
    let mut extractor = Extractor::new("usageMetadata")
        .with_model_at("modelVersion")
        .optional("promptTokenCount", Kind::InputTokens)
        .optional("toolUsePromptTokenCount", Kind::InputTokens)
        .optional("toolUsePromptTokenCount", Kind::InputToolTokens)
        .optional("cachedContentTokenCount", Kind::CacheReadTokens)
        .optional("candidatesTokenCount", Kind::OutputTokens)
        .optional("thoughtsTokenCount", Kind::OutputTokens)
        .optional("thoughtsTokenCount", Kind::OutputReasoningTokens);
    for (list, modality, kind) in GEMINI_DETAILS {
        let path = format!("{list}[modality={modality}].tokenCount");
        extractor = extractor.optional(&path, kind);
    }
    extractor
}

const GEMINI_DETAILS: [(&str, &str, Kind); 25] = [
    ("promptTokensDetails", "TEXT", Kind::InputTextTokens),
    ("promptTokensDetails", "AUDIO", Kind::InputAudioTokens),
    ("promptTokensDetails", "IMAGE", Kind::InputImageTokens),
    ("promptTokensDetails", "DOCUMENT", Kind::InputImageTokens),
    ("promptTokensDetails", "VIDEO", Kind::InputVideoTokens),
    ("cacheTokensDetails", "TEXT", Kind::CacheTextReadTokens),
    ("cacheTokensDetails", "AUDIO", Kind::CacheAudioReadTokens),
    ("cacheTokensDetails", "IMAGE", Kind::CacheImageReadTokens),
    ("cacheTokensDetails", "DOCUMENT", Kind::CacheImageReadTokens),
    ("cacheTokensDetails", "VIDEO", Kind::CacheVideoReadTokens),
    ("candidatesTokensDetails", "TEXT", Kind::OutputTextTokens),
    ("candidatesTokensDetails", "AUDIO", Kind::OutputAudioTokens),
    ("candidatesTokensDetails", "IMAGE", Kind::OutputImageTokens),
    (
        "candidatesTokensDetails",
        "DOCUMENT",
        Kind::OutputImageTokens,
    ),
    ("candidatesTokensDetails", "VIDEO", Kind::OutputVideoTokens),
    ("toolUsePromptTokensDetails", "TEXT", Kind::InputTextTokens),
    (
        "toolUsePromptTokensDetails",
        "AUDIO",
        Kind::InputAudioTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "IMAGE",
        Kind::InputImageTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "DOCUMENT",
        Kind::InputImageTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "VIDEO",
        Kind::InputVideoTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "TEXT",
        Kind::InputTextToolTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "AUDIO",
        Kind::InputAudioToolTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "IMAGE",
        Kind::InputImageToolTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "DOCUMENT",
        Kind::InputImageToolTokens,
    ),
    (
        "toolUsePromptTokensDetails",
        "VIDEO",
        Kind::InputVideoToolTokens,
    ),
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::usage::Usage;

    fn check(format: ApiFormat, body: Value, expected: &[(Kind, u64)]) {
        let extracted = format.extractor().extract_value(&body).unwrap();
        let expected: Usage = expected.iter().copied().collect();
        assert_eq!(extracted.usage, expected, "{format:?}");
        assert_eq!(extracted.usage.check(), Ok(()));
    }

    #[test]
    fn openai_counts_the_cache_inside_of_the_input() {
        let body = json!({"usage": {
            "prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 192, "audio_tokens": 0},
        }});
        check(
            ApiFormat::OpenAiChat,
            body,
            &[
                (Kind::InputTokens, 2006),
                (Kind::OutputTokens, 300),
                (Kind::CacheReadTokens, 1920),
                (Kind::InputAudioTokens, 0),
                (Kind::OutputAudioTokens, 0),
                (Kind::OutputReasoningTokens, 192),
            ],
        );
        let body = json!({"usage": {
            "input_tokens": 36, "input_tokens_details": {"cached_tokens": 6},
            "output_tokens": 87, "output_tokens_details": {"reasoning_tokens": 7},
        }});
        check(
            ApiFormat::OpenAiResponses,
            body,
            &[
                (Kind::InputTokens, 36),
                (Kind::OutputTokens, 87),
                (Kind::CacheReadTokens, 6),
                (Kind::OutputReasoningTokens, 7),
            ],
        );
    }

    #[test]
    fn an_embedding_has_no_output() {
        let body = json!({"usage": {"prompt_tokens": 8, "total_tokens": 8}});
        check(ApiFormat::OpenAiChat, body, &[(Kind::InputTokens, 8)]);
    }

    #[test]
    fn anthropic_counts_the_cache_beside_the_input() {
        let body = json!({"usage": {
            "input_tokens": 21, "output_tokens": 393,
            "cache_creation_input_tokens": 1500, "cache_read_input_tokens": 188086,
            "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1000},
            "server_tool_use": {"web_search_requests": 2},
        }});
        check(
            ApiFormat::Anthropic,
            body,
            &[
                (Kind::InputTokens, 21 + 1500 + 188_086),
                (Kind::OutputTokens, 393),
                (Kind::CacheReadTokens, 188_086),
                (Kind::CacheWriteTokens, 1500),
                (Kind::CacheWrite5mTokens, 500),
                (Kind::CacheWrite1hTokens, 1000),
                (Kind::WebSearches, 2),
            ],
        );
    }

    #[test]
    fn converse_counts_the_cache_beside_the_input_and_says_how_long_it_stays() {
        let body = json!({"usage": {
            "inputTokens": 10, "outputTokens": 20, "totalTokens": 930,
            "cacheReadInputTokens": 500, "cacheWriteInputTokens": 400,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 300}, {"ttl": "5m", "inputTokens": 100}],
        }});
        check(
            ApiFormat::BedrockConverse,
            body,
            &[
                (Kind::InputTokens, 910),
                (Kind::OutputTokens, 20),
                (Kind::CacheReadTokens, 500),
                (Kind::CacheWriteTokens, 400),
                (Kind::CacheWrite5mTokens, 100),
                (Kind::CacheWrite1hTokens, 300),
            ],
        );
    }

    #[test]
    fn gemini_counts_thoughts_and_tools_beside_and_the_cache_inside() {
        let body = json!({"usageMetadata": {
            "promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 7,
            "thoughtsTokenCount": 50, "toolUsePromptTokenCount": 30, "totalTokenCount": 187,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 60}, {"modality": "DOCUMENT", "tokenCount": 40},
            ],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 40}],
            "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 30}],
        }});
        check(
            ApiFormat::Gemini,
            body,
            &[
                (Kind::InputTokens, 130),
                (Kind::OutputTokens, 57),
                (Kind::CacheReadTokens, 40),
                (Kind::InputTextTokens, 90),
                (Kind::InputImageTokens, 40),
                (Kind::CacheTextReadTokens, 40),
                (Kind::InputToolTokens, 30),
                (Kind::InputTextToolTokens, 30),
                (Kind::OutputReasoningTokens, 50),
            ],
        );
    }

    #[test]
    fn each_format_has_its_own_extractor() {
        let roots = ApiFormat::ALL.map(|format| format.extractor().mappings.len());
        assert_eq!(roots, [7, 5, 10, 8, 7 + 25]);
    }
}
