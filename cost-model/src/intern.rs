//! How are the few distinct values of a column told apart at the cost of one hash a row?

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Gives every distinct text a number, from 1 in the order of arrival; 0 is no text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    table: HashTable<u32>,
    texts: Vec<Box<str>>,
    /// Bills repeat a value over neighboring rows.
    last: u32,
    hasher: RandomState,
}

impl Interner {
    /// The number of this text.
    #[inline]
    pub(crate) fn id(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        if self.text(self.last) == Some(text) {
            return self.last;
        }
        self.last = self.find_or_add(text);
        self.last
    }

    fn find_or_add(&mut self, text: &str) -> u32 {
        let Interner {
            table,
            texts,
            hasher,
            ..
        } = self;
        let of = |id: u32| &*texts[id as usize - 1];
        let hash = hasher.hash_one(text);
        if let Some(&id) = table.find(hash, |&id| of(id) == text) {
            return id;
        }
        let id = texts.len() as u32 + 1;
        table.insert_unique(hash, id, |&id| hasher.hash_one(of(id)));
        texts.push(text.into());
        id
    }

    /// The text of a number; `None` for 0 and for numbers not given out.
    #[inline]
    pub(crate) fn text(&self, id: u32) -> Option<&str> {
        let at = (id as usize).checked_sub(1)?;
        self.texts.get(at).map(|text| &**text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_equal_texts_one_number() {
        let mut interner = Interner::default();
        let ids: Vec<u32> = [Some("a"), Some("b"), None, Some("a"), Some("b")]
            .map(|t| interner.id(t))
            .into();
        assert_eq!(ids, [1, 2, 0, 1, 2]);
        assert_eq!(interner.text(2), Some("b"));
        assert_eq!(interner.text(0), None);
    }
}
