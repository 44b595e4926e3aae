//! How is a whole file read: row by row, or by several threads at once?

use std::io::{Cursor, Read};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::decode::{self, Decoder};
use super::rows::{Rows, shorten, text_cells};
use super::tokens::Tokens;
use super::{FileProblem, Format, ReadError, ReadOptions, Row};

/// Reads the rows of one bill file, plain or gzip, in constant memory.
///
/// ```
/// use bursar_cost_model::{BillReader, ExactSum, ReadOptions, Row};
///
/// let file = "\
/// BilledCost,BillingCurrency,ChargePeriodStart,ServiceName
/// 119.81,USD,2024-02-01T00:00:00Z,Amazon Elastic Compute Cloud
/// 68.54,USD,2024-02-01T00:00:00Z,Amazon Bedrock
/// oops,USD,2024-02-02T00:00:00Z,Amazon Bedrock
/// ";
/// let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default())?;
/// let mut billed = ExactSum::ZERO;
/// while let Some(row) = reader.next_row() {
///     match row {
///         Row::Record(record) => billed.add(record.billed_cost.unwrap_or_default())?,
///         Row::Rejected(rejected) => assert_eq!((rejected.line, rejected.column.as_str()), (4, "BilledCost")),
///     }
/// }
/// assert_eq!(billed.to_string(), "188.35");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BillReader<'r> {
    tokens: Tokens<'r>,
    rows: Rows,
    /// `None` when the file is empty: it has no header, and no rows.
    decoder: Option<Decoder>,
    problems: Vec<FileProblem>,
    ended: bool,
}

/// What the threads of [`BillReader::fold`] gathered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Folded<A> {
    /// What each thread gathered, in no order that means anything.
    pub parts: Vec<A>,
    /// What is wrong with the file as a whole.
    pub problems: Vec<FileProblem>,
}

/// Some exports put a title above the header.
const MAX_TITLE_LINES: usize = 4;

impl<'r> BillReader<'r> {
    /// Opens a bill: undoes gzip, skips a byte order mark, reads the header and finds the format.
    ///
    /// # Errors
    /// [`ReadError`] when the input cannot be read or is no bill that is known. A header that
    /// lacks a column is no error: see [`problems`](BillReader::problems).
    pub fn new(
        input: impl Read + Send + 'r,
        options: &ReadOptions,
    ) -> Result<BillReader<'r>, ReadError> {
        let mut tokens = Tokens::new(decompressed(input)?);
        let start = tokens.peek();
        if start.starts_with(b"\xEF\xBB\xBF") {
            tokens.skip(3);
        } else if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
            return Err(ReadError::Unsupported("UTF-16 text; convert it to UTF-8"));
        }
        let delimiter = sniff_delimiter(tokens.peek());
        tokens.set_delimiter(delimiter);
        let mut reader = BillReader {
            tokens,
            rows: Rows::new(),
            decoder: None,
            problems: Vec::new(),
            ended: false,
        };
        reader.read_header(options)?;
        Ok(reader)
    }

    /// Finds the header among the first lines.
    fn read_header(&mut self, options: &ReadOptions) -> Result<(), ReadError> {
        let not_utf8 = ReadError::Unsupported("not UTF-8 where its header is; convert it to UTF-8");
        let mut first = None;
        let mut all_text = true;
        for _ in 0..=MAX_TITLE_LINES {
            let names = match self.header_line() {
                None => break,
                Some(Some(names)) => names,
                // A title may be, but not the header, which is the first line of a stated format.
                Some(None) if options.format.is_none() => {
                    all_text = false;
                    continue;
                }
                Some(None) => return Err(not_utf8),
            };
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            match options.format.or_else(|| decode::detect(&names)) {
                Some(format) => {
                    let (decoder, problems) = Decoder::new(format, &names, options);
                    self.decoder = Some(decoder);
                    self.problems = problems;
                    return Ok(());
                }
                None => first = first.or_else(|| Some(shorten(&names.join(", ")))),
            }
        }
        if let Some((_, error)) = self.tokens.failure() {
            return Err(std::io::Error::new(error.kind(), error.to_string()).into());
        }
        match first {
            _ if !all_text => Err(not_utf8),
            Some(names) => Err(ReadError::UnknownFormat(names)),
            None => {
                self.problems.push(FileProblem {
                    line: 1,
                    column: String::new(),
                    reason: "the file is empty: it has not even a header".to_owned(),
                });
                Ok(())
            }
        }
    }

    /// The cells of the next line, trimmed, or `None` where it is not text; `None` when there is
    /// no line.
    fn header_line(&mut self) -> Option<Option<Vec<String>>> {
        if !self.tokens.fill_one(&mut self.rows.batch) {
            return None;
        }
        self.rows.finish();
        let cells = text_cells(self.rows.batch.row(0));
        Some(cells.map(|cells| {
            let names = (0..cells.len()).filter_map(|at| cells.get(at));
            names.map(|name| name.trim().to_owned()).collect()
        }))
    }

    /// The format of the file; `None` when it is empty.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        self.decoder.as_ref().map(|decoder| decoder.format)
    }

    /// What is wrong with the file as a whole: at first what the header lacks, after the last
    /// row also whether the input broke off.
    #[must_use]
    pub fn problems(&self) -> &[FileProblem] {
        &self.problems
    }

    /// Where the input failed before its end; known after the last row.
    pub(crate) fn broken_off(&self) -> Option<FileProblem> {
        broken_off(&self.tokens)
    }

    /// The next row; `None` after the last, also when the input broke off there.
    pub fn next_row(&mut self) -> Option<Row<'_>> {
        if self.ended || self.decoder.is_none() {
            return None;
        }
        while !self.rows.advance() {
            if !self.tokens.fill(&mut self.rows.batch) {
                self.ended = true;
                self.problems.extend(broken_off(&self.tokens));
                return None;
            }
            self.rows.restart();
        }
        let decoder = self.decoder.as_ref()?;
        Some(self.rows.row(decoder))
    }

    /// Reads the rest of the file with several threads: each starts from `make()` and is shown
    /// every row of the batches that it gets, until one breaks.
    ///
    /// Which thread sees a row, and in which order, is not defined; gather what does not depend
    /// on it, such as exact sums. After a break, batches that were begun are finished, so that
    /// every row before the breaking one has been shown to some thread.
    pub fn fold<A: Send>(
        mut self,
        threads: NonZeroUsize,
        make: impl Fn() -> A + Sync,
        each: impl Fn(&mut A, Row<'_>) -> ControlFlow<()> + Sync,
    ) -> Folded<A> {
        let Some(decoder) = self.decoder.take() else {
            return Folded {
                parts: vec![make()],
                problems: self.problems,
            };
        };
        let tokens = Mutex::new(self.tokens);
        let stop = AtomicBool::new(false);
        let work = || {
            let mut rows = Rows::new();
            let mut gathered = make();
            while !stop.load(Ordering::Relaxed) {
                let mut turn = tokens.lock().unwrap_or_else(PoisonError::into_inner);
                if !turn.fill(&mut rows.batch) {
                    break;
                }
                drop(turn);
                rows.restart();
                while rows.advance() {
                    if each(&mut gathered, rows.row(&decoder)).is_break() {
                        stop.store(true, Ordering::Relaxed);
                        break;
                    }
                }
            }
            gathered
        };
        let parts = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads.get()).map(|_| scope.spawn(work)).collect();
            let mut parts = vec![work()];
            for other in others {
                match other.join() {
                    Ok(part) => parts.push(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            parts
        });
        let tokens = tokens.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.problems.extend(broken_off(&tokens));
        Folded {
            parts,
            problems: self.problems,
        }
    }
}

impl std::fmt::Debug for BillReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BillReader")
            .field("format", &self.format())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// The problem of an input that failed before its end.
fn broken_off(tokens: &Tokens<'_>) -> Option<FileProblem> {
    tokens.failure().map(|(line, error)| FileProblem {
        line,
        column: String::new(),
        reason: format!("the input breaks off here: {error}"),
    })
}

/// The input without its gzip; other containers are named, not guessed at.
fn decompressed<'r>(
    mut input: impl Read + Send + 'r,
) -> Result<Box<dyn Read + Send + 'r>, ReadError> {
    let mut magic = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut magic)?;
    let kind = magic.as_slice();
    if kind.starts_with(b"PAR1") {
        return Err(ReadError::Unsupported(
            "a Parquet file; read it with `ParquetBill` (feature `parquet`)",
        ));
    }
    if kind.starts_with(b"PK\x03\x04") {
        return Err(ReadError::Unsupported("a ZIP archive; unpack it first"));
    }
    let gzip = kind.starts_with(b"\x1F\x8B");
    let whole = Cursor::new(magic).chain(input);
    if gzip {
        gunzip(whole)
    } else {
        Ok(Box::new(whole))
    }
}

#[cfg(feature = "gzip")]
fn gunzip<'r>(input: impl Read + Send + 'r) -> Result<Box<dyn Read + Send + 'r>, ReadError> {
    Ok(Box::new(flate2::read::MultiGzDecoder::new(input)))
}

#[cfg(not(feature = "gzip"))]
fn gunzip<'r>(_input: impl Read + Send + 'r) -> Result<Box<dyn Read + Send + 'r>, ReadError> {
    Err(ReadError::Unsupported(
        "gzip, and this build is without the feature `gzip`",
    ))
}

/// The separator that the first line uses most; a comma unless another is.
fn sniff_delimiter(start: &[u8]) -> u8 {
    let line_end = memchr::memchr(b'\n', start).unwrap_or(start.len());
    let count = |byte: u8| memchr::memchr_iter(byte, &start[..line_end]).count();
    let candidates = [b',', b';', b'\t', b'|'];
    // The first of several with the same count: a comma if there is any doubt.
    candidates
        .into_iter()
        .rev()
        .max_by_key(|&byte| count(byte))
        .unwrap_or(b',')
}
