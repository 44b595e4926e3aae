//! What is said to a model?
//!
//! One form of a request that serves Amazon Bedrock's Converse and endpoints that are compatible with
//! OpenAI: [`ConverseBody`](crate::ConverseBody) and [`OpenAiBody`](crate::OpenAiBody) write it for the
//! wire and read answers back.

mod answer;
mod content;
mod converse;
mod event;
mod finish;
mod openai;
mod parameters;
mod tenant;
mod wire;

use std::collections::BTreeMap;

pub use answer::{CacheUse, ChatAnswer, Saved};
pub use content::{
    CachePoint, CacheTtl, ContentBlock, Image, ImageSource, ImageType, ToolResult, ToolUse,
};
pub use converse::ConverseBody;
pub use event::{AnswerBuilder, ChatEvent};
pub use finish::FinishReason;
pub use openai::{OpenAiBody, TokenLimitName};
pub use parameters::{OutOfRange, Parameters, Temperature, TopP};
pub use tenant::{TenantId, TenantIdError};
pub use wire::WireError;

/// Who says something.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who asks, and who hands over what tools have returned.
    User,
    /// The model.
    Assistant,
}

/// What one side says in its turn.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<ContentBlock>,
}

impl Message {
    /// A turn of the user.
    pub fn user(content: impl IntoIterator<Item = impl Into<ContentBlock>>) -> Self {
        Self::new(Role::User, content)
    }

    /// A turn of the model.
    pub fn assistant(content: impl IntoIterator<Item = impl Into<ContentBlock>>) -> Self {
        Self::new(Role::Assistant, content)
    }

    fn new(role: Role, content: impl IntoIterator<Item = impl Into<ContentBlock>>) -> Self {
        let content = content.into_iter().map(Into::into).collect();
        Self { role, content }
    }
}

/// A part of the instructions that stand before the conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemBlock {
    /// Instructions.
    Text(String),
    /// Up to here the provider should keep the prompt in its cache.
    CachePoint(CachePoint),
}

/// A function that a model may ask to be called.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tool {
    /// Its name, by which the model calls it.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema of its input.
    pub input_schema: serde_json::Value,
}

/// Whether a model may, must or must not use tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// It must use one of them.
    Any,
    /// It must use this one.
    Tool(String),
}

/// A conversation that a model shall go on with.
///
/// Which model that is stands beside it and not in it, since it is the router that chooses.
///
/// ```
/// use bursar_model_router::{ChatRequest, Temperature};
///
/// let short = ChatRequest::user("What is a spot instance?");
/// assert_eq!(short.parameters.max_output_tokens, 200);
///
/// let long = ChatRequest::user("Which of these bills is wrong?")
///     .system("You check cloud bills.")
///     .then_assistant("Which bills?")
///     .then_user("Those of November.")
///     .max_output_tokens(1_000)
///     .temperature(Temperature::new(0.0)?);
/// assert_eq!(long.messages.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ChatRequest {
    /// Instructions that stand before the conversation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<SystemBlock>,
    /// What was said so far, in order. The last message is the one to answer.
    pub messages: Vec<Message>,
    /// What the model may ask to be called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it may, or must. Says nothing without tools.
    #[serde(default)]
    pub tool_choice: ToolChoice,
    /// How the model shall write.
    #[serde(default)]
    pub parameters: Parameters,
    /// For whom it is asked. Answers are not shared with other tenants unless that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// What to write beside the call in logs and bills. It does not change the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl ChatRequest {
    /// A conversation that begins with this text of the user.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self::default().then_user(text)
    }

    /// A conversation of these messages.
    #[must_use]
    pub fn of(messages: Vec<Message>) -> Self {
        Self {
            messages,
            ..Self::default()
        }
    }

    /// With further instructions before the conversation.
    #[must_use]
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.system.push(SystemBlock::Text(text.into()));
        self
    }

    /// With a point in the instructions up to which the provider should keep the prompt in its cache.
    #[must_use]
    pub fn system_cache_point(mut self, point: CachePoint) -> Self {
        self.system.push(SystemBlock::CachePoint(point));
        self
    }

    /// With a message at the end.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// With a text of the user at the end.
    #[must_use]
    pub fn then_user(self, text: impl Into<String>) -> Self {
        self.message(Message::user([text.into()]))
    }

    /// With a text of the model at the end.
    #[must_use]
    pub fn then_assistant(self, text: impl Into<String>) -> Self {
        self.message(Message::assistant([text.into()]))
    }

    /// With a tool that the model may use.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// With this choice among the tools.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = choice;
        self
    }

    /// With at most this many tokens in the answer.
    #[must_use]
    pub fn max_output_tokens(mut self, tokens: u32) -> Self {
        self.parameters.max_output_tokens = tokens;
        self
    }

    /// With this temperature.
    #[must_use]
    pub fn temperature(mut self, temperature: Temperature) -> Self {
        self.parameters.temperature = Some(temperature);
        self
    }

    /// With these parameters.
    #[must_use]
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// For this tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// With this written beside the call.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Every text of the conversation in order, that of tool results included; not the instructions.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let blocks = self.messages.iter().flat_map(|message| &message.content);
        blocks.filter_map(ContentBlock::as_text)
    }

    /// Every text that the user said last.
    pub fn last_user_texts(&self) -> impl Iterator<Item = &str> {
        let mut backwards = self.messages.iter().rev();
        let last = backwards.find(|message| message.role == Role::User);
        let blocks = last.into_iter().flat_map(|message| &message.content);
        blocks.filter_map(ContentBlock::as_text)
    }
}
