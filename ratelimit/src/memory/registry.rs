//! Which rate was a cell charged under? Numbers for the few rates that a store sees.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::table::{MAX_QUOTAS, QuotaNumber};
use crate::gcra::Gcra;
use crate::sync::Mutex;

/// Rates by number, read without a lock. Numbers are never given back: rates are few, or at least
/// bounded.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Chunk `n` holds the rates from 2^n - 1 on, 2^n of them.
    chunks: [OnceLock<Box<[OnceLock<Gcra>]>>; CHUNKS],
    numbers: Mutex<HashMap<Gcra, QuotaNumber, foldhash::fast::FixedState>>,
}

const CHUNKS: usize = MAX_QUOTAS.ilog2() as usize;

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            numbers: Mutex::new(HashMap::default()),
        }
    }

    /// The rate of a number that [`Registry::number`] gave.
    #[inline]
    pub(crate) fn rate(&self, number: QuotaNumber) -> Option<&Gcra> {
        let (chunk, index) = place(number);
        self.chunks.get(chunk)?.get()?.get(index)?.get()
    }

    /// The rate's number, a new one if it has none; `None` when all numbers are taken.
    pub(crate) fn number(&self, rate: &Gcra) -> Option<QuotaNumber> {
        let mut numbers = self.numbers.lock();
        if let Some(number) = numbers.get(rate) {
            return Some(*number);
        }
        let number = QuotaNumber(u32::try_from(numbers.len()).ok()?);
        let (chunk, index) = place(number);
        let slots = self
            .chunks
            .get(chunk)?
            .get_or_init(|| (0..1_usize << chunk).map(|_| OnceLock::new()).collect());
        // Under the lock, so nobody else has set it.
        slots.get(index)?.set(*rate).ok()?;
        numbers.insert(*rate, number);
        Some(number)
    }
}

fn place(number: QuotaNumber) -> (usize, usize) {
    let position = number.0 as usize + 1;
    let chunk = position.ilog2() as usize;
    (chunk, position - (1 << chunk))
}

#[cfg(test)]
mod tests {
    use super::Registry;
    use crate::gcra::Gcra;

    #[test]
    fn gives_each_rate_one_number() {
        let registry = Registry::new();
        let rates: Vec<Gcra> = (1..300).map(|burst| Gcra::new(7, 3, burst)).collect();
        let numbers: Vec<_> = rates.iter().map(|rate| registry.number(rate)).collect();
        for (rate, number) in rates.iter().zip(&numbers) {
            assert_eq!(registry.number(rate), *number);
            assert_eq!(registry.rate(number.unwrap()), Some(rate));
        }
    }
}
