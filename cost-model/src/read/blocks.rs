//! How is a stream of CSV cut into blocks of whole rows?
//!
//! Rows can only be told apart by knowing which line ends stand inside quotes, which is decided
//! from the start of the file on. This pass does just that, at the speed of searching for
//! quotes, so that the blocks can then be parsed by several threads.

use std::io::{self, Read};

/// How much a block holds at least, unless the input ends: large enough that a block's overhead
/// vanishes, small enough that several fit the caches of a core.
const BLOCK_BYTES: usize = 512 * 1024;

/// The longest row that is searched for its end. A quote that is not closed by then is taken
/// for a damaged row, not for a reason to read the rest of the file into memory.
const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

/// Whole rows, and how the last of them ends.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// The line of the file, from 1, on which the block starts.
    pub(crate) first_line: u64,
    pub(crate) ending: Ending,
}

/// How the last row of a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a line end, or with the input.
    Whole,
    /// Inside a quote that nothing closes. The block is the one line that opens it.
    OpenQuote,
    /// In the middle, because the input failed.
    CutOff,
}

/// Cuts an input into blocks.
pub(crate) struct Blocks<'r> {
    input: Box<dyn Read + Send + 'r>,
    delimiter: u8,
    /// What has been read and not yet handed out; it starts where a row starts.
    carry: Vec<u8>,
    /// The line on which `carry` starts.
    line: u64,
    ended: bool,
    failure: Option<io::Error>,
}

impl<'r> Blocks<'r> {
    pub(crate) fn new(input: Box<dyn Read + Send + 'r>) -> Blocks<'r> {
        Blocks {
            input,
            delimiter: b',',
            carry: Vec::new(),
            line: 1,
            ended: false,
            failure: None,
        }
    }

    /// Why the input ended before its end, and on which line; at the end.
    pub(crate) fn failure(&self) -> Option<(u64, &io::Error)> {
        self.failure.as_ref().map(|error| (self.line, error))
    }

    /// The separator of cells.
    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The first bytes of the input, before any block was taken.
    pub(crate) fn peek(&mut self) -> &[u8] {
        let mut carry = std::mem::take(&mut self.carry);
        self.fill(&mut carry, BLOCK_BYTES);
        self.carry = carry;
        &self.carry
    }

    /// Forgets the first bytes of what was peeked at.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.line += lines(&self.carry[..bytes]);
        self.carry.drain(..bytes);
    }

    pub(crate) fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// The next rows; `None` at the end. The buffer is one that is no longer needed.
    pub(crate) fn next(&mut self, mut buffer: Vec<u8>) -> Option<Block> {
        buffer.clear();
        std::mem::swap(&mut buffer, &mut self.carry);
        let mut want = BLOCK_BYTES;
        loop {
            self.fill(&mut buffer, want);
            if buffer.is_empty() {
                return None;
            }
            let scan = scan(&buffer, self.delimiter);
            if self.ended && !scan.open_quote {
                let whole = self.failure.is_none() || scan.rows_end == buffer.len();
                let ending = if whole { Ending::Whole } else { Ending::CutOff };
                let end = buffer.len();
                return Some(self.take(buffer, end, ending));
            }
            if scan.rows_end > 0 {
                return Some(self.take(buffer, scan.rows_end, Ending::Whole));
            }
            if self.ended || buffer.len() >= MAX_ROW_BYTES {
                let line_end = memchr::memchr(b'\n', &buffer).map_or(buffer.len(), |at| at + 1);
                return Some(self.take(buffer, line_end, Ending::OpenQuote));
            }
            want = buffer.len() * 2;
        }
    }

    /// Takes a block back, without its first bytes: the rest is handed out again.
    pub(crate) fn put_back(&mut self, mut block: Block, parsed: usize) {
        self.line = block.first_line + lines(&block.bytes[..parsed]);
        block.bytes.drain(..parsed);
        block.bytes.append(&mut self.carry);
        self.carry = block.bytes;
    }

    /// Hands out the first bytes of the buffer and keeps the rest.
    fn take(&mut self, mut buffer: Vec<u8>, end: usize, ending: Ending) -> Block {
        self.carry.clear();
        self.carry.extend_from_slice(&buffer[end..]);
        buffer.truncate(end);
        let first_line = self.line;
        self.line += lines(&buffer);
        Block {
            bytes: buffer,
            first_line,
            ending,
        }
    }

    /// Reads until the buffer holds so many bytes or the input ends.
    fn fill(&mut self, buffer: &mut Vec<u8>, want: usize) {
        let missing = want.saturating_sub(buffer.len());
        if self.ended || missing == 0 {
            return;
        }
        buffer.reserve(missing);
        match self.input.by_ref().take(missing as u64).read_to_end(buffer) {
            Ok(read) => self.ended = read < missing,
            Err(error) => {
                // What was read before the failure stays in the buffer.
                self.ended = true;
                self.failure = Some(error);
            }
        }
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// What a pass over bytes that start with a row found.
struct Scan {
    /// Where the last row that ends in a line end ends; 0 if none does.
    rows_end: usize,
    /// Whether the bytes end inside a quote.
    open_quote: bool,
}

/// Finds the last line end outside quotes, by the rules of `csv-core`: a quote opens a quoted
/// cell only at the start of a cell, two quotes inside one are a quote, and after the closing
/// quote the cell goes on unquoted.
fn scan(bytes: &[u8], delimiter: u8) -> Scan {
    let mut rows_end = 0;
    // The first byte after the last quoted cell, and where the quote that is open opened.
    let mut outside = 0;
    let mut open = false;
    let mut escaped = usize::MAX;
    for at in memchr::memchr_iter(b'"', bytes) {
        if open {
            if at == escaped {
                continue;
            }
            if bytes.get(at + 1) == Some(&b'"') {
                escaped = at + 1;
                continue;
            }
            open = false;
            outside = at + 1;
            continue;
        }
        let opens = at == 0 || matches!(bytes[at - 1], b'\n' | b'\r') || bytes[at - 1] == delimiter;
        if opens {
            open = true;
            // Between two quoted cells of one row stands a lone delimiter.
            match &bytes[outside..at] {
                [byte] if *byte != b'\n' => {}
                between => {
                    if let Some(line_end) = memchr::memrchr(b'\n', between) {
                        rows_end = outside + line_end + 1;
                    }
                }
            }
        }
    }
    if !open && let Some(line_end) = memchr::memrchr(b'\n', &bytes[outside..]) {
        rows_end = outside + line_end + 1;
    }
    Scan {
        rows_end,
        open_quote: open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, rows_end: usize, open_quote: bool) {
        let scan = scan(text.as_bytes(), b',');
        assert_eq!(
            (scan.rows_end, scan.open_quote),
            (rows_end, open_quote),
            "{text:?}"
        );
    }

    #[test]
    fn finds_the_last_line_end_outside_quotes() {
        check("a,b\nc,d", 4, false);
        check("a,\"x\ny\"\nc", 8, false);
        check("\"a\"\n\"b\"\n", 8, false);
        check("a,\"x\ny", 0, true);
        check("a\n\"x\ny", 2, true);
        check("a,\"x\"\"\ny\"\n", 10, false);
        check("a,\"\"\nb", 5, false);
        check("a,\"\"\"\n\"\nb", 8, false);
    }

    #[test]
    fn takes_a_quote_inside_a_cell_as_text() {
        check("5\" disk,1\nb", 10, false);
        check("a,b\"\nc\"\n", 8, false);
        check("a,\"b\"c\"\nd", 8, false);
    }
}
