//! What is recorded of a call?
//!
//! ```json
//! {"at": "2026-11-03T09:12:44Z", "provider": "anthropic", "model": "claude-sonnet-5",
//!  "team": "support", "tenant": "acme", "task": "classification",
//!  "usage": {"input_tokens": 4712, "output_tokens": 9},
//!  "cache_key": "5f0c…", "prefix": {"name": "triage-guide", "tokens": 4500},
//!  "deadline": "2026-11-04T15:00:00Z",
//!  "grades": {"anthropic/claude-sonnet-5": 1.0, "anthropic/claude-haiku-4-5": 1.0}}
//! ```
//!
//! `at`, `provider`, `model`, `task` and `usage` must be there; what is left out is not known, and no saving
//! is claimed that would need it. `request` may hold the whole request, from which the key is computed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use bursar_model_router::{
    CacheKey, CachePolicy as _, CacheRequest, ChatRequest, Complexity, ModelId, Processing,
    StandardCachePolicy, TaskType, Usage,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A call that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// When.
    pub(crate) at: Timestamp,
    /// Who served it, as the catalog calls them.
    pub(crate) provider: String,
    /// The model, by the name of the request.
    pub(crate) model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    pub(crate) task: TaskType,
    /// How it was processed; at once unless said.
    #[serde(default)]
    pub(crate) processing: Processing,
    /// What the provider reported.
    pub(crate) usage: Usage,
    /// By when the answer is needed. Without one somebody waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<Timestamp>,
    /// What was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<ChatRequest>,
    /// The key of the request, where the request itself is not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache_key: Option<CacheKey>,
    /// How the prompt begins, where other prompts begin the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<Prefix>,
    /// How good the answers of models to this request are, from 0 to 1, by `provider/model`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) grades: BTreeMap<String, f64>,
}

/// The beginning of a prompt.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prefix {
    /// A name or a digest of it.
    pub(crate) name: String,
    pub(crate) tokens: u64,
}

/// A batch is answered within a day.
const BATCH_WINDOW: SignedDuration = SignedDuration::from_hours(24);

impl Call {
    /// Its model as `provider/model`.
    pub(crate) fn served_by(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }

    /// Whether the answer may come a day later.
    pub(crate) fn can_wait(&self) -> bool {
        let until = self
            .deadline
            .map(|deadline| deadline.duration_since(self.at));
        self.processing == Processing::Standard && until.is_some_and(|it| it >= BATCH_WINDOW)
    }

    /// By which its answer is found again; `None` where it may not or cannot be kept.
    pub(crate) fn key(&self, policy: &StandardCachePolicy) -> Result<Option<CacheKey>> {
        let Some(request) = &self.request else {
            return Ok(self.cache_key);
        };
        let model = ModelId::new(&self.model)?;
        let asked = CacheRequest {
            request,
            model: &model,
            task: self.task,
            complexity: Complexity::Medium,
        };
        let is_kept = policy.bypasses(&asked).is_none() && request.tools.is_empty();
        Ok(is_kept.then(|| CacheKey::of(&asked, &policy.scope(&asked))))
    }

    fn check(&self) -> Result<()> {
        self.usage.check()?;
        for (model, &grade) in &self.grades {
            ensure!(
                (0.0..=1.0).contains(&grade),
                "the grade of {model} is {grade}, and grades are from 0 to 1"
            );
            ensure!(
                model.contains('/'),
                "{model:?} is graded, and models are written provider/model"
            );
        }
        Ok(())
    }
}

/// The calls in a file, in the order of time.
pub(crate) fn read(path: &Path) -> Result<Vec<Call>> {
    let place = |line: usize| format!("{}, line {}", path.display(), line + 1);
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut calls: Vec<Call> = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| place(number))?;
        if line.trim().is_empty() {
            continue;
        }
        let call: Call = serde_json::from_str(&line).with_context(|| place(number))?;
        call.check().with_context(|| place(number))?;
        calls.push(call);
    }
    ensure!(!calls.is_empty(), "{} has no calls", path.display());
    calls.sort_by_key(|call| call.at);
    Ok(calls)
}

/// Writes the calls as they are read.
pub(crate) fn write(path: &Path, calls: &[Call]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(std::fs::File::create(path).with_context(context)?);
    for call in calls {
        serde_json::to_writer(&mut file, call)?;
        file.write_all(b"\n").with_context(context)?;
    }
    file.flush().with_context(context)
}
