//! When are two requests the same?

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{CacheRequest, canonical};
use crate::{ContentBlock, Message, SystemBlock, TenantId};

/// The version of what is digested. Another form gets another number, and old entries are not found.
const VERSION: u32 = 1;

/// Among whom answers are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheScope {
    /// Everybody.
    Everybody,
    /// One tenant, or those who name none.
    Tenant(Option<TenantId>),
}

/// What a request is found again by: the whole SHA-256 digest of a canonical form of everything that an
/// answer depends on. That is the scope, the model, task and complexity, the instructions, every message,
/// the tools with their schemas and the choice among them, and every parameter.
///
/// The order of keys in the JSON of tools does not matter. The request's metadata and its cache points are
/// not in it, as they do not change an answer.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct CacheKey([u8; 32]);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key of a cache has 64 hexadecimal digits, and `{text}` has not")]
pub struct CacheKeyError {
    /// What was given.
    pub text: String,
}

impl CacheKey {
    /// The key of a request among those who share answers.
    #[must_use]
    pub fn of(asked: &CacheRequest<'_>, scope: &CacheScope) -> Self {
        let mut sha = Sha256::new();
        canonical::digest(&form(asked, scope), &mut sha);
        Self(sha.finalize().into())
    }

    /// The digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn form(asked: &CacheRequest<'_>, scope: &CacheScope) -> Value {
    let request = asked.request;
    let scope = match scope {
        CacheScope::Everybody => json!("everybody"),
        CacheScope::Tenant(tenant) => json!({"tenant": tenant}),
    };
    let instructions = request.system.iter();
    let instructions = instructions.filter(|block| !matches!(block, SystemBlock::CachePoint(_)));
    let system: Vec<Value> = instructions.map(|block| json!(block)).collect();
    let messages: Vec<Value> = request.messages.iter().map(message).collect();
    json!({
        "version": VERSION,
        "scope": scope,
        "model": asked.model,
        "task": asked.task,
        "complexity": asked.complexity,
        "system": system,
        "messages": messages,
        "tools": request.tools,
        "tool_choice": request.tool_choice,
        "parameters": request.parameters,
    })
}

fn message(message: &Message) -> Value {
    let content = message.content.iter();
    let content = content.filter(|block| !matches!(block, ContentBlock::CachePoint(_)));
    let content: Vec<Value> = content.map(|block| json!(block)).collect();
    json!({"role": message.role, "content": content})
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            write!(text, "{byte:02x}")?;
        }
        f.pad(&text)
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

impl FromStr for CacheKey {
    type Err = CacheKeyError;

    fn from_str(text: &str) -> Result<Self, CacheKeyError> {
        parse(text).map(Self).ok_or_else(|| CacheKeyError {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl TryFrom<String> for CacheKey {
    type Error = CacheKeyError;

    fn try_from(text: String) -> Result<Self, CacheKeyError> {
        text.parse()
    }
}

impl From<CacheKey> for String {
    fn from(key: CacheKey) -> String {
        key.to_string()
    }
}
