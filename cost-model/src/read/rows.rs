//! How is a block parsed into rows of cells? By `csv-core`, the parser of the `csv` crate.

use csv_core::ReadRecordResult;

use super::blocks::{Block, Ending};
use super::cell::{CellProblem, Memo};
use super::decode::Decoder;
use super::{RejectReason, RejectedRow, Row};
use crate::cells::Cells;

/// Parses the rows of one block after another; its buffers are used again.
pub(crate) struct Rows {
    core: csv_core::Reader,
    block: Block,
    /// How much of the block has been parsed.
    at: usize,
    /// Line ends before the row that csv-core skipped or that came before `core` started.
    lines_before: u64,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    n_cells: usize,
    line: u64,
    memo: Memo,
}

impl Rows {
    pub(crate) fn new(delimiter: u8) -> Rows {
        Rows {
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            block: Block {
                bytes: Vec::new(),
                first_line: 1,
                ending: Ending::Whole,
            },
            at: 0,
            lines_before: 0,
            text: Vec::new(),
            text_len: 0,
            ends: vec![0; 128],
            n_cells: 0,
            line: 0,
            memo: Memo::new(),
        }
    }

    /// Goes on with another block.
    pub(crate) fn start(&mut self, block: Block) {
        self.core.reset();
        self.at = 0;
        self.lines_before = block.first_line - 1;
        // A cell is never longer than its source, so the row fits without growing.
        if self.text.len() < block.bytes.len() {
            self.text.resize(block.bytes.len(), 0);
        }
        self.block = block;
    }

    /// The bytes of the block, for use as the next one's buffer.
    pub(crate) fn recycle(&mut self) -> Vec<u8> {
        self.take_block().bytes
    }

    /// How many bytes of the block have been parsed.
    pub(crate) fn parsed(&self) -> usize {
        self.at
    }

    /// Parses the next row; `false` at the end of the block.
    pub(crate) fn advance(&mut self) -> bool {
        // No block, or one that was taken back, has no next row.
        if self.at >= self.block.bytes.len() {
            return false;
        }
        self.skip_blank_lines();
        self.line = self.lines_before + self.core.line();
        (self.text_len, self.n_cells) = (0, 0);
        loop {
            let (result, read, wrote, ended) = self.core.read_record(
                &self.block.bytes[self.at..],
                &mut self.text[self.text_len..],
                &mut self.ends[self.n_cells..],
            );
            self.at += read;
            self.text_len += wrote;
            self.n_cells += ended;
            match result {
                ReadRecordResult::Record => return true,
                ReadRecordResult::End => return false,
                // The next turn has no input left, which ends the row.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2 + 64, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
    }

    /// Skips what csv-core would, so that the row's line is that of its first character.
    fn skip_blank_lines(&mut self) {
        while let Some(&byte @ (b'\n' | b'\r')) = self.block.bytes.get(self.at) {
            self.lines_before += u64::from(byte == b'\n');
            self.at += 1;
        }
    }

    /// The block that is being parsed; what is left of it is forgotten.
    pub(crate) fn take_block(&mut self) -> Block {
        self.at = 0;
        let empty = Block {
            bytes: Vec::new(),
            first_line: 1,
            ending: Ending::Whole,
        };
        self.at = 0;
        std::mem::replace(&mut self.block, empty)
    }

    /// The cells of the current row, if they are text.
    pub(crate) fn cells(&self) -> Option<Cells<'_>> {
        text_cells(&self.text[..self.text_len], &self.ends[..self.n_cells])
    }

    /// The current row as a record, or why it is none.
    pub(crate) fn row<'a>(&'a mut self, decoder: &'a Decoder) -> Row<'a> {
        // Field by field, so that the memo can be written while the cells are read.
        let Rows {
            text,
            text_len,
            ends,
            n_cells,
            memo,
            ..
        } = self;
        let line = self.line;
        let bytes = &text[..*text_len];
        let ends = &ends[..*n_cells];
        let layout = &decoder.layout;
        let Some(cells) = text_cells(bytes, ends) else {
            return Row::Rejected(not_utf8(line, bytes, ends, |at| layout.name(at)));
        };
        let broken = match self.block.ending {
            Ending::Whole => None,
            Ending::OpenQuote => Some(RejectReason::OpenQuote),
            Ending::CutOff => Some(RejectReason::CutOff),
        };
        let reject = |at: usize, reason| {
            let value = cells
                .get(at)
                .or_else(|| cells.get(cells.len().saturating_sub(1)));
            RejectedRow {
                line,
                column: layout.name(at),
                value: shorten(value.unwrap_or("")),
                reason,
            }
        };
        if let Some(reason) = broken.filter(|_| self.at == self.block.bytes.len()) {
            return Row::Rejected(reject(cells.len().saturating_sub(1), reason));
        }
        if cells.len() != layout.width() {
            let (have, want) = (cells.len(), layout.width());
            return Row::Rejected(reject(have.min(want), RejectReason::Cells { have, want }));
        }
        match decoder.decode(cells, memo) {
            Ok(mut record) => {
                record.line = Some(line);
                Row::Record(record)
            }
            Err(CellProblem { at, reason }) => Row::Rejected(reject(at, reason)),
        }
    }
}

#[inline]
fn text_cells<'a>(bytes: &'a [u8], ends: &'a [usize]) -> Option<Cells<'a>> {
    let text = std::str::from_utf8(bytes).ok()?;
    // Two broken characters can make a whole one across the border of their cells.
    let split = !text.is_ascii() && ends.iter().any(|&end| !text.is_char_boundary(end));
    (!split).then_some(Cells::new(text, ends))
}

/// The rejection of a row with a cell that is not UTF-8.
#[cold]
fn not_utf8(
    line: u64,
    bytes: &[u8],
    ends: &[usize],
    name: impl Fn(usize) -> String,
) -> RejectedRow {
    let mut start = 0;
    let cells = ends
        .iter()
        .map(|&end| &bytes[std::mem::replace(&mut start, end)..end]);
    let bad = cells
        .enumerate()
        .find(|(_, cell)| std::str::from_utf8(cell).is_err());
    let (at, cell) = bad.unwrap_or((0, bytes));
    RejectedRow {
        line,
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
