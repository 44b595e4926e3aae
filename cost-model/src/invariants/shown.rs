//! What does a failure show of its row?

use super::outcome::Example;
use super::tally::Tally;
use crate::{CostRecord, Exact, ExactSum};

/// What a failure shows.
pub(crate) struct Shown {
    pub(crate) values: Vec<(&'static str, String)>,
    pub(crate) difference: Option<ExactSum>,
}

impl Shown {
    pub(crate) fn values<const N: usize>(values: [(&'static str, String); N]) -> Shown {
        Shown {
            values: values.into(),
            difference: None,
        }
    }

    pub(crate) fn costs(effective: Exact, billed: Exact) -> Shown {
        let mut difference = ExactSum::from(effective);
        let difference = difference
            .add_sum(&ExactSum::from(billed).negated())
            .map(|()| difference);
        Shown {
            values: vec![
                ("EffectiveCost", effective.normalized().to_string()),
                ("BilledCost", billed.normalized().to_string()),
            ],
            difference: difference.ok(),
        }
    }
}

#[cold]
pub(crate) fn fail(
    tally: &mut Tally,
    record: &CostRecord<'_>,
    keep: usize,
    shown: impl FnOnce() -> Shown,
) {
    let provider = record.provider();
    tally.fail(record.line, provider, keep, || {
        let Shown { values, difference } = shown();
        Example {
            line: record.line,
            provider: provider.map(str::to_owned),
            values,
            difference,
        }
    });
}

pub(crate) fn shown_number(number: Option<Exact>) -> String {
    number.map_or("null".to_owned(), |number| number.normalized().to_string())
}
