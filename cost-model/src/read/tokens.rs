//! How is a stream of bytes cut into rows of cells?
//!
//! By `csv-core`, the state machine of the `csv` crate, batch by batch: where a row ends is only
//! known when the rows before it have been parsed, so this is the one step that several threads
//! take in turn. Understanding the cells, which costs more, they do side by side.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

use super::RejectReason;

/// How much text a batch holds: it stays in the cache of the core that fills and then reads it.
const BATCH_BYTES: usize = 128 * 1024;

/// How much is read at once.
const READ_BYTES: usize = 128 * 1024;

/// The longest row. A quote that is not closed by then is taken for a damaged row, not for a
/// reason to read the rest of the file into memory.
const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

/// Rows of cells; used again and again.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    n_ends: usize,
    rows: Vec<Span>,
}

/// Where a row stands in its batch, and in the file.
#[derive(Debug, Clone)]
struct Span {
    text: usize,
    ends: usize,
    line: u64,
    /// Why the row is not one, as far as the tokens tell.
    broken: Option<RejectReason>,
}

/// One row of a batch: bytes, and where each cell of them ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawRow<'b> {
    pub(crate) bytes: &'b [u8],
    pub(crate) ends: &'b [usize],
    pub(crate) line: u64,
    pub(crate) broken: Option<&'b RejectReason>,
}

impl Batch {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row at this place, from 0.
    #[inline]
    pub(crate) fn row(&self, at: usize) -> RawRow<'_> {
        let span = &self.rows[at];
        let next = self.rows.get(at + 1);
        let text_end = next.map_or(self.text_len, |next| next.text);
        let ends_end = next.map_or(self.n_ends, |next| next.ends);
        RawRow {
            bytes: &self.text[span.text..text_end],
            ends: &self.ends[span.ends..ends_end],
            line: span.line,
            broken: span.broken.as_ref(),
        }
    }

    fn clear(&mut self) {
        (self.text_len, self.n_ends) = (0, 0);
        self.rows.clear();
    }

    /// Forgets the last row.
    fn drop_row(&mut self) {
        if let Some(span) = self.rows.pop() {
            (self.text_len, self.n_ends) = (span.text, span.ends);
        }
    }
}

/// Cuts an input into batches of rows.
pub(crate) struct Tokens<'r> {
    input: Box<dyn Read + Send + 'r>,
    core: csv_core::Reader,
    delimiter: u8,
    buffer: Vec<u8>,
    /// Where the row that is being parsed starts, how far it has been parsed, and how far the
    /// buffer has been filled.
    start: usize,
    at: usize,
    filled: usize,
    /// Line ends that `core` has not counted.
    lines_before: u64,
    ended: bool,
    failure: Option<io::Error>,
    /// The text that the last row without an end had swallowed.
    swallowed: Option<Swallowed>,
}

/// Text of the buffer that a row took for one quoted cell after another until it was given up.
#[derive(Debug)]
struct Swallowed {
    end: usize,
    reason: RejectReason,
}

impl<'r> Tokens<'r> {
    pub(crate) fn new(input: Box<dyn Read + Send + 'r>) -> Tokens<'r> {
        Tokens {
            input,
            core: csv_core::Reader::new(),
            delimiter: b',',
            buffer: vec![0; READ_BYTES],
            start: 0,
            at: 0,
            filled: 0,
            lines_before: 0,
            ended: false,
            failure: None,
            swallowed: None,
        }
    }

    /// Why the input ended before its end, and on which line; at the end.
    pub(crate) fn failure(&self) -> Option<(u64, &io::Error)> {
        let line = self.lines_before + self.core.line();
        self.failure.as_ref().map(|error| (line, error))
    }

    /// The first bytes of the input, before any row was taken.
    pub(crate) fn peek(&mut self) -> &[u8] {
        while self.filled < self.buffer.len() && self.read_more() {}
        &self.buffer[self.at..self.filled]
    }

    /// Forgets the first bytes, which are no line ends.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.filled);
    }

    /// The separator of cells, to be set before any row is taken.
    pub(crate) fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
        self.core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    }

    /// Fills a batch with the next rows; `false` when there are none.
    pub(crate) fn fill(&mut self, batch: &mut Batch) -> bool {
        self.fill_rows(batch, usize::MAX)
    }

    /// Fills a batch with the next row alone; `false` when there is none.
    pub(crate) fn fill_one(&mut self, batch: &mut Batch) -> bool {
        self.fill_rows(batch, 1)
    }

    fn fill_rows(&mut self, batch: &mut Batch, most: usize) -> bool {
        batch.clear();
        while batch.text_len < BATCH_BYTES && batch.rows.len() < most {
            if !self.row(batch) {
                break;
            }
        }
        batch.len() > 0
    }

    /// Parses the next row; `false` at the end.
    fn row(&mut self, batch: &mut Batch) -> bool {
        self.skip_blank_lines();
        self.start = self.at;
        let line = self.lines_before + self.core.line();
        batch.rows.push(Span {
            text: batch.text_len,
            ends: batch.n_ends,
            line,
            broken: None,
        });
        if batch.text.len() < batch.text_len + READ_BYTES {
            batch.text.resize(batch.text_len + 2 * READ_BYTES, 0);
        }
        if batch.ends.len() < batch.n_ends + 128 {
            batch.ends.resize(batch.n_ends + 8192, 0);
        }
        if let Some(reason) = self.known_to_have_no_end() {
            self.reject_line(batch, reason);
            return true;
        }
        loop {
            let (result, read, wrote, ended) = self.core.read_record(
                &self.buffer[self.at..self.filled],
                &mut batch.text[batch.text_len..],
                &mut batch.ends[batch.n_ends..],
            );
            self.at += read;
            batch.text_len += wrote;
            batch.n_ends += ended;
            match result {
                ReadRecordResult::Record => {
                    if self.ended && self.at == self.filled {
                        self.check_last_row(batch);
                    }
                    return true;
                }
                ReadRecordResult::End => {
                    batch.drop_row();
                    return false;
                }
                ReadRecordResult::InputEmpty if self.at - self.start >= MAX_ROW_BYTES => {
                    self.give_up_row(batch);
                    return true;
                }
                // Without more, the next turn has no input, which ends the row.
                ReadRecordResult::InputEmpty => drop(self.read_more()),
                ReadRecordResult::OutputFull => batch.text.resize(batch.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => batch.ends.resize(batch.ends.len() * 2, 0),
            }
        }
    }

    /// Skips what csv-core would, so that a row's line is that of its first character.
    fn skip_blank_lines(&mut self) {
        loop {
            match self.buffer[..self.filled].get(self.at) {
                Some(&byte @ (b'\n' | b'\r')) => {
                    self.lines_before += u64::from(byte == b'\n');
                    self.at += 1;
                }
                Some(_) => return,
                None => {
                    self.start = self.at;
                    if !self.read_more() {
                        return;
                    }
                }
            }
        }
    }

    /// The row that the end of the input ended: whole, cut off, or inside a quote.
    fn check_last_row(&mut self, batch: &mut Batch) {
        let row = &self.buffer[self.start..self.at];
        if ends_in_quote(row, self.delimiter) {
            self.give_up_row(batch);
        } else if self.failure.is_some()
            && !row.ends_with(b"\n")
            && let Some(span) = batch.rows.last_mut()
        {
            span.broken = Some(RejectReason::CutOff);
        }
    }

    /// Gives up the row that is being parsed: its first line is rejected, and what its open quote
    /// has swallowed behind that are rows.
    fn give_up_row(&mut self, batch: &mut Batch) {
        let row = &self.buffer[self.start..self.at];
        let reason = if ends_in_quote(row, self.delimiter) {
            RejectReason::OpenQuote
        } else {
            RejectReason::TooLong(MAX_ROW_BYTES)
        };
        self.swallowed = Some(Swallowed {
            end: self.at,
            reason: reason.clone(),
        });
        self.reject_line(batch, reason);
    }

    /// Why the row that begins here is known to have no end, without looking for it again.
    ///
    /// Every line end that a given-up row swallowed was inside a quote, or it would have ended
    /// the row. A row that comes inside a quote to one of them goes on as that row did. Without
    /// this, a file of open quotes would be read to its end for each of its lines.
    fn known_to_have_no_end(&self) -> Option<RejectReason> {
        let Swallowed { end, reason } = self.swallowed.as_ref()?;
        let text = self.buffer.get(self.start..*end)?;
        let line = &text[..memchr::memchr2(b'\r', b'\n', text)?];
        ends_in_quote(line, self.delimiter).then(|| reason.clone())
    }

    /// Rejects the line on which the row starts, and goes on behind it.
    fn reject_line(&mut self, batch: &mut Batch, reason: RejectReason) {
        let Some(span) = batch.rows.last_mut() else {
            return;
        };
        span.broken = Some(reason);
        let text = &self.buffer[self.start..self.filled];
        let line_end = memchr::memchr(b'\n', text);
        let length = line_end.map_or(text.len(), |at| at + 1);
        // The line alone, with its cells: parsed once more, now with an end.
        (batch.text_len, batch.n_ends) = (span.text, span.ends);
        let (line, mut at) = (span.line, self.start);
        let end = self.start + length;
        self.core.reset();
        loop {
            let (result, read, wrote, ended) = self.core.read_record(
                &self.buffer[at..end],
                &mut batch.text[batch.text_len..],
                &mut batch.ends[batch.n_ends..],
            );
            at += read;
            batch.text_len += wrote;
            batch.n_ends += ended;
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => batch.text.resize(batch.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => batch.ends.resize(batch.ends.len() * 2, 0),
            }
        }
        self.at = end;
        if line_end.is_none() {
            self.skip_line();
        }
        self.core.reset();
        // `core` counts from 1 again, on the line behind.
        self.lines_before = line;
    }

    /// Goes behind the next line end, without keeping what comes before it.
    fn skip_line(&mut self) {
        loop {
            let rest = &self.buffer[self.at..self.filled];
            if let Some(at) = memchr::memchr(b'\n', rest) {
                self.at += at + 1;
                return;
            }
            (self.start, self.at) = (self.filled, self.filled);
            if !self.read_more() {
                return;
            }
        }
    }

    /// Reads more behind what the buffer holds of the current row; `false` at the end.
    fn read_more(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.at -= self.start;
            let moved = self.start;
            self.swallowed = self.swallowed.take().and_then(|swallowed| {
                let end = swallowed.end.checked_sub(moved)?;
                Some(Swallowed { end, ..swallowed })
            });
            self.start = 0;
        }
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    // What was read before the failure is still to be parsed.
                    self.ended = true;
                    self.failure = Some(error);
                }
            }
            return !self.ended;
        }
    }
}

/// Whether a row ends inside a quoted cell, by the rules of `csv-core`: a quote opens a quoted
/// cell only at the start of a cell, two quotes inside one are a quote, and after the closing
/// quote the cell goes on unquoted.
fn ends_in_quote(row: &[u8], delimiter: u8) -> bool {
    let mut open = false;
    let mut escaped = usize::MAX;
    for at in memchr::memchr_iter(b'"', row) {
        if !open {
            open = at == 0 || row[at - 1] == delimiter;
        } else if row.get(at + 1) == Some(&b'"') && at != escaped {
            escaped = at + 1;
        } else if at != escaped {
            open = false;
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_quote_that_is_open_at_the_end() {
        for (row, open) in [
            ("a,b", false),
            ("a,\"x\ny\"", false),
            ("a,\"x\ny", true),
            ("a,\"x\"\"", true),
            ("a,\"x\"\"\"", false),
            ("a,\"\"", false),
            ("\"", true),
            ("5\" disk,b", false),
            ("a,\"b\"c\"", false),
            ("a,b\"", false),
        ] {
            assert_eq!(ends_in_quote(row.as_bytes(), b','), open, "{row:?}");
        }
    }

    #[test]
    fn rejects_lines_of_any_length_and_width_that_have_no_end() {
        // The first open quote swallows the rest; the second line is known to have no end before
        // it is parsed, and is longer and wider than a batch at first. Another thread's batch, as
        // it were, takes each row.
        let wide = ",".repeat(50_000) + &"x".repeat(1_000_000);
        let text = format!("a,\"open\nx\",{wide},\"open\n1,2\n");
        let mut tokens = Tokens::new(Box::new(text.as_bytes()));
        let mut batch = Batch::default();
        let mut rows = Vec::new();
        while tokens.fill_one(&mut batch) {
            let row = batch.row(0);
            rows.push((row.line, row.ends.len(), row.broken.is_some()));
            batch = Batch::default();
        }
        assert_eq!(rows, [(1, 2, true), (2, 50_003, true), (3, 2, false)]);
    }

    /// Hands out one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = buffer.len().min(1);
            self.0.read(&mut buffer[..n])
        }
    }

    #[test]
    fn cuts_the_same_rows_however_the_input_comes() {
        let text = "a,b\r\n\r\n\"x\ny\",\"\"\"\"\n\n1,\"open\n2,3\n4";
        let rows = |mut tokens: Tokens<'_>| {
            let mut rows = Vec::new();
            let mut batch = Batch::default();
            while tokens.fill(&mut batch) {
                for at in 0..batch.len() {
                    let row = batch.row(at);
                    let text = String::from_utf8_lossy(row.bytes).into_owned();
                    rows.push((row.line, text, row.ends.to_vec(), row.broken.cloned()));
                }
            }
            rows
        };
        let whole = rows(Tokens::new(Box::new(text.as_bytes())));
        assert_eq!(rows(Tokens::new(Box::new(Slow(text.as_bytes())))), whole);
        let lines: Vec<_> = whole
            .iter()
            .map(|(line, text, ..)| (*line, text.as_str()))
            .collect();
        assert_eq!(
            lines,
            [
                (1, "ab"),
                (3, "x\ny\""),
                (6, "1open\n"),
                (7, "23"),
                (8, "4")
            ]
        );
        assert_eq!(whole[2].3, Some(RejectReason::OpenQuote));
    }
}
