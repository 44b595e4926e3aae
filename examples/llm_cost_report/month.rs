//! A month of calls of which the truth is known.
//!
//! Six kinds of work of five teams: people who ask the same questions again, prompts that begin with the same
//! guide, jobs at night, and models that are stronger than the work needs, beside work that needs them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use bursar_model_router::{
    CacheKey, ChatRequest, Processing, TaskType, Temperature, TenantId, Usage, UsageKind,
};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::call::{Call, Prefix};
use crate::savings::Move;

/// A kind of work.
struct Work {
    team: &'static str,
    task: TaskType,
    /// Its models with the share of calls that each answers well; the first one serves.
    models: &'static [(&'static str, f64)],
    /// Of a hundred calls.
    share: u32,
    /// Name and tokens of how all prompts begin.
    prefix: Option<(&'static str, u64)>,
    /// Whether the provider's prompt cache is used for it already.
    is_cached: bool,
    input: std::ops::Range<u64>,
    output: std::ops::Range<u64>,
    reasoning: std::ops::Range<u64>,
    /// How many different questions there are; `None` for no two alike.
    questions: Option<u32>,
    /// Of a hundred calls those that run at night and are needed the day after next.
    at_night: u32,
    temperature: f64,
}

const WORK: [Work; 6] = [
    Work {
        team: "support",
        task: TaskType::Classification,
        models: &[
            ("anthropic/claude-sonnet-5", 0.97),
            ("anthropic/claude-haiku-4-5", 0.968),
        ],
        share: 34,
        prefix: Some(("triage guide", 4_500)),
        is_cached: false,
        input: 60..400,
        output: 4..20,
        reasoning: 0..1,
        questions: Some(3_000),
        at_night: 0,
        temperature: 0.0,
    },
    Work {
        team: "support",
        task: TaskType::QuestionAnswering,
        models: &[
            ("anthropic/claude-sonnet-5", 0.93),
            ("anthropic/claude-haiku-4-5", 0.86),
        ],
        share: 24,
        prefix: Some(("handbook", 9_000)),
        is_cached: false,
        input: 20..120,
        output: 80..400,
        reasoning: 0..1,
        questions: Some(300),
        at_night: 0,
        temperature: 0.1,
    },
    Work {
        team: "reports",
        task: TaskType::Summarization,
        models: &[
            ("anthropic/claude-opus-5", 0.95),
            ("anthropic/claude-sonnet-5", 0.95),
            ("anthropic/claude-haiku-4-5", 0.83),
        ],
        share: 14,
        prefix: None,
        is_cached: false,
        input: 4_000..20_000,
        output: 300..700,
        reasoning: 0..1,
        questions: None,
        at_night: 100,
        temperature: 0.1,
    },
    Work {
        team: "platform",
        task: TaskType::CodeReview,
        models: &[
            ("anthropic/claude-opus-5", 0.88),
            ("anthropic/claude-sonnet-5", 0.80),
        ],
        share: 10,
        prefix: Some(("style guide", 5_000)),
        is_cached: true,
        input: 1_000..9_000,
        output: 300..1_500,
        reasoning: 0..1,
        questions: None,
        at_night: 0,
        temperature: 0.0,
    },
    Work {
        team: "growth",
        task: TaskType::Translation,
        models: &[("openai/gpt-5.4", 0.96), ("openai/gpt-5.4-mini", 0.958)],
        share: 12,
        prefix: None,
        is_cached: false,
        input: 200..1_500,
        output: 200..1_500,
        reasoning: 0..1,
        questions: None,
        at_night: 50,
        temperature: 0.1,
    },
    Work {
        team: "finance",
        task: TaskType::Analysis,
        models: &[("openai/gpt-5.5", 0.84), ("openai/gpt-5.4", 0.77)],
        share: 6,
        prefix: None,
        is_cached: false,
        input: 2_000..12_000,
        output: 200..900,
        reasoning: 1_000..6_000,
        questions: None,
        at_night: 0,
        temperature: 1.0,
    },
];

const TENANTS: [&str; 4] = ["acme", "globex", "initech", "umbrella"];

/// Of a hundred calls those that are graded on all models of their work.
const GRADED: u32 = 20;

/// What is true of a made month and a report can only estimate.
#[derive(Serialize)]
pub(crate) struct Truth {
    /// The mean change of grades by the moves, as the month was made.
    pub(crate) quality_change: Option<f64>,
    /// Calls that repeat an earlier one of their tenant, however long after.
    pub(crate) repeated_calls: usize,
    /// Calls that were made at night for the day after next.
    pub(crate) waiting_calls: usize,
}

/// The month from this number.
pub(crate) fn make(number: u32, seed: u64) -> Result<Vec<Call>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start: Timestamp = "2026-11-01T00:00:00Z".parse()?;
    let mut calls = Vec::new();
    for serial in 0..number {
        let work = pick(&mut rng).context("the shares are of a hundred")?;
        calls.push(work.call(serial, start, &mut rng)?);
    }
    calls.sort_by_key(|call| call.at);
    Ok(calls)
}

fn pick(rng: &mut ChaCha8Rng) -> Option<&'static Work> {
    let mut drawn = rng.random_range(0..100);
    WORK.iter().find(|work| {
        let is_it = drawn < work.share;
        drawn = drawn.saturating_sub(work.share);
        is_it
    })
}

impl Work {
    fn call(&self, serial: u32, start: Timestamp, rng: &mut ChaCha8Rng) -> Result<Call> {
        let is_at_night = rng.random_range(0..100) < self.at_night;
        let at = start.checked_add(moment(is_at_night, rng))?;
        let tenant = TENANTS[rng.random_range(0..TENANTS.len())];
        let request = self.request(serial, tenant, rng)?;
        let (provider, model) = self.models[0].0.split_once('/').context("it has a slash")?;
        Ok(Call {
            at,
            provider: provider.to_owned(),
            model: model.to_owned(),
            team: Some(self.team.to_owned()),
            tenant: Some(tenant.to_owned()),
            task: self.task,
            processing: Processing::Standard,
            usage: self.usage(rng),
            deadline: is_at_night.then(|| at + SignedDuration::from_hours(30)),
            request: Some(request),
            cache_key: None,
            prefix: self.prefix.map(|(name, tokens)| Prefix {
                name: name.to_owned(),
                tokens,
            }),
            grades: self.grades(rng),
        })
    }

    /// Popular questions are asked much oftener than others: the share of the first `x` of `n` is the
    /// fourth root of `x / n`, a quarter for the first of 300.
    fn request(&self, serial: u32, tenant: &str, rng: &mut ChaCha8Rng) -> Result<ChatRequest> {
        let question = match self.questions {
            None => serial,
            Some(n) => {
                let drawn: f64 = rng.random_range(0.0..1.0);
                (f64::from(n) * drawn.powi(4)) as u32
            }
        };
        let text = format!("{} {} {question}", self.team, self.task);
        Ok(ChatRequest::user(text)
            .temperature(Temperature::new(self.temperature)?)
            .tenant(TenantId::new(tenant)?))
    }

    fn usage(&self, rng: &mut ChaCha8Rng) -> Usage {
        let prefix = self.prefix.map_or(0, |(_, tokens)| tokens);
        let input = prefix + rng.random_range(self.input.clone());
        let reasoning = rng.random_range(self.reasoning.clone());
        let output = reasoning + rng.random_range(self.output.clone());
        let usage = Usage::new()
            .with(UsageKind::InputTokens, input)
            .with(UsageKind::OutputTokens, output);
        let usage = match reasoning {
            0 => usage,
            _ => usage.with(UsageKind::OutputReasoningTokens, reasoning),
        };
        match (self.is_cached, rng.random_bool(0.6)) {
            (false, _) => usage,
            (true, true) => usage.with(UsageKind::CacheReadTokens, prefix),
            (true, false) => usage.with(UsageKind::CacheWriteTokens, prefix),
        }
    }

    /// A call that is easy for one model is so for another, but for one in twenty.
    fn grades(&self, rng: &mut ChaCha8Rng) -> BTreeMap<String, f64> {
        let is_graded = rng.random_range(0..100) < GRADED;
        let difficulty: f64 = rng.random_range(0.0..1.0);
        let grade = |&(model, quality): &(&str, f64)| {
            let own: f64 = rng.random_range(0.0..1.0);
            let difficulty = if rng.random_bool(0.05) {
                own
            } else {
                difficulty
            };
            (model.to_owned(), f64::from(u8::from(difficulty < quality)))
        };
        let grades: BTreeMap<_, _> = self.models.iter().map(grade).collect();
        if is_graded { grades } else { BTreeMap::new() }
    }
}

/// A moment of the month: at night between one and three, else in the hours of work, and on a day of rest
/// a fifth as often. The first of November 2026 is a Sunday.
fn moment(is_at_night: bool, rng: &mut ChaCha8Rng) -> SignedDuration {
    let day = loop {
        let day = rng.random_range(0..30_i64);
        let is_of_rest = matches!(day % 7, 0 | 6);
        if is_at_night || !is_of_rest || rng.random_bool(0.2) {
            break day;
        }
    };
    let hours = if is_at_night { 1..3 } else { 7..19 };
    let second = rng.random_range(hours.start * 3_600..hours.end * 3_600_i64);
    SignedDuration::from_secs(day * 86_400 + second)
}

impl Truth {
    pub(crate) fn of(calls: &[Call], keys: &[CacheKey], moves: &[Move]) -> Self {
        let different: BTreeSet<_> = keys.iter().collect();
        Self {
            quality_change: quality_change(moves),
            repeated_calls: keys.len() - different.len(),
            waiting_calls: calls.iter().filter(|it| it.deadline.is_some()).count(),
        }
    }
}

fn quality_change(moves: &[Move]) -> Option<f64> {
    let of_move = |moved: &Move| {
        let work = WORK
            .iter()
            .find(|it| it.task == moved.task && it.models[0].0 == moved.from)?;
        let (_, after) = work.models.iter().find(|(model, _)| *model == moved.to)?;
        Some((after - work.models[0].1) * moved.calls as f64)
    };
    let calls: usize = moves.iter().map(|it| it.calls).sum();
    let sum: f64 = moves.iter().map(of_move).sum::<Option<f64>>()?;
    (calls > 0).then(|| sum / calls as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_of_a_hundred() {
        assert_eq!(WORK.iter().map(|work| work.share).sum::<u32>(), 100);
    }

    #[test]
    fn the_same_number_makes_the_same_month() {
        let text = |seed| serde_json::to_string(&make(50, seed).unwrap()).unwrap();
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }
}
