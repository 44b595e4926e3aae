//! A conversation stays where its prompt cache is warm, unless leaving pays.

use std::cmp::Ordering;

use bursar_units::Money;
use rust_decimal::Decimal;

use crate::candidate::{Candidate, Situation};
use crate::policy::{Selection, SelectionPolicy};
use crate::rates::CallShape;

/// Keeps a conversation with the model whose provider has its beginning in a prompt cache, unless the
/// choice of another policy saves more than the lost cache costs, or is much better.
///
/// The other policy is shown what a turn costs on average over the turns that the conversation is expected to
/// go on, this one included, so that it does not begin where the next turns are dear. To stay costs the
/// cached price of the prefix; to leave costs, once, what the new provider takes for the whole input and for
/// writing it into its cache. From the second turn on the input is read from the cache of whoever has one.
/// How much the later turns add is not known; it is the same for all, and left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CacheAware<P> {
    policy: P,
    turns: u32,
    upgrade: f64,
}

impl<P: SelectionPolicy> CacheAware<P> {
    /// A conversation that goes on for a few turns.
    pub const DEFAULT_TURNS: u32 = 3;

    /// A gain in predicted quality, in points, that is worth losing a cache for.
    pub const DEFAULT_UPGRADE: f64 = 10.0;

    /// Keeps conversations from the choices of this policy.
    #[must_use]
    pub const fn new(policy: P) -> Self {
        Self {
            policy,
            turns: Self::DEFAULT_TURNS,
            upgrade: Self::DEFAULT_UPGRADE,
        }
    }

    /// Expects a conversation to go on for so many turns, this one included; 0 counts as 1.
    #[must_use]
    pub const fn with_turns(mut self, turns: u32) -> Self {
        self.turns = if turns == 0 { 1 } else { turns };
        self
    }

    /// Leaves for a model whose predicted quality is higher by so many points, whatever it costs.
    /// Infinity never does.
    #[must_use]
    pub const fn with_upgrade(mut self, points: f64) -> Self {
        self.upgrade = points;
        self
    }
}

/// What a candidate costs over some turns; `None` if the amount is too long to be told.
fn over_turns(situation: &Situation<'_>, candidate: &Candidate<'_>, turns: u32) -> Option<Money> {
    let rates = candidate.entry.rates.as_ref()?;
    let times = |amount: Money, count: u32| amount.checked_mul(Decimal::from(count)).ok();
    let input_tokens = candidate.input_tokens.expected;
    let alone = CallShape {
        input_tokens,
        ..CallShape::default()
    };
    let input = rates.cost(alone).ok()?;
    let answer = candidate.cost.cold.checked_sub(input).ok()?;
    let (first, later) = if rates.has_prompt_cache() {
        let warm = situation.request.warm_cache();
        let warm = warm.filter(|warm| *warm.model == candidate.entry.id);
        let cache_read_tokens = warm.map_or(0, |warm| warm.cached_tokens.min(input_tokens));
        let cache_write_tokens = input_tokens.saturating_sub(cache_read_tokens);
        let first = CallShape {
            cache_read_tokens,
            cache_write_tokens,
            ..alone
        };
        let later = CallShape {
            cache_read_tokens: input_tokens,
            ..alone
        };
        (rates.cost(first).ok()?, rates.cost(later).ok()?)
    } else {
        (input, input)
    };
    let inputs = first
        .checked_add(times(later, turns.saturating_sub(1))?)
        .ok()?;
    inputs.checked_add(times(answer, turns)?).ok()
}

/// The candidate at the average cost of a turn; as it is where that cannot be told.
fn averaged<'a>(situation: &Situation<'_>, candidate: &Candidate<'a>, turns: u32) -> Candidate<'a> {
    let mut averaged = *candidate;
    let total = over_turns(situation, candidate, turns);
    let average = total.and_then(|total| total.checked_div(Decimal::from(turns)).ok());
    if let Some(average) = average {
        averaged.cost.expected = average;
    }
    averaged
}

impl<P: SelectionPolicy> SelectionPolicy for CacheAware<P> {
    fn name(&self) -> &str {
        "cache_aware"
    }

    fn select(&self, situation: &Situation<'_>, candidates: &[Candidate<'_>]) -> Selection {
        let average = |it| averaged(situation, it, self.turns);
        let averaged: Vec<Candidate<'_>> = candidates.iter().map(average).collect();
        let mut selection = self.policy.select(situation, &averaged);
        let Some(warm_cache) = situation.request.warm_cache() else {
            return selection;
        };
        let is_warm = |at: usize| {
            candidates
                .get(at)
                .is_some_and(|it| it.entry.id == *warm_cache.model)
        };
        let warm = selection
            .ranking
            .iter()
            .position(|it| is_warm(it.candidate));
        let Some(place) = warm.filter(|place| *place > 0) else {
            return selection;
        };
        let candidate = |place: usize| candidates.get(selection.ranking.get(place)?.candidate);
        let (Some(warm), Some(best)) = (candidate(place), candidate(0)) else {
            return selection;
        };
        let quality = |it: &Candidate<'_>| it.quality.map(|it| it.expected.points());
        let gain = quality(best)
            .zip(quality(warm))
            .map(|(best, warm)| best - warm);
        if gain.is_some_and(|gain| gain >= self.upgrade) {
            selection.remark = Some(format!(
                "leaves the warm prompt cache of {} for a better answer",
                warm_cache.model
            ));
            return selection;
        }
        let total = |it| over_turns(situation, it, self.turns);
        let costs = total(warm).zip(total(best));
        let leaves = |(staying, leaving): &(Money, Money)| {
            leaving.try_cmp(staying).is_ok_and(Ordering::is_lt)
        };
        if let Some((staying, leaving)) = costs.filter(leaves) {
            selection.remark = Some(format!(
                "leaves the warm prompt cache of {}: {leaving} in place of {staying} over {} turns",
                warm_cache.model, self.turns
            ));
            return selection;
        }
        let kept = selection.ranking.remove(place);
        selection.ranking.insert(0, kept);
        selection.remark = Some(match costs {
            Some((staying, leaving)) => format!(
                "stays where the prompt cache is warm: {staying} in place of {leaving} over {} turns",
                self.turns
            ),
            None => "stays where the prompt cache is warm".to_owned(),
        });
        selection
    }
}
