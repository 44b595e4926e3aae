//! How are a thousand rules decided quickly? Their comparisons lie in one row and are made without
//! branches, 64 rules at a time; only what holds or is open costs a jump.

use std::ops::Range;

use crate::condition::{Condition, Relation, Threshold, Truth};
use crate::signal::{Context, Signal};

/// The conditions of a set in the form that evaluation reads. It decides what [`Condition::truth`]
/// does, for every condition and context.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Program {
    comparisons: Vec<Comparison>,
    tests: Vec<Test>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// All comparisons of a range hold, as a single one does.
    All(Range<u32>),
    /// At least one of them holds.
    Any(Range<u32>),
    /// Lists and what nests deeper.
    Other(Box<Condition>),
}

/// A signal against a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Comparison {
    /// The threshold, or the part of `of` that is one.
    threshold: f64,
    of: Option<Signal>,
    signal: Signal,
    /// Which of less, equal and greater fulfill the relation.
    orders: u8,
}

const LESS: u8 = 1;
const EQUAL: u8 = 2;
const GREATER: u8 = 4;

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
        let mut program = Self::default();
        for condition in conditions {
            let test = program.test(condition);
            program.tests.push(test);
        }
        program
    }

    fn test(&mut self, condition: &Condition) -> Test {
        let range = match condition {
            Condition::All(parts) | Condition::Any(parts) => self.row(parts),
            single => self.row(std::slice::from_ref(single)),
        };
        match (condition, range) {
            (_, None) => Test::Other(Box::new(condition.clone())),
            (Condition::Any(_), Some(range)) => Test::Any(range),
            (_, Some(range)) => Test::All(range),
        }
    }

    /// Appends the parts; `None` if one of them is no comparison.
    fn row(&mut self, parts: &[Condition]) -> Option<Range<u32>> {
        let comparisons: Option<Vec<_>> = parts.iter().map(Comparison::of).collect();
        let start = u32::try_from(self.comparisons.len()).ok()?;
        let length = u32::try_from(parts.len()).ok()?;
        let end = start.checked_add(length)?;
        self.comparisons.extend(comparisons?);
        Some(start..end)
    }

    /// The truths of all conditions, a batch at a time.
    #[inline]
    pub(crate) fn run<'p>(&'p self, context: &'p Context) -> impl Iterator<Item = Truths> + 'p {
        let batches = self.tests.chunks(BATCH);
        batches.map(move |tests| self.batch(tests, context))
    }

    #[inline]
    fn batch(&self, tests: &[Test], context: &Context) -> Truths {
        let mut truths = Truths::default();
        for (place, test) in tests.iter().enumerate() {
            let (holds, is_open) = self.decide(test, context);
            truths.hold |= u64::from(holds) << place;
            truths.open |= u64::from(is_open) << place;
        }
        truths
    }

    /// Whether a condition holds, and whether it is open.
    #[inline]
    fn decide(&self, test: &Test, context: &Context) -> (bool, bool) {
        match test {
            Test::All(range) => all(self.comparisons(range), context),
            Test::Any(range) => any(self.comparisons(range), context),
            Test::Other(condition) => match condition.truth(context) {
                Truth::True => (true, false),
                Truth::False => (false, false),
                Truth::Unknown => (false, true),
            },
        }
    }

    #[inline]
    fn comparisons(&self, range: &Range<u32>) -> &[Comparison] {
        &self.comparisons[range.start as usize..range.end as usize]
    }
}

/// One that is known not to hold decides; else one that is missing leaves it open.
#[inline]
fn all(comparisons: &[Comparison], context: &Context) -> (bool, bool) {
    let (mut is_false, mut is_open) = (false, false);
    for comparison in comparisons {
        let (is_known, holds) = comparison.decide(context);
        is_false |= is_known & !holds;
        is_open |= !is_known;
    }
    (!is_false & !is_open, !is_false & is_open)
}

/// One that holds decides; else one that is missing leaves it open.
#[inline]
fn any(comparisons: &[Comparison], context: &Context) -> (bool, bool) {
    let (mut is_true, mut is_open) = (false, false);
    for comparison in comparisons {
        let (is_known, holds) = comparison.decide(context);
        is_true |= is_known & holds;
        is_open |= !is_known;
    }
    (is_true, !is_true & is_open)
}

impl Comparison {
    fn of(condition: &Condition) -> Option<Self> {
        let Condition::Compare {
            signal,
            relation,
            threshold,
        } = condition
        else {
            return None;
        };
        let (threshold, of) = match *threshold {
            Threshold::Fixed(value) => (value, None),
            Threshold::Fraction { fraction, of } => (fraction, Some(of)),
        };
        Some(Self {
            threshold,
            of,
            signal: *signal,
            orders: orders(*relation),
        })
    }

    /// Whether all is known, and whether it holds.
    #[inline]
    fn decide(&self, context: &Context) -> (bool, bool) {
        let (threshold, is_known) = match self.of {
            None => (self.threshold, true),
            Some(of) => (
                self.threshold * context.number(of).unwrap_or_default(),
                context.is_known(of),
            ),
        };
        let value = context.number(self.signal).unwrap_or_default();
        let order = u8::from(value < threshold) * LESS
            | u8::from(value == threshold) * EQUAL
            | u8::from(value > threshold) * GREATER;
        let is_known = is_known & context.is_known(self.signal);
        (is_known, self.orders & order != 0)
    }
}

const fn orders(relation: Relation) -> u8 {
    match relation {
        Relation::Above => GREATER,
        Relation::AtLeast => GREATER | EQUAL,
        Relation::Below => LESS,
        Relation::AtMost => LESS | EQUAL,
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
    fn lists_and_nesting_stay_trees_and_the_rest_becomes_comparisons() {
        let young = Signal::ACCOUNT_AGE_DAYS.below(7.0);
        let rich = Signal::SPEND_PER_DAY.above(100.0);
        let both = young.clone().and(rich.clone());
        let nested = both.clone().or(young.clone());
        let conditions = [young.clone(), both, young.clone().or(rich), nested, !young];
        let program = Program::new(&conditions);
        assert_eq!(program.comparisons.len(), 5);
        let is_tree = |test: &Test| matches!(test, Test::Other(_));
        let trees: Vec<bool> = program.tests.iter().map(is_tree).collect();
        assert_eq!(trees, [false, false, false, true, true]);
    }
}
