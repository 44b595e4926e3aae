//! What does a bill of ten million rows look like? Makes one, with totals to check a reader by.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bursar_cost_model::{
    CostRecord, Costs, FocusParquetWriter, FocusVersion, FocusWriter, SyntheticBill, WriteError,
};
use bursar_units::Currency;
use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

/// Writes a made-up FOCUS 1.2 bill: the same file for the same rows and seed.
#[derive(Parser)]
struct Arguments {
    /// How many rows the bill has.
    #[arg(long, default_value_t = 10_000)]
    rows: u64,

    /// Another seed makes another bill.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Where to; the ending says what: .csv, .csv.gz or .parquet.
    #[arg(long, default_value = "target/bill.csv")]
    out: PathBuf,

    /// How many currencies the bill is in, 1 to 4.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    currencies: u8,

    /// Print the totals as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut bill = SyntheticBill::new(arguments.rows, arguments.seed)
        .currencies(usize::from(arguments.currencies));
    let mut file = BillFile::create(&arguments.out)?;
    let progress = progress_bar(arguments.rows)?;
    let mut totals: Vec<(Currency, Costs)> = Vec::new();
    let mut rows = 0_u64;
    while let Some(record) = bill.next_record() {
        file.write(&record)?;
        add(&mut totals, &record)?;
        rows += 1;
        if rows.is_multiple_of(8192) {
            progress.set_position(rows);
        }
    }
    file.finish()?;
    progress.finish_and_clear();
    totals.sort_by_key(|(currency, _)| *currency);
    let bytes = fs::metadata(&arguments.out)?.len();
    if arguments.json {
        print_json(&arguments.out, rows, bytes, &totals)
    } else {
        print_text(&arguments.out, rows, bytes, &totals);
        Ok(())
    }
}

/// The file that is written, by the ending of its name.
enum BillFile {
    Csv(Box<FocusWriter<File>>),
    Gzip(Box<FocusWriter<GzEncoder<BufWriter<File>>>>),
    Parquet(Box<FocusParquetWriter<BufWriter<File>>>),
}

impl BillFile {
    fn create(path: &Path) -> anyhow::Result<BillFile> {
        let name = path.to_string_lossy().to_lowercase();
        let known = [".csv", ".csv.gz", ".parquet"]
            .iter()
            .any(|end| name.ends_with(end));
        if !known {
            bail!(
                "{}: the name must end in .csv, .csv.gz or .parquet",
                path.display()
            );
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        }
        let file = File::create(path).with_context(|| format!("{}", path.display()))?;
        let columns = FocusVersion::V1_2;
        Ok(if name.ends_with(".parquet") {
            let writer = FocusParquetWriter::new(BufWriter::new(file), columns)?;
            BillFile::Parquet(Box::new(writer))
        } else if name.ends_with(".gz") {
            let gzip = GzEncoder::new(BufWriter::new(file), Compression::fast());
            BillFile::Gzip(Box::new(FocusWriter::new(gzip, columns)?))
        } else {
            BillFile::Csv(Box::new(FocusWriter::new(file, columns)?))
        })
    }

    fn write(&mut self, record: &CostRecord<'_>) -> Result<(), WriteError> {
        match self {
            BillFile::Csv(writer) => writer.write(record),
            BillFile::Gzip(writer) => writer.write(record),
            BillFile::Parquet(writer) => writer.write(record),
        }
    }

    fn finish(self) -> Result<(), WriteError> {
        match self {
            BillFile::Csv(writer) => writer.finish().map(drop),
            BillFile::Gzip(writer) => Ok(writer.finish()?.finish()?.flush()?),
            BillFile::Parquet(writer) => writer.finish().map(drop),
        }
    }
}

fn add(totals: &mut Vec<(Currency, Costs)>, record: &CostRecord<'_>) -> anyhow::Result<()> {
    let currency = record.billing_currency;
    let known = totals.iter().position(|(c, _)| *c == currency);
    let at = known.unwrap_or_else(|| {
        totals.push((currency, Costs::default()));
        totals.len() - 1
    });
    Ok(totals[at].1.add(record)?)
}

fn progress_bar(rows: u64) -> anyhow::Result<ProgressBar> {
    let style = "{bar:40} {human_pos} of {human_len} rows, {per_sec}, {eta} left";
    Ok(ProgressBar::new(rows).with_style(ProgressStyle::with_template(style)?))
}

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn print_text(path: &Path, rows: u64, bytes: u64, totals: &[(Currency, Costs)]) {
    println!("{}: {rows} rows, {bytes} bytes", path.display());
    println!("{:<8} {:<10} {:>34}", "currency", "cost", "total");
    for (currency, costs) in totals {
        for (name, sum) in named(costs) {
            println!("{currency:<8} {name:<10} {sum:>34}");
        }
    }
}

fn print_json(
    path: &Path,
    rows: u64,
    bytes: u64,
    totals: &[(Currency, Costs)],
) -> anyhow::Result<()> {
    let totals = totals.iter().map(|(currency, costs)| {
        let costs = named(costs).map(|(name, sum)| (name.to_owned(), json!(sum)));
        let costs: serde_json::Map<_, _> = costs.into_iter().collect();
        (currency.code().to_owned(), json!(costs))
    });
    let totals: serde_json::Map<_, _> = totals.collect();
    let report = json!({ "file": path, "rows": rows, "bytes": bytes, "totals": totals });
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &report)?;
    writeln!(out)?;
    Ok(())
}

/// The four totals in full, as text: a JSON number would lose digits.
fn named(costs: &Costs) -> [(&'static str, String); 4] {
    [
        ("billed", costs.billed.sum.to_string()),
        ("effective", costs.effective.sum.to_string()),
        ("list", costs.list.sum.to_string()),
        ("contracted", costs.contracted.sum.to_string()),
    ]
}
