//! How is a file of the benchmark read, and written with scores?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The rows of a file.
pub(crate) struct Series {
    pub(crate) rows: Vec<Row>,
}

/// A row; the text is kept, so that it is written as it was.
pub(crate) struct Row {
    pub(crate) timestamp: String,
    pub(crate) value_text: String,
    pub(crate) value: f64,
}

/// Why a file cannot be scored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}, line {line}: `{text}` is not a timestamp and a finite number", path.display())]
    Row {
        path: PathBuf,
        line: usize,
        text: String,
    },
    #[error("{}, line 1: the columns are `{found}`, and should be `timestamp,value`", path.display())]
    Header { path: PathBuf, found: String },
}

impl Series {
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        let text = fs::read_to_string(path).map_err(|source| io_error(path, source))?;
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or("", |(_, header)| header.trim());
        if header != "timestamp,value" {
            let (path, found) = (path.to_owned(), header.to_owned());
            return Err(FileError::Header { path, found });
        }
        let row = |(index, text): (usize, &str)| {
            Row::parse(text).ok_or_else(|| FileError::Row {
                path: path.to_owned(),
                line: index + 1,
                text: text.to_owned(),
            })
        };
        let rows = lines.filter(|(_, line)| !line.is_empty()).map(row);
        Ok(Self {
            rows: rows.collect::<Result<_, _>>()?,
        })
    }

    /// The rows with their scores, in full: rounded ones would tie.
    pub(crate) fn write(&self, scores: &[f64], path: &Path) -> Result<(), FileError> {
        let mut text = String::from("timestamp,value,anomaly_score\n");
        for (row, score) in self.rows.iter().zip(scores) {
            let (timestamp, value) = (&row.timestamp, &row.value_text);
            writeln!(text, "{timestamp},{value},{score}")
                .map_err(|_| io_error(path, io::Error::other("a row cannot be formatted")))?;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| io_error(folder, source))?;
        }
        fs::write(path, text).map_err(|source| io_error(path, source))
    }
}

impl Row {
    fn parse(text: &str) -> Option<Self> {
        let (timestamp, value_text) = text.split_once(',')?;
        let value: f64 = value_text.trim().parse().ok()?;
        let row = Self {
            timestamp: timestamp.to_owned(),
            value_text: value_text.to_owned(),
            value,
        };
        (value.is_finite() && !timestamp.is_empty()).then_some(row)
    }
}

fn io_error(path: &Path, source: io::Error) -> FileError {
    let path = path.to_owned();
    FileError::Io { path, source }
}
