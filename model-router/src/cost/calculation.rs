//! Which units fall under which rate?
//!
//! Every priced kind takes what its priced parts have left of it, the deepest parts first. The counts of
//! all lines then add up to the wholes, however many of the parts a provider reports.

use bursar_units::Money;

use super::{Assumption, CostError, CostLine, Unpriced};
use crate::price::{RateCard, Rated};
use crate::usage::{Direction, KindSet, N_KINDS, Usage, UsageKind, kinds_in};

/// The lines of a cost and their sums.
pub(crate) struct Calculation {
    pub(crate) lines: Vec<CostLine>,
    pub(crate) unpriced: Vec<Unpriced>,
    pub(crate) assumptions: Vec<Assumption>,
    pub(crate) total: Money,
    pub(crate) input: Money,
    pub(crate) output: Money,
}

pub(crate) fn calculate(card: &RateCard, usage: &Usage) -> Result<Calculation, CostError> {
    let used = usage.used();
    if used == 0 && usage.iter().next().is_none() {
        return Err(CostError::NoUsage);
    }
    require_overlaps(card, usage, used)?;
    let mut counts = Counts {
        card,
        usage,
        used,
        at_rate: [0; N_KINDS],
    };
    let zero = Money::zero(card.currency());
    let mut result = Calculation {
        lines: Vec::with_capacity(card.rates.len()),
        unpriced: Vec::new(),
        assumptions: Vec::new(),
        total: zero,
        input: zero,
        output: zero,
    };
    for rated in &card.rates {
        let count = counts.take(rated.kind)?;
        if count > 0 {
            result.add(rated, count, usage.get(UsageKind::InputTokens))?;
        }
    }
    for kind in kinds_in(used & !card.priced) {
        let count = counts.rest(kind)?;
        if count > 0 {
            result.add_without_rate(card, used, kind, count);
        }
    }
    Ok(result)
}

/// Two kinds that were used and share something with a rate need the count of what they share.
fn require_overlaps(card: &RateCard, usage: &Usage, used: KindSet) -> Result<(), CostError> {
    let unknown = card.overlaps.iter().find(|(shared, one, other)| {
        used & one.bit() != 0 && used & other.bit() != 0 && usage.get(*shared).is_none()
    });
    match unknown {
        None => Ok(()),
        Some(&(shared, one, other)) => Err(CostError::MissingOverlap { shared, one, other }),
    }
}

struct Counts<'a> {
    card: &'a RateCard,
    usage: &'a Usage,
    used: KindSet,
    /// How many units fell under the rate of each kind so far.
    at_rate: [u64; N_KINDS],
}

impl Counts<'_> {
    /// How many units fall under the rate of this kind, which are no longer there for its wholes.
    fn take(&mut self, kind: UsageKind) -> Result<u64, CostError> {
        let rest = self.rest(kind)?;
        self.at_rate[kind as usize] = rest;
        Ok(rest)
    }

    /// What the rates of its parts have left of a kind.
    fn rest(&self, kind: UsageKind) -> Result<u64, CostError> {
        let count = self.count(kind)?;
        let taken = self.card.priced_parts(kind);
        let taken = taken.map(|part| self.at_rate[part as usize]);
        let parts = taken.fold(0_u64, u64::saturating_add);
        count.checked_sub(parts).ok_or(CostError::PartsOverWhole {
            whole: kind,
            count,
            parts,
        })
    }

    /// A kind that is not reported was not used, unless a part of it was.
    fn count(&self, kind: UsageKind) -> Result<u64, CostError> {
        if let Some(count) = self.usage.get(kind) {
            return Ok(count);
        }
        if kind == UsageKind::Requests {
            return Ok(1);
        }
        match kinds_in(self.used & kind.parts()).next() {
            None => Ok(0),
            Some(part) => Err(CostError::MissingWhole { whole: kind, part }),
        }
    }
}

impl Calculation {
    fn add(
        &mut self,
        rated: &Rated,
        count: u64,
        input_tokens: Option<u64>,
    ) -> Result<(), CostError> {
        let &Rated {
            kind,
            ref rate,
            assumed_from,
        } = rated;
        if input_tokens.is_none() && !rate.tiers().is_empty() {
            self.assume(Assumption::ShortInput);
        }
        if let Some(billed_as) = assumed_from {
            self.assume(Assumption::OverlapBilledAs {
                kind,
                count,
                billed_as,
            });
        }
        let tier = rate.tier_at(input_tokens.unwrap_or(0));
        let unit_rate = tier.map_or(rate.base(), |tier| tier.rate);
        let amount = unit_rate.cost(count)?;
        self.lines.push(CostLine {
            kind,
            count,
            rate: unit_rate,
            amount,
            tier_above: tier.map(|tier| tier.above),
        });
        self.add_amount(kind, amount)
    }

    fn add_amount(&mut self, kind: UsageKind, amount: Money) -> Result<(), CostError> {
        self.total = self.total.checked_add(amount)?;
        let side = match kind.direction() {
            Some(Direction::Input) => &mut self.input,
            Some(Direction::Output) => &mut self.output,
            None => return Ok(()),
        };
        *side = side.checked_add(amount)?;
        Ok(())
    }

    fn add_without_rate(&mut self, card: &RateCard, used: KindSet, kind: UsageKind, count: u64) {
        match card.billed_as(kind) {
            Some(whole) if kind.is_billed_alike(whole) => {}
            Some(whole) => self.assume(Assumption::BilledAsWhole { kind, count, whole }),
            None => {
                let is_in_another = kinds_in(used).any(|other| kind.is_part_of(other));
                if !is_in_another {
                    self.unpriced.push(Unpriced { kind, count });
                }
            }
        }
    }

    fn assume(&mut self, assumption: Assumption) {
        if !self.assumptions.contains(&assumption) {
            self.assumptions.push(assumption);
        }
    }
}

#[cfg(test)]
mod tests {
    use bursar_units::UnitRate;
    use proptest::prelude::*;

    use super::UsageKind as Kind;
    use super::*;
    use crate::price::Rate;

    fn flat(price: &str) -> Rate {
        Rate::flat(UnitRate::per_million(price.parse().unwrap()))
    }

    fn card(rates: &[(Kind, &str)]) -> RateCard {
        RateCard::new(rates.iter().map(|&(kind, price)| (kind, flat(price)))).unwrap()
    }

    fn usage(counts: &[(Kind, u64)]) -> Usage {
        counts.iter().copied().collect()
    }

    /// Claude Haiku 4.5 on Bedrock: 1, 5, 0.10, 1.25 and 2 USD per million.
    fn haiku() -> RateCard {
        card(&[
            (Kind::InputTokens, "1 USD"),
            (Kind::OutputTokens, "5 USD"),
            (Kind::CacheReadTokens, "0.1 USD"),
            (Kind::CacheWriteTokens, "1.25 USD"),
            (Kind::CacheWrite1hTokens, "2 USD"),
        ])
    }

    #[test]
    fn a_whole_pays_for_what_its_parts_have_left() {
        let used = usage(&[
            (Kind::InputTokens, 1_000),
            (Kind::CacheReadTokens, 600),
            (Kind::CacheWriteTokens, 300),
            (Kind::CacheWrite1hTokens, 100),
            (Kind::OutputTokens, 50),
        ]);
        let result = calculate(&haiku(), &used).unwrap();
        let lines: Vec<_> = result
            .lines
            .iter()
            .map(|line| (line.kind, line.count, line.amount.amount().to_string()))
            .collect();
        let expected = [
            (Kind::CacheWrite1hTokens, 100, "0.0002"),
            (Kind::CacheReadTokens, 600, "0.00006"),
            (Kind::CacheWriteTokens, 200, "0.00025"),
            (Kind::InputTokens, 100, "0.0001"),
            (Kind::OutputTokens, 50, "0.00025"),
        ];
        let expected = expected.map(|(kind, count, amount)| (kind, count, amount.to_owned()));
        assert_eq!(lines, expected);
        assert_eq!(result.total.to_string(), "0.00086 USD");
        assert_eq!(result.input.to_string(), "0.00061 USD");
        assert_eq!(result.output.to_string(), "0.00025 USD");
        assert_eq!(result.assumptions, []);
    }

    #[test]
    fn a_part_that_mostly_has_a_rate_of_its_own_is_stated() {
        let card = card(&[(Kind::InputTokens, "1 USD"), (Kind::OutputTokens, "5 USD")]);
        let used = usage(&[
            (Kind::InputTokens, 100),
            (Kind::InputTextTokens, 90),
            (Kind::CacheReadTokens, 60),
            (Kind::OutputTokens, 10),
            (Kind::OutputReasoningTokens, 5),
        ]);
        let result = calculate(&card, &used).unwrap();
        assert_eq!(result.total.to_string(), "0.00015 USD");
        let stated = Assumption::BilledAsWhole {
            kind: Kind::CacheReadTokens,
            count: 60,
            whole: Kind::InputTokens,
        };
        assert_eq!(result.assumptions, [stated]);
    }

    #[test]
    fn a_part_whose_parts_all_have_rates_is_no_assumption() {
        let card = card(&[
            (Kind::InputTokens, "1 USD"),
            (Kind::CacheWrite1hTokens, "2 USD"),
        ]);
        let all_for_an_hour = usage(&[
            (Kind::InputTokens, 100),
            (Kind::CacheWriteTokens, 60),
            (Kind::CacheWrite1hTokens, 60),
        ]);
        let result = calculate(&card, &all_for_an_hour).unwrap();
        assert_eq!(result.assumptions, []);
        assert_eq!(result.total.to_string(), "0.00016 USD");
    }

    #[test]
    fn what_has_no_rate_is_named_and_not_free() {
        let card = card(&[(Kind::InputTokens, "1 USD")]);
        let used = usage(&[
            (Kind::InputTokens, 10),
            (Kind::OutputTokens, 20),
            (Kind::OutputReasoningTokens, 15),
            (Kind::WebSearches, 2),
            (Kind::SocialSearches, 0),
        ]);
        let result = calculate(&card, &used).unwrap();
        let unpriced: Vec<_> = result
            .unpriced
            .iter()
            .map(|it| (it.kind, it.count))
            .collect();
        assert_eq!(unpriced, [(Kind::OutputTokens, 20), (Kind::WebSearches, 2)]);
        assert_eq!(result.total.to_string(), "0.00001 USD");
    }

    #[test]
    fn sound_from_the_cache_is_not_counted_twice() {
        let card = card(&[
            (Kind::InputTokens, "1 USD"),
            (Kind::CacheReadTokens, "0.1 USD"),
            (Kind::InputAudioTokens, "3 USD"),
        ]);
        let used = usage(&[
            (Kind::InputTokens, 100),
            (Kind::InputAudioTokens, 50),
            (Kind::CacheReadTokens, 40),
            (Kind::CacheAudioReadTokens, 20),
        ]);
        // 20 of cached sound and 20 of cached text at 0.1, 30 of sound at 3, the other 30 at 1.
        let result = calculate(&card, &used).unwrap();
        assert_eq!(result.total.to_string(), "0.000124 USD");
        let stated = Assumption::OverlapBilledAs {
            kind: Kind::CacheAudioReadTokens,
            count: 20,
            billed_as: Kind::CacheReadTokens,
        };
        assert_eq!(result.assumptions, [stated]);
    }

    #[test]
    fn an_overlap_of_unknown_size_is_refused() {
        let card = card(&[
            (Kind::InputTokens, "1 USD"),
            (Kind::CacheReadTokens, "0.1 USD"),
            (Kind::InputAudioTokens, "3 USD"),
        ]);
        let counts = [
            (Kind::InputTokens, 100),
            (Kind::InputAudioTokens, 50),
            (Kind::CacheReadTokens, 40),
        ];
        let refused = calculate(&card, &usage(&counts)).err();
        assert!(matches!(refused, Some(CostError::MissingOverlap { .. })));
        assert!(calculate(&card, &usage(&counts[..2])).is_ok());
    }

    #[test]
    fn the_tier_is_that_of_the_whole_input_and_holds_for_every_unit() {
        let rate = |base: &str, long: &str| {
            flat(base).with_tier(200_000, UnitRate::per_million(long.parse().unwrap()))
        };
        let card = RateCard::new([
            (Kind::InputTokens, rate("3 USD", "6 USD")),
            (Kind::CacheReadTokens, rate("0.3 USD", "0.6 USD")),
            (Kind::OutputTokens, rate("15 USD", "22.5 USD")),
        ])
        .unwrap();
        let cost = |input| {
            let used = usage(&[
                (Kind::InputTokens, input),
                (Kind::CacheReadTokens, 190_000),
                (Kind::OutputTokens, 1_000),
            ]);
            calculate(&card, &used).unwrap()
        };
        assert_eq!(cost(200_000).total.to_string(), "0.102 USD");
        let long = cost(200_001);
        assert_eq!(long.total.to_string(), "0.196506 USD");
        assert!(
            long.lines
                .iter()
                .all(|line| line.tier_above == Some(200_000))
        );
        let unknown = calculate(&card, &usage(&[(Kind::OutputTokens, 1_000)])).unwrap();
        assert_eq!(unknown.assumptions, [Assumption::ShortInput]);
    }

    #[test]
    fn counts_that_contradict_each_other_are_refused() {
        let over = usage(&[(Kind::InputTokens, 10), (Kind::CacheReadTokens, 11)]);
        let refused = calculate(&haiku(), &over).err();
        let (whole, count, parts) = (Kind::InputTokens, 10, 11);
        let expected = CostError::PartsOverWhole {
            whole,
            count,
            parts,
        };
        assert_eq!(refused, Some(expected));
        let without_whole = usage(&[(Kind::CacheReadTokens, 11)]);
        let refused = calculate(&haiku(), &without_whole).err();
        assert!(matches!(refused, Some(CostError::MissingWhole { .. })));
        assert_eq!(
            calculate(&haiku(), &Usage::new()).err(),
            Some(CostError::NoUsage)
        );
        let nothing = calculate(&haiku(), &usage(&[(Kind::InputTokens, 0)])).unwrap();
        assert!(nothing.total.is_zero() && nothing.lines.is_empty());
    }

    #[test]
    fn a_call_is_one_request() {
        let per_thousand = |price: &str| Rate::flat(UnitRate::per_thousand(price.parse().unwrap()));
        let card = RateCard::new([
            (Kind::InputTokens, flat("1 USD")),
            (Kind::Requests, per_thousand("12 USD")),
        ])
        .unwrap();
        let one = calculate(&card, &usage(&[(Kind::InputTokens, 0)])).unwrap();
        assert_eq!(one.total.to_string(), "0.012 USD");
        let many = calculate(
            &card,
            &usage(&[(Kind::InputTokens, 0), (Kind::Requests, 5)]),
        );
        assert_eq!(many.unwrap().total.to_string(), "0.06 USD");
    }

    proptest! {
        /// Whatever is counted and whatever has a rate: no panic, and the lines of input tokens add up to
        /// the input tokens.
        #[test]
        fn lines_add_up_to_the_whole(
            counts in prop::collection::vec((0..N_KINDS, 0_u64..50), 1..12),
            input in 0_u64..2_000,
            priced in prop::collection::vec(0..N_KINDS, 0..12),
        ) {
            let used: Usage = counts
                .iter()
                .map(|&(at, count)| (Kind::ALL[at], count))
                .chain([(Kind::InputTokens, input)])
                .collect();
            let kinds = priced.iter().map(|&at| Kind::ALL[at]);
            let rates = kinds.chain([Kind::InputTokens]).map(|kind| (kind, flat("1 USD")));
            let card = RateCard::new(rates).unwrap();
            if let Ok(result) = calculate(&card, &used) {
                let of_input = result.lines.iter().filter(|line| {
                    line.kind == Kind::InputTokens || line.kind.is_part_of(Kind::InputTokens)
                });
                prop_assert_eq!(of_input.map(|line| line.count).sum::<u64>(), input);
            }
        }
    }
}
