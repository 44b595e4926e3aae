//! Why did an answer end?

/// Why an answer ended: the reasons of Converse, of OpenAI's chat completions and of Anthropic, in one
/// set. Sources: the enumeration `StopReason` of Bedrock's runtime API (botocore 1.44.5), the object
/// "chat completion" of OpenAI's API reference, `stop_reason` of Anthropic's; read 2026-11-27.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// The model had said what it wanted to say. Where OpenAI stops at a text that the request named, it
    /// says the same.
    EndTurn,
    /// At a text that the request named.
    StopSequence,
    /// At the most tokens that the request allows: the answer is cut off.
    MaxTokens,
    /// The conversation has filled the model's context window: the answer is cut off.
    ContextWindowExceeded,
    /// The model waits for the results of tools.
    ToolUse,
    /// The model refuses to answer.
    Refused,
    /// The provider withholds content.
    ContentFiltered,
    /// A guardrail of the customer's own has stepped in.
    GuardrailIntervened,
    /// The model wrote what the provider cannot read.
    MalformedModelOutput,
    /// The model asked for a tool in a way that the provider cannot read.
    MalformedToolUse,
    /// A reason that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl FinishReason {
    /// From the `stopReason` of Converse.
    #[must_use]
    pub fn from_converse(reason: &str) -> Self {
        match reason {
            "end_turn" => Self::EndTurn,
            "stop_sequence" => Self::StopSequence,
            "max_tokens" => Self::MaxTokens,
            "model_context_window_exceeded" => Self::ContextWindowExceeded,
            "tool_use" => Self::ToolUse,
            "refusal" => Self::Refused,
            "content_filtered" => Self::ContentFiltered,
            "guardrail_intervened" => Self::GuardrailIntervened,
            "malformed_model_output" => Self::MalformedModelOutput,
            "malformed_tool_use" => Self::MalformedToolUse,
            other => Self::Other(other.to_owned()),
        }
    }

    /// From the `finish_reason` of OpenAI's chat completions.
    #[must_use]
    pub fn from_openai(reason: &str) -> Self {
        match reason {
            "stop" => Self::EndTurn,
            "length" => Self::MaxTokens,
            "tool_calls" | "function_call" => Self::ToolUse,
            "content_filter" => Self::ContentFiltered,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether the answer is whole: neither cut off, nor withheld, nor waiting for tools.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::EndTurn | Self::StopSequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_converse_is_known() {
        for reason in [
            "end_turn",
            "tool_use",
            "max_tokens",
            "stop_sequence",
            "guardrail_intervened",
            "content_filtered",
            "malformed_model_output",
            "malformed_tool_use",
            "model_context_window_exceeded",
        ] {
            let known = FinishReason::from_converse(reason);
            assert!(!matches!(known, FinishReason::Other(_)), "{reason}");
        }
    }

    #[test]
    fn every_reason_of_openai_is_known() {
        for reason in [
            "stop",
            "length",
            "tool_calls",
            "function_call",
            "content_filter",
        ] {
            let known = FinishReason::from_openai(reason);
            assert!(!matches!(known, FinishReason::Other(_)), "{reason}");
        }
    }

    #[test]
    fn a_reason_of_the_future_is_kept_by_its_name() {
        let reason = FinishReason::from_converse("bored");
        let json = serde_json::to_string(&reason).unwrap();
        assert_eq!(json, "\"bored\"");
        assert_eq!(serde_json::from_str::<FinishReason>(&json).unwrap(), reason);
        let known: FinishReason = serde_json::from_str("\"max_tokens\"").unwrap();
        assert_eq!(known, FinishReason::MaxTokens);
    }
}
