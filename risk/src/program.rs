//! How are a thousand rules decided quickly? Their comparisons lie in one row and are made without
//! branches, 64 rules at a time; only what holds or is open costs a jump.

use crate::condition::{Condition, Relation, Threshold, Truth};
use crate::signal::{Context, Signal};

/// The conditions of a set in the form that evaluation reads. It decides what [`Condition::truth`]
/// does, for every condition and context.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Program {
    batches: Vec<Batch>,
}

/// Up to 64 conditions, each with the bit of its place.
#[derive(Debug, Clone, Default, PartialEq)]
struct Batch {
    comparisons: Vec<Comparison>,
    /// Those that hold if all of their comparisons do.
    all: u64,
    /// Those that hold unless all of their comparisons do: an *any* of the opposites.
    any: u64,
    /// Lists, parts of other signals and what nests deeper.
    others: Vec<(usize, Condition)>,
}

/// Whether a signal is greater than a bound, or its negative is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Comparison {
    bound: f64,
    /// The sign bit, if the signal is less than something.
    flip: u64,
    signal: Signal,
    /// The place of its condition.
    place: u8,
}

/// The truth of up to 64 conditions, one bit each. What has neither is false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Truths {
    pub(crate) hold: u64,
    /// The missing signals decide.
    pub(crate) open: u64,
}

/// How many conditions have their bits in one [`Truths`].
pub(crate) const BATCH: usize = u64::BITS as usize;

impl Program {
    pub(crate) fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Self {
        let mut batches = Vec::new();
        let mut conditions = conditions.into_iter().peekable();
        while conditions.peek().is_some() {
            batches.push(Batch::new(conditions.by_ref().take(BATCH)));
        }
        Self { batches }
    }

    /// The truths of all conditions, a batch at a time.
    #[inline]
    pub(crate) fn run<'p>(&'p self, context: &'p Context) -> impl Iterator<Item = Truths> + 'p {
        self.batches.iter().map(|batch| batch.decide(context))
    }
}

impl Batch {
    fn new<'c>(conditions: impl Iterator<Item = &'c Condition>) -> Self {
        let mut batch = Self::default();
        for (place, condition) in (0..).zip(conditions) {
            let (parts, is_any) = match condition {
                Condition::All(parts) => (parts.as_slice(), false),
                Condition::Any(parts) => (parts.as_slice(), true),
                single => (std::slice::from_ref(single), false),
            };
            let comparisons = parts.iter().map(|part| Comparison::of(part, is_any, place));
            match comparisons.collect::<Option<Vec<_>>>() {
                None => batch.others.push((usize::from(place), condition.clone())),
                Some(comparisons) => {
                    batch.comparisons.extend(comparisons);
                    batch.all |= u64::from(!is_any) << place;
                    batch.any |= u64::from(is_any) << place;
                }
            }
        }
        batch
    }

    #[inline]
    fn decide(&self, context: &Context) -> Truths {
        let (mut fail, mut open) = (0, 0);
        for comparison in &self.comparisons {
            let (is_known, holds) = comparison.decide(context);
            fail |= u64::from(is_known & !holds) << comparison.place;
            open |= u64::from(!is_known) << comparison.place;
        }
        // One that fails decides, whatever is missing.
        let open = open & !fail;
        let mut truths = Truths {
            hold: self.all & !fail & !open | self.any & fail,
            open,
        };
        for (place, condition) in &self.others {
            match condition.truth(context) {
                Truth::True => truths.hold |= 1 << place,
                Truth::Unknown => truths.open |= 1 << place,
                Truth::False => {}
            }
        }
        truths
    }
}

impl Comparison {
    /// The comparison or its opposite; `None` for what is no comparison with a number.
    fn of(condition: &Condition, is_opposite: bool, place: u8) -> Option<Self> {
        let Condition::Compare {
            signal,
            relation,
            threshold: Threshold::Fixed(threshold),
        } = condition
        else {
            return None;
        };
        let (is_less, or_equal) = match relation {
            Relation::Above => (false, false),
            Relation::AtLeast => (false, true),
            Relation::Below => (true, false),
            Relation::AtMost => (true, true),
        };
        let (is_less, or_equal) = (is_less ^ is_opposite, or_equal ^ is_opposite);
        let bound = if is_less { -threshold } else { *threshold };
        Some(Self {
            // Nothing lies between a number and the next, so that "or equal" is "greater" again.
            bound: if or_equal { bound.next_down() } else { bound },
            flip: if is_less { (-0.0_f64).to_bits() } else { 0 },
            signal: *signal,
            place,
        })
    }

    /// Whether the signal is known, and if so, whether it holds.
    #[inline]
    fn decide(&self, context: &Context) -> (bool, bool) {
        let value = f64::from_bits(context.word_or_zero(self.signal) ^ self.flip);
        (context.is_known(self.signal), value > self.bound)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::signal::{Code, Vocabulary};

    const SIGNALS: [Signal; 4] = [
        Signal::TOKENS_PER_MINUTE,
        Signal::UNIQUE_IPS,
        Signal::USAGE_ANOMALY,
        Signal::SPEND_PER_DAY,
    ];

    /// Few values, so that signals meet their thresholds; both zeros, and products that overflow.
    const VALUES: [f64; 6] = [0.0, -0.0, 1.0, -1.0, f64::MAX, f64::MIN];

    fn values() -> impl Strategy<Value = f64> {
        prop::sample::select(&VALUES)
    }

    fn comparisons() -> impl Strategy<Value = Condition> {
        let signal = || prop::sample::select(&SIGNALS);
        let threshold = prop_oneof![
            values().prop_map(Threshold::Fixed),
            (values(), signal()).prop_map(|(fraction, of)| of.fraction(fraction)),
        ];
        (signal(), 0..4, threshold).prop_map(|(signal, relation, threshold)| match relation {
            0 => signal.above(threshold),
            1 => signal.at_least(threshold),
            2 => signal.below(threshold),
            _ => signal.at_most(threshold),
        })
    }

    fn conditions() -> impl Strategy<Value = Condition> {
        let country = Code::new("DE").expect("two letters");
        let leaves = prop_oneof![
            9 => comparisons(),
            1 => Just(Signal::COUNTRY.one_of([country])),
        ];
        leaves.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
                prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
                inner.prop_map(|inner| !inner),
            ]
        })
    }

    fn contexts() -> impl Strategy<Value = Context> {
        prop::array::uniform4(prop::option::of(values())).prop_map(|values| {
            let known = SIGNALS.iter().zip(values);
            known.fold(Context::new(), |context, (&signal, value)| match value {
                Some(value) => context.with(signal, value),
                None => context,
            })
        })
    }

    fn truths(program: &Program, context: &Context) -> Vec<Truth> {
        let truth = |truths: Truths, place: usize| match (
            truths.hold >> place & 1,
            truths.open >> place & 1,
        ) {
            (1, 0) => Truth::True,
            (0, 1) => Truth::Unknown,
            (0, 0) => Truth::False,
            both => panic!("it cannot be {both:?}"),
        };
        let batches = program.run(context);
        let all = batches.flat_map(|truths| (0..BATCH).map(move |place| truth(truths, place)));
        all.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Over up to two batches, as the tree of each condition decides.
        #[test]
        fn a_program_decides_as_its_conditions(
            conditions in prop::collection::vec(conditions(), 0..100),
            context in contexts(),
        ) {
            for condition in &conditions {
                prop_assert!(condition.check(&Vocabulary::standard()).is_ok());
            }
            let expected: Vec<Truth> = conditions.iter().map(|one| one.truth(&context)).collect();
            let mut found = truths(&Program::new(&conditions), &context);
            prop_assert!(found.split_off(expected.len()).iter().all(|&rest| rest == Truth::False));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn lists_parts_and_nesting_stay_trees_and_the_rest_becomes_comparisons() {
        let young = Signal::ACCOUNT_AGE_DAYS.below(7.0);
        let rich = Signal::SPEND_PER_DAY.above(100.0);
        let both = young.clone().and(rich.clone());
        let nested = both.clone().or(young.clone());
        let part = Signal::SPEND_PER_DAY.above(Signal::USAGE_ANOMALY.fraction(0.5));
        let conditions = [
            young.clone(),
            both,
            young.clone().or(rich),
            nested,
            !young,
            part,
        ];
        let program = Program::new(&conditions);
        let batch = &program.batches[0];
        assert_eq!(
            (batch.comparisons.len(), batch.all, batch.any),
            (5, 0b11, 0b100)
        );
        let trees: Vec<usize> = batch.others.iter().map(|&(place, _)| place).collect();
        assert_eq!(trees, [3, 4, 5]);
    }
}
