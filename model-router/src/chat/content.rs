//! What is a message made of?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentBlock {
    /// A text.
    Text(String),
    /// A picture.
    Image(Image),
    /// What the model thought before it answered. Some providers want it back, signed, when the
    /// conversation goes on after the use of a tool.
    Reasoning {
        /// The thoughts.
        text: String,
        /// The provider's proof that they are its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// The model asks for a tool to be called.
    ToolUse(ToolUse),
    /// What the tool returned.
    ToolResult(ToolResult),
    /// Up to here the provider should keep the prompt in its cache.
    CachePoint(CachePoint),
}

impl ContentBlock {
    /// The text of a text or of a tool's result.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::ToolResult(result) => Some(&result.content),
            _ => None,
        }
    }
}

impl From<&str> for ContentBlock {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ContentBlock {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Image> for ContentBlock {
    fn from(image: Image) -> Self {
        Self::Image(image)
    }
}

impl From<ToolUse> for ContentBlock {
    fn from(tool_use: ToolUse) -> Self {
        Self::ToolUse(tool_use)
    }
}

impl From<ToolResult> for ContentBlock {
    fn from(result: ToolResult) -> Self {
        Self::ToolResult(result)
    }
}

impl From<CachePoint> for ContentBlock {
    fn from(point: CachePoint) -> Self {
        Self::CachePoint(point)
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Image {
    /// How it is encoded.
    pub image_type: ImageType,
    /// Where it is.
    pub source: ImageSource,
}

/// The encodings of pictures that Converse takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageType {
    /// `image/png`.
    Png,
    /// `image/jpeg`.
    Jpeg,
    /// `image/gif`.
    Gif,
    /// `image/webp`.
    Webp,
}

impl ImageType {
    /// The name that Converse has for it, `png`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSource {
    /// Here; as Base64 when it is serialized.
    #[serde(with = "bytes")]
    Bytes(Vec<u8>),
    /// There. Converse takes `s3://…`, and OpenAI `https://…`.
    Uri(String),
}

impl ImageSource {
    pub(crate) fn base64(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }
}

/// A call that a model asks for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ToolUse {
    /// The name of this call, which its result repeats.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// What it is called with; a text if the model wrote no JSON.
    pub input: serde_json::Value,
}

/// What a tool returned.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ToolResult {
    /// The call that this is the result of.
    pub tool_use_id: String,
    /// The result, or what went wrong.
    pub content: String,
    /// Whether the call went wrong.
    #[serde(default)]
    pub is_error: bool,
}

/// A point up to which a provider that needs to be told should keep the prompt in its cache. OpenAI
/// caches without being told.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct CachePoint {
    /// For how long.
    #[serde(default)]
    pub ttl: CacheTtl,
}

/// How long a provider keeps a prompt in its cache after its last use.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum CacheTtl {
    /// Five minutes.
    #[default]
    FiveMinutes,
    /// An hour, which costs more to write.
    OneHour,
}

mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
