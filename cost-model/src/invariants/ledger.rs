//! How are rows added up by invoice, commitment or account, at the cost of one hash a row?

use bursar_units::Currency;
use foldhash::HashMap;

use crate::CostRecord;
use crate::intern::Interner;

/// One entry for every name, currency and moment.
#[derive(Debug, Clone)]
pub(crate) struct Ledger<T> {
    names: Interner,
    index: HashMap<Key, usize>,
    entries: Vec<(Key, T)>,
    /// Rows of one entry stand together.
    last: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    name: u32,
    currency: Currency,
    moment: i64,
}

impl<T> Default for Ledger<T> {
    fn default() -> Ledger<T> {
        Ledger {
            names: Interner::default(),
            index: HashMap::default(),
            entries: Vec::new(),
            last: 0,
        }
    }
}

impl<T: Default> Ledger<T> {
    #[inline]
    pub(crate) fn entry(&mut self, name: &str, currency: Currency, moment: i64) -> &mut T {
        let key = Key {
            name: self.names.id(Some(name)),
            currency,
            moment,
        };
        if self.entries.get(self.last).is_none_or(|(k, _)| *k != key) {
            self.last = *self.index.entry(key).or_insert_with(|| {
                self.entries.push((key, T::default()));
                self.entries.len() - 1
            });
        }
        &mut self.entries[self.last].1
    }

    pub(crate) fn merge<E>(
        &mut self,
        other: Ledger<T>,
        mut merge: impl FnMut(&mut T, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let Ledger { names, entries, .. } = other;
        for (key, theirs) in entries {
            let name = names.text(key.name).unwrap_or_default();
            merge(self.entry(name, key.currency, key.moment), theirs)?;
        }
        Ok(())
    }

    /// The entries by name, currency and moment.
    pub(crate) fn sorted(&self) -> Vec<(&str, Currency, &T)> {
        let mut sorted: Vec<_> = self
            .entries
            .iter()
            .map(|(key, entry)| {
                let name = self.names.text(key.name).unwrap_or_default();
                ((name, key.currency, key.moment), entry)
            })
            .collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        sorted
            .into_iter()
            .map(|((name, currency, _), entry)| (name, currency, entry))
            .collect()
    }
}

/// Where a name was met first, and at which provider.
#[derive(Debug, Clone, Default)]
pub(crate) struct First {
    place: Option<(u64, Option<Box<str>>)>,
}

impl First {
    #[inline]
    pub(crate) fn see(&mut self, record: &CostRecord<'_>) {
        let line = record.line.unwrap_or(u64::MAX);
        if self.place.as_ref().is_none_or(|(first, _)| line < *first) {
            self.place = Some((line, record.provider().map(Into::into)));
        }
    }

    pub(crate) fn merge(&mut self, other: First) {
        // Of two at the same line (in two files) the smaller name, so that order does not matter.
        self.place = match (self.place.take(), other.place) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
    }

    pub(crate) fn line(&self) -> Option<u64> {
        let (line, _) = self.place.as_ref()?;
        (*line != u64::MAX).then_some(*line)
    }

    pub(crate) fn provider(&self) -> Option<&str> {
        self.place.as_ref()?.1.as_deref()
    }
}
