//! What are the cells of one row?
//!
//! Every reader, of CSV as of Parquet, hands its rows on as text cells in one buffer.

/// The cells of one row: one text, and where each cell of it ends.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Cells<'a> {
    pub(crate) fn new(text: &'a str, ends: &'a [usize]) -> Cells<'a> {
        Cells { text, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at this place, from 0; `None` past the end of the row.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&'a str> {
        let end = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.text.get(start..end)
    }

    /// The cells of at most `longest` bytes that are not empty, with their places.
    #[inline]
    pub(crate) fn short(&self, longest: usize) -> impl Iterator<Item = (usize, &'a str)> {
        let Cells { text, ends } = *self;
        let mut start = 0;
        ends.iter().enumerate().filter_map(move |(at, &end)| {
            let from = std::mem::replace(&mut start, end);
            let is_short = end.wrapping_sub(from).wrapping_sub(1) < longest;
            if is_short {
                Some((at, text.get(from..end)?))
            } else {
                None
            }
        })
    }

    /// Whether every cell is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The cell at this place, unless it is null.
    #[inline]
    pub(crate) fn value(&self, at: usize) -> Option<&'a str> {
        self.get(at).filter(|cell| !is_null(cell))
    }
}

/// The forms of null met in exports: an empty cell, `NULL` in any case, and `\N`.
#[inline]
pub(crate) fn is_null(cell: &str) -> bool {
    match cell.len() {
        0 => true,
        2 => cell == "\\N",
        4 => cell.eq_ignore_ascii_case("null"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_cells_and_nulls() {
        let cells = Cells::new("aNULL\\Nb", &[1, 5, 7, 7, 8]);
        let values: Vec<_> = (0..6).map(|at| cells.value(at)).collect();
        assert_eq!(values, [Some("a"), None, None, None, Some("b"), None]);
        assert_eq!(cells.get(1), Some("NULL"));
    }
}
