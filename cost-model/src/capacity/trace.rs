//! When did real requests come, and how much work were they?

use std::io;

use jiff::civil::DateTime;

use super::{Arrival, CapacityError};

/// A request for a language model: when it came, and its tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TokenRequest {
    /// Seconds since the first request.
    pub at_seconds: f64,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
}

/// How quickly a server reads and writes tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TokenSpeed {
    input_per_second: f64,
    output_per_second: f64,
}

impl TokenSpeed {
    /// So many tokens of prompts and of answers a second, for one request.
    ///
    /// # Errors
    /// [`CapacityError::Value`] for what is not above zero.
    pub fn new(input_per_second: f64, output_per_second: f64) -> Result<TokenSpeed, CapacityError> {
        super::check_positive("input tokens a second", input_per_second)?;
        super::check_positive("output tokens a second", output_per_second)?;
        Ok(TokenSpeed {
            input_per_second,
            output_per_second,
        })
    }

    /// The requests with the time that a server needs for each.
    #[must_use]
    pub fn arrivals(&self, requests: &[TokenRequest]) -> Vec<Arrival> {
        let arrival = |request: &TokenRequest| Arrival {
            at_seconds: request.at_seconds,
            service_seconds: request.input_tokens as f64 / self.input_per_second
                + request.output_tokens as f64 / self.output_per_second,
        };
        requests.iter().map(arrival).collect()
    }
}

/// Reads requests from CSV with the columns `TIMESTAMP`, `ContextTokens` and `GeneratedTokens`, in
/// the order of their times: the form of the LLM inference traces in Azure/AzurePublicDataset.
///
/// ```
/// use bursar_cost_model::capacity::{TokenSpeed, read_token_requests};
///
/// let csv = "\
/// TIMESTAMP,ContextTokens,GeneratedTokens
/// 2023-11-16 18:17:03.9799600,4808,10
/// 2023-11-16 18:17:04.4799600,3180,80
/// ";
/// let requests = read_token_requests(csv.as_bytes())?;
/// let arrivals = TokenSpeed::new(1_000.0, 40.0)?.arrivals(&requests);
/// assert_eq!(arrivals[1].at_seconds, 0.5);
/// assert_eq!(arrivals[1].service_seconds, 3.18 + 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`TraceError`] names the line and the column at fault.
pub fn read_token_requests(reader: impl io::Read) -> Result<Vec<TokenRequest>, TraceError> {
    let mut csv = csv::Reader::from_reader(reader);
    let headers = csv.headers()?.clone();
    let column = |name: &'static str| {
        let found = headers.iter().position(|header| header.trim() == name);
        found.ok_or(TraceError::MissingColumn(name))
    };
    let (at, input, output) = (column(TIMESTAMP)?, column(INPUT)?, column(OUTPUT)?);
    let mut first: Option<DateTime> = None;
    let mut requests: Vec<TokenRequest> = Vec::new();
    for record in csv.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or("").trim();
        let wrong = |column, value: &str| TraceError::Cell {
            line,
            column,
            value: value.to_owned(),
        };
        let tokens = |at: usize, column| cell(at).parse().map_err(|_| wrong(column, cell(at)));
        let time: DateTime = cell(at).parse().map_err(|_| wrong(TIMESTAMP, cell(at)))?;
        let start = *first.get_or_insert(time);
        let at_seconds = time.duration_since(start).as_secs_f64();
        if requests
            .last()
            .is_some_and(|last| at_seconds < last.at_seconds)
        {
            return Err(TraceError::Order { line });
        }
        requests.push(TokenRequest {
            at_seconds,
            input_tokens: tokens(input, INPUT)?,
            output_tokens: tokens(output, OUTPUT)?,
        });
    }
    Ok(requests)
}

const TIMESTAMP: &str = "TIMESTAMP";
const INPUT: &str = "ContextTokens";
const OUTPUT: &str = "GeneratedTokens";

/// Why a trace could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The text is no CSV, or cannot be read.
    #[error("cannot read the trace: {0}")]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error(
        "the header has no column `{0}`: a trace has `TIMESTAMP`, `ContextTokens` and `GeneratedTokens`"
    )]
    MissingColumn(&'static str),
    /// A cell is no time or number of tokens.
    #[error("line {line}, column `{column}`: `{value}` is no {}", if *column == TIMESTAMP { "time" } else { "number of tokens" })]
    Cell {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is in the cell.
        value: String,
    },
    /// A request comes before the one above it.
    #[error("line {line}: the request comes before the one above it: sort the trace by time")]
    Order {
        /// The line, from 1.
        line: u64,
    },
}
