//! How does a row of cells become a record, or a rejection that names its fault?

use super::cell::{CellProblem, Memo};
use super::decode::Decoder;
use super::tokens::{Batch, RawRow};
use super::{RejectReason, RejectedRow, Row};
use crate::cells::Cells;

/// The rows of one batch after another.
pub(crate) struct Rows {
    pub(crate) batch: Batch,
    /// The row after the current one.
    next: usize,
    memo: Memo,
}

impl Rows {
    pub(crate) fn new() -> Rows {
        Rows {
            batch: Batch::default(),
            next: 0,
            memo: Memo::new(),
        }
    }

    /// Goes back to before the first row, after the batch has been filled.
    pub(crate) fn restart(&mut self) {
        self.next = 0;
    }

    /// Goes behind the last row, after they have been read in another way.
    pub(crate) fn finish(&mut self) {
        self.next = self.batch.len();
    }

    /// Moves to the next row of the batch; `false` after the last.
    #[inline]
    pub(crate) fn advance(&mut self) -> bool {
        let more = self.next < self.batch.len();
        self.next += usize::from(more);
        more
    }

    /// The row that [`advance`](Rows::advance) moved to, as a record, or why it is none.
    #[inline]
    pub(crate) fn row<'a>(&'a mut self, decoder: &'a Decoder) -> Row<'a> {
        let raw = self.batch.row(self.next - 1);
        let layout = &decoder.layout;
        let Some(cells) = text_cells(raw) else {
            return Row::Rejected(not_utf8(raw, |at| layout.name(at)));
        };
        let have = cells.len();
        let reject = |at: usize, reason| {
            // Of a cell that is not there, the last one that is.
            let value = cells.get(at).or_else(|| cells.get(have.saturating_sub(1)));
            Row::Rejected(RejectedRow {
                line: raw.line,
                column: layout.name(at),
                value: shorten(value.unwrap_or("")),
                reason,
            })
        };
        if let Some(reason) = raw.broken {
            return reject(have.saturating_sub(1), reason.clone());
        }
        let want = layout.width();
        if have != want {
            return reject(have.min(want), RejectReason::Cells { have, want });
        }
        match decoder.decode(cells, &mut self.memo) {
            Ok(mut record) => {
                record.line = Some(raw.line);
                Row::Record(record)
            }
            Err(CellProblem { at, reason }) => reject(at, reason),
        }
    }
}

/// The cells of a row, if they are text.
#[inline]
pub(crate) fn text_cells(raw: RawRow<'_>) -> Option<Cells<'_>> {
    let text = std::str::from_utf8(raw.bytes).ok()?;
    // Two broken characters can make a whole one across the border of their cells.
    let split = !text.is_ascii() && raw.ends.iter().any(|&end| !text.is_char_boundary(end));
    (!split).then_some(Cells::new(text, raw.ends))
}

/// The rejection of a row with a cell that is not UTF-8.
#[cold]
fn not_utf8(raw: RawRow<'_>, name: impl Fn(usize) -> String) -> RejectedRow {
    let mut start = 0;
    let cells = raw
        .ends
        .iter()
        .map(|&end| &raw.bytes[std::mem::replace(&mut start, end)..end]);
    let bad = cells
        .enumerate()
        .find(|(_, cell)| std::str::from_utf8(cell).is_err());
    let (at, cell) = bad.unwrap_or((0, raw.bytes));
    RejectedRow {
        line: raw.line,
        column: name(at),
        value: shorten(&String::from_utf8_lossy(cell)),
        reason: RejectReason::NotUtf8,
    }
}

/// At most so much of a value as a report shows.
pub(crate) fn shorten(value: &str) -> String {
    let mut end = value.len().min(RejectedRow::VALUE_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].to_owned()
}
