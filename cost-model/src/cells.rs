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

    /// Whether any cell at these places is filled, and the first of them that is `sought`. Cells
    /// are looked at closely only where their first byte `may_start` such a one.
    #[inline]
    pub(crate) fn seek(
        &self,
        places: &[u16],
        may_start: impl Fn(u8) -> bool,
        sought: impl Fn(&[u8]) -> bool,
    ) -> (bool, Option<(u16, &'a str)>) {
        let bytes = self.text.as_bytes();
        let mut any = false;
        for &place in places {
            let at = usize::from(place);
            let Some(&end) = self.ends.get(at) else {
                continue;
            };
            let start = if at == 0 { 0 } else { self.ends[at - 1] };
            if start == end {
                continue;
            }
            any = true;
            if bytes.get(start).is_some_and(|first| may_start(*first))
                && bytes.get(start..end).is_some_and(&sought)
            {
                return (true, Some((place, self.get(at).unwrap_or_default())));
            }
        }
        (any, None)
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
