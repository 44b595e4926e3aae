//! Are the providers' own bill files read as they mean it, every row kept or reported?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions that are marked as tests"
)]

mod aws_cur;
mod azure;
mod detection;
mod oci;

use bursar_cost_model::{
    BillReader, CommitmentStatus, CostRecord, Exact, ExactSum, FileProblem, Format,
    InvariantChecks, InvariantOptions, ReadOptions, RejectedRow, Row, Rule,
};

/// What became of a file.
struct Bill {
    format: Option<Format>,
    records: Vec<CostRecord<'static>>,
    rejected: Vec<RejectedRow>,
    problems: Vec<FileProblem>,
}

impl Bill {
    fn read(text: &str) -> Bill {
        Bill::read_with(text, &ReadOptions::default())
    }

    fn read_with(text: &str, options: &ReadOptions) -> Bill {
        let mut reader = BillReader::new(text.as_bytes(), options).unwrap();
        let (mut records, mut rejected) = (Vec::new(), Vec::new());
        while let Some(row) = reader.next_row() {
            match row {
                Row::Record(record) => records.push(record.into_owned()),
                Row::Rejected(row) => rejected.push(row),
            }
        }
        Bill {
            format: reader.format(),
            records,
            rejected,
            problems: reader.problems().to_vec(),
        }
    }

    /// The records of a file in which every row is good.
    fn good(text: &str) -> Vec<CostRecord<'static>> {
        let bill = Bill::read(text);
        assert_eq!(bill.rejected, []);
        bill.records
    }

    /// The rejection of the only row.
    fn rejection(text: &str) -> (u64, String, String, String) {
        let bill = Bill::read(text);
        assert!(bill.records.is_empty());
        let [row] = bill.rejected.as_slice() else {
            panic!("{:?}", bill.rejected);
        };
        (
            row.line,
            row.column.clone(),
            row.value.clone(),
            row.reason.to_string(),
        )
    }

    fn lacking(text: &str) -> Vec<String> {
        let problems = Bill::read(text).problems;
        problems.into_iter().map(|p| p.column).collect()
    }
}

/// The records under this status of a commitment.
fn with_status(
    records: &[CostRecord<'static>],
    status: CommitmentStatus,
) -> Vec<CostRecord<'static>> {
    let same = |record: &&CostRecord<'_>| record.commitment_status() == Some(status);
    records.iter().filter(same).cloned().collect()
}

/// The sum of what is known.
fn sum(records: &[CostRecord<'_>], amount: impl Fn(&CostRecord<'_>) -> Option<Exact>) -> String {
    let known = records.iter().filter_map(amount);
    ExactSum::of(known).unwrap().to_string()
}

/// The sum of a column of the same bytes, by another reader.
fn column_sum(text: &str, column: &str) -> String {
    let bytes = text.as_bytes();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().unwrap().clone();
    let at = header.iter().position(|name| name == column).unwrap();
    let cells = reader.records().map(|row| row.unwrap()[at].to_owned());
    let known = cells.filter(|cell| !cell.is_empty());
    let known: Vec<Exact> = known.map(|cell| cell.parse().unwrap()).collect();
    ExactSum::of(known).unwrap().to_string()
}

/// The cells of a row, by the name of their column.
type Cells<'a> = Vec<(&'a str, &'a str)>;

/// A row of common cells, but for those that it has of its own.
fn with_own<'a>(common: &[(&'a str, &'a str)], own: &[(&'a str, &'a str)]) -> Cells<'a> {
    let others = common
        .iter()
        .filter(|(name, _)| own.iter().all(|(n, _)| n != name));
    own.iter().chain(others).copied().collect()
}

/// A file of rows that state only some of their columns.
fn csv_of(header: &[&str], rows: &[&[(&str, &str)]]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).unwrap();
    for row in rows {
        for (name, _) in *row {
            assert!(header.contains(name), "{name}");
        }
        let cell = |name: &&str| row.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v);
        writer.write_record(header.iter().map(cell)).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// The rules of FOCUS that do not hold, and on how many rows.
fn broken_rules(records: &[CostRecord<'_>]) -> Vec<(Rule, u64)> {
    let mut checks = InvariantChecks::new(InvariantOptions::default());
    for record in records {
        checks.add(record).unwrap();
    }
    let rules = checks.finish().into_iter().flat_map(|result| result.rules);
    let broken = rules.map(|result| (result.rule, result.outcome.failed()));
    broken.filter(|(_, failed)| *failed > 0).collect()
}

fn exact(text: &str) -> Option<Exact> {
    Some(text.parse().unwrap())
}
