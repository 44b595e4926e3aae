//! What would the month have cost?
//!
//! Every answer prices the whole month anew with some of the four ways to save in place. Alone, each shows
//! what it saves by itself; these figures do not add up, since a call that a cache answers cannot be batched
//! too. One after the other they do: the steps add up to the cost before less the cost after.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, ensure};
use bursar_model_router::{CacheKey, StandardCachePolicy, TaskType};
use bursar_units::{Currency, Money};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::prices::{PricedCall, Variants};
use crate::quality::Comparison;

/// A way to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lever {
    /// Cheaper models where they are as good.
    Routing,
    /// No call where the answer is known.
    AnswerCache,
    /// Repeated beginnings from the provider's cache.
    PromptCache,
    /// What can wait, at the price of batches.
    Batch,
}

impl Lever {
    /// In the order in which they are put in place.
    pub(crate) const ALL: [Self; 4] = [
        Self::Routing,
        Self::AnswerCache,
        Self::PromptCache,
        Self::Batch,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Routing => "routing",
            Self::AnswerCache => "answer cache",
            Self::PromptCache => "prompt caching",
            Self::Batch => "batch",
        }
    }
}

/// The month before, after, and between.
#[derive(Serialize)]
pub(crate) struct Savings {
    pub(crate) before: Money,
    pub(crate) after: Money,
    /// `before` less `after`.
    pub(crate) together: Money,
    pub(crate) steps: Vec<Step>,
    pub(crate) moves: Vec<Move>,
    /// Expected change of the mean grade of the calls that moved, with its bounds; `None` if none did.
    pub(crate) quality_change: Option<QualityChange>,
    /// How many calls the cache answers, how many prompts are read from the provider's cache, and how
    /// many calls wait, with everything in place.
    pub(crate) with_all: Counts,
}

/// A way to save by itself, and put in place after those before it.
#[derive(Serialize)]
pub(crate) struct Step {
    pub(crate) lever: Lever,
    pub(crate) alone: Money,
    pub(crate) in_turn: Money,
}

/// A task that goes to another model.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Move {
    pub(crate) task: TaskType,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) calls: usize,
}

#[derive(Serialize)]
pub(crate) struct QualityChange {
    pub(crate) expected: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) answered_from_cache: usize,
    pub(crate) prefixes_read: usize,
    pub(crate) batched: usize,
}

impl Savings {
    pub(crate) fn of(calls: &[PricedCall<'_>], comparisons: &[Comparison]) -> Result<Self> {
        let moves = moves(calls, comparisons)?;
        let bill = |levers: &[Lever]| bill(calls, &moves, levers);
        let (before, _) = bill(&[])?;
        let mut steps = Vec::new();
        let (mut last, mut with_all) = (before, Counts::default());
        for (at, &lever) in Lever::ALL.iter().enumerate() {
            let (alone, _) = bill(&[lever])?;
            let (in_turn, counts) = bill(&Lever::ALL[..=at])?;
            steps.push(Step {
                lever,
                alone: before.checked_sub(alone)?,
                in_turn: last.checked_sub(in_turn)?,
            });
            (last, with_all) = (in_turn, counts);
        }
        let together = before.checked_sub(last)?;
        let sum = sum(steps.iter().map(|step| step.in_turn))?;
        ensure!(sum == together, "the steps do not add up to the saving");
        Ok(Self {
            before,
            after: last,
            together,
            steps,
            quality_change: quality_change(&moves, comparisons),
            moves,
            with_all,
        })
    }
}

/// For each task and model the cheapest of those that are as good, if it is cheaper over the month.
fn moves(calls: &[PricedCall<'_>], comparisons: &[Comparison]) -> Result<Vec<Move>> {
    let mut best: BTreeMap<(TaskType, &str), (Money, Move)> = BTreeMap::new();
    for it in comparisons.iter().filter(|it| it.is_as_good) {
        let (mut saved, mut n) = (Money::zero(Currency::USD), 0);
        for call in calls {
            let is_of_task = call.call.task == it.task && call.call.served_by() == it.from;
            if let Some(other) = call.others.get(&it.to).filter(|_| is_of_task) {
                saved = saved.checked_add(call.own.plain.checked_sub(other.plain)?)?;
                n += 1;
            }
        }
        let is_cheaper = !saved.is_zero() && !saved.is_negative();
        let key = (it.task, &*it.from);
        let is_best = best
            .get(&key)
            .is_none_or(|(most, _)| most.amount() < saved.amount());
        if is_cheaper && is_best {
            let moved = Move {
                task: it.task,
                from: it.from.clone(),
                to: it.to.clone(),
                calls: n,
            };
            best.insert(key, (saved, moved));
        }
    }
    Ok(best.into_values().map(|(_, moved)| moved).collect())
}

/// Over the calls that move; the bounds are those of the comparisons, as if all erred the same way.
fn quality_change(moves: &[Move], comparisons: &[Comparison]) -> Option<QualityChange> {
    let n: usize = moves.iter().map(|it| it.calls).sum();
    let mean = |of: fn(&Comparison) -> f64| -> f64 {
        let weighted = moves.iter().filter_map(|moved| {
            let is_it = |it: &&Comparison| {
                it.task == moved.task && it.from == moved.from && it.to == moved.to
            };
            let comparison = comparisons.iter().find(is_it)?;
            Some(of(comparison) * moved.calls as f64)
        });
        weighted.sum::<f64>() / n as f64
    };
    (n > 0).then(|| QualityChange {
        expected: mean(|it| it.difference),
        low: mean(|it| it.low),
        high: mean(|it| it.high),
    })
}

/// Who serves a group of calls, and how they begin; calls without a prefix are on their own.
type Group<'a> = (String, Option<&'a str>);

/// The cost of the month with these ways to save.
fn bill(calls: &[PricedCall<'_>], moves: &[Move], levers: &[Lever]) -> Result<(Money, Counts)> {
    let has = |lever: Lever| levers.contains(&lever);
    let mut counts = Counts::default();
    let mut answers = Answers::default();
    let mut groups: BTreeMap<Group<'_>, Vec<(Timestamp, &Variants)>> = BTreeMap::new();
    for call in calls {
        if has(Lever::AnswerCache) && answers.has(call.cache_key, call.call.at) {
            counts.answered_from_cache += 1;
            continue;
        }
        let served_by = call.call.served_by();
        let moved = moves
            .iter()
            .filter(|_| has(Lever::Routing))
            .find(|it| it.task == call.call.task && it.from == served_by)
            .and_then(|it| Some((it.to.clone(), call.others.get(&it.to)?)));
        let (served_by, variants) = moved.unwrap_or((served_by, &call.own));
        let prefix = variants.prefix.and(call.call.prefix.as_ref());
        let group = (served_by, prefix.map(|it| &*it.name));
        groups
            .entry(group)
            .or_default()
            .push((call.call.at, variants));
    }
    let mut total = Money::zero(Currency::USD);
    for ((_, prefix), calls) in &groups {
        let can_mark = has(Lever::PromptCache) && prefix.is_some();
        let (cost, plan_counts) = cheapest_plan(calls, can_mark, has(Lever::Batch))?;
        total = total.checked_add(cost)?;
        counts.prefixes_read += plan_counts.prefixes_read;
        counts.batched += plan_counts.batched;
    }
    Ok((total, counts))
}

/// Answers that are kept.
#[derive(Default)]
struct Answers(HashMap<CacheKey, Timestamp>);

impl Answers {
    /// Whether the answer is there; else it is there from now on.
    fn has(&mut self, key: Option<CacheKey>, at: Timestamp) -> bool {
        let Some(key) = key else {
            return false;
        };
        let ttl = StandardCachePolicy::default().ttl;
        if self.0.get(&key).is_some_and(|&until| at < until) {
            return true;
        }
        let until = at.checked_add(ttl).unwrap_or(Timestamp::MAX);
        self.0.insert(key, until);
        false
    }
}

/// Marked or not, waiting or not: what is cheapest for these calls over the month.
fn cheapest_plan(
    calls: &[(Timestamp, &Variants)],
    can_mark: bool,
    can_wait: bool,
) -> Result<(Money, Counts)> {
    let mut best: Option<(Money, Counts)> = None;
    for marks in [false, can_mark] {
        for waits in [false, can_wait] {
            let (cost, counts) = plan(calls, marks, waits)?;
            if best.is_none_or(|(least, _)| cost.amount() < least.amount()) {
                best = Some((cost, counts));
            }
        }
    }
    Ok(best.unwrap_or((Money::zero(Currency::USD), Counts::default())))
}

/// How long a prefix stays in the provider's cache after each use: five minutes, Anthropic's and Bedrock's
/// ordinary time and the least of OpenAI's.
const WARM: SignedDuration = SignedDuration::from_mins(5);

fn plan(calls: &[(Timestamp, &Variants)], marks: bool, waits: bool) -> Result<(Money, Counts)> {
    let mut counts = Counts::default();
    let mut total = Money::zero(Currency::USD);
    let mut used: Option<Timestamp> = None;
    for &(at, call) in calls {
        let batch = call
            .batch
            .filter(|batch| waits && batch.amount() < call.plain.amount());
        let cost = match (batch, call.prefix.filter(|_| marks)) {
            (Some(batch), _) => {
                counts.batched += 1;
                batch
            }
            (None, Some(prefix)) => {
                let is_warm = used.is_some_and(|used| at.duration_since(used) < WARM);
                used = Some(at);
                counts.prefixes_read += usize::from(is_warm);
                if is_warm { prefix.read } else { prefix.written }
            }
            (None, None) => call.plain,
        };
        total = total.checked_add(cost)?;
    }
    Ok((total, counts))
}

pub(crate) fn sum(amounts: impl Iterator<Item = Money>) -> Result<Money> {
    Ok(Money::try_sum(amounts)?.unwrap_or(Money::zero(Currency::USD)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::PrefixCosts;

    fn usd(amount: &str) -> Money {
        Money::parse(amount, Currency::USD).unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_793_000_000 + 60 * minutes).unwrap()
    }

    fn variants(batch: Option<&str>) -> Variants {
        Variants {
            plain: usd("10"),
            batch: batch.map(usd),
            prefix: Some(PrefixCosts {
                written: usd("12"),
                read: usd("2"),
            }),
        }
    }

    #[test]
    fn a_prefix_is_warm_for_five_minutes_after_each_use() {
        let call = variants(None);
        // Written; warm; warm again because it was used; cold after six minutes.
        let calls = [0, 4, 8, 14].map(|minute| (at(minute), &call));
        let (cost, counts) = plan(&calls, true, false).unwrap();
        assert_eq!((cost, counts.prefixes_read), (usd("28"), 2));
    }

    #[test]
    fn a_prefix_is_not_marked_where_that_costs_more() {
        let call = variants(None);
        let calls = [0, 60].map(|minute| (at(minute), &call));
        let (cost, counts) = cheapest_plan(&calls, true, true).unwrap();
        assert_eq!((cost, counts), (usd("20"), Counts::default()));
    }

    #[test]
    fn a_batch_is_not_taken_where_the_prompt_cache_is_cheaper() {
        let call = variants(Some("5"));
        let calls = [0, 1, 2, 3, 4].map(|minute| (at(minute), &call));
        // 12 + 4 × 2 in place of 5 × 5.
        let (cost, counts) = cheapest_plan(&calls, true, true).unwrap();
        assert_eq!((cost, counts.batched), (usd("20"), 0));
        let (cost, counts) = cheapest_plan(&calls, false, true).unwrap();
        assert_eq!((cost, counts.batched), (usd("25"), 5));
    }

    #[test]
    fn an_answer_is_kept_for_an_hour_from_when_it_was_made() {
        let mut answers = Answers::default();
        let key = "0".repeat(64).parse().ok();
        let found = [0, 59, 60, 119].map(|minute| answers.has(key, at(minute)));
        assert_eq!(found, [false, true, false, true]);
        assert!(!answers.has(None, at(0)) && !answers.has(None, at(0)));
    }
}
