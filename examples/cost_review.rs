//! What did the cloud cost, what drove it, is it growing, and what could be saved?
//!
//! Without arguments: a reference month that the project makes itself, stored in embedded
//! SQLite, reviewed, printed, and written as one HTML file. With files: the same for your bills.

#![expect(
    clippy::print_stderr,
    reason = "a command tells its user what is wrong"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use bursar_cost_model::{
    BillReader, BillRows, BillSource, Closing, CostStore, Dimension, Exact, ExactSum, FileProblem,
    FileReport, FocusVersion, FocusWriter, Folded, Format, ParquetBill, PartitionKey, ReadOptions,
    RejectedRow, Report, ReviewOptions, Row, Scan, Scenario, ScenarioSummary, Tally, TextOptions,
    reference_month,
};
use bursar_sqlite::SqliteStore;
use bursar_units::Currency;
use clap::{Parser, ValueEnum};
use futures_executor::block_on;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;

/// Reviews cloud bills: FOCUS 1.0 to 1.4 (CSV, CSV.gz, Parquet), AWS CUR, Azure, OCI.
#[derive(Debug, Parser)]
struct Arguments {
    /// Bill files; without any, the reference month that the project makes itself.
    files: Vec<PathBuf>,
    /// The format of the files.
    #[arg(long, value_enum, default_value = "auto")]
    format: FormatName,
    /// Keep the records in this SQLite file and review all that it holds.
    #[arg(long)]
    db: Option<PathBuf>,
    /// Stop at the first row or file with something wrong.
    #[arg(long)]
    strict: bool,
    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,
    /// Write the report as one self-contained HTML file.
    #[arg(long, value_name = "PATH")]
    html: Option<PathBuf>,
    /// Write the report as Markdown.
    #[arg(long, value_name = "PATH")]
    markdown: Option<PathBuf>,
    /// Write the table asked for by --group-by, or else the services, as CSV.
    #[arg(long, value_name = "PATH")]
    csv: Option<PathBuf>,
    /// Write every rejected row as CSV, also where the report lists only the first.
    #[arg(long, value_name = "PATH")]
    rejected: Option<PathBuf>,
    /// Only charges from this day on (UTC).
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Only charges before this day (UTC).
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Columns to group by: FOCUS columns, CostGroup, Provider, tag:NAME, columns of the file.
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    group_by: Vec<Dimension>,
    /// What the month of the last charge may cost: 250 or "250 EUR".
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
    /// The currency of rows that state none.
    #[arg(long)]
    currency: Option<Currency>,
    /// The last day that the bill is closed for: days without a row are then zero.
    #[arg(long, value_name = "DATE")]
    closed_through: Option<Date>,
    /// A before and after to show beside the bill: CSV of group,before,after.
    #[arg(long, value_name = "PATH")]
    scenario: Option<PathBuf>,
    /// How many threads read; all cores unless stated.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Auto,
    Focus,
    AwsCur,
    Azure,
    Oci,
}

impl FormatName {
    fn stated(self) -> Option<Format> {
        match self {
            FormatName::Auto => None,
            FormatName::Focus => Some(Format::Focus),
            FormatName::AwsCur => Some(Format::AwsCur),
            FormatName::Azure => Some(Format::Azure),
            FormatName::Oci => Some(Format::Oci),
        }
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // The causes, down to the line and column of a bill.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> anyhow::Result<ExitCode> {
    let reference = arguments.files.is_empty() && arguments.db.is_none();
    if reference {
        prepare_reference_month(&mut arguments)?;
    }
    let options = review_options(&arguments)?;
    let (tally, files) = match &arguments.db {
        Some(db) => collect_and_scan(&arguments, &options, db)?,
        None => read_files(&arguments, &options)?,
    };
    let mut report = tally.report(&options)?;
    report.files = files;
    report.scenario = scenario(&arguments, reference)?;
    write_outputs(&arguments, &report)?;
    print(&arguments, &report)?;
    Ok(exit_code(&arguments, &report))
}

/// The folder for what is made without being asked for.
const OUTPUT: &str = "target/cost_review";

/// Makes the reference month and sets the arguments as one would for a real bill.
fn prepare_reference_month(arguments: &mut Arguments) -> anyhow::Result<()> {
    let folder = Path::new(OUTPUT);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {OUTPUT}"))?;
    let bill = folder.join("reference_month.csv");
    let file = File::create(&bill).with_context(|| format!("cannot write {}", bill.display()))?;
    let mut writer = FocusWriter::new(file, FocusVersion::V1_2)?;
    for record in reference_month() {
        writer.write(&record)?;
    }
    writer.finish()?;
    arguments.files = vec![bill];
    arguments.db = Some(new_database(folder)?);
    arguments
        .html
        .get_or_insert_with(|| folder.join("reference_month.html"));
    arguments
        .closed_through
        .get_or_insert(jiff::civil::date(2024, 1, 31));
    Ok(())
}

/// The place of a database that holds nothing yet: in an old one, the month would stand twice
/// once the folder has moved, as a file is known by its path.
fn new_database(folder: &Path) -> anyhow::Result<PathBuf> {
    let name = "reference_month.sqlite";
    for suffix in ["", "-wal", "-shm"] {
        let path = folder.join(format!("{name}{suffix}"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| path.display().to_string());
            }
            _ => {}
        }
    }
    Ok(folder.join(name))
}

fn review_options(arguments: &Arguments) -> anyhow::Result<ReviewOptions> {
    let mut options = ReviewOptions::default();
    options.from = arguments.from;
    options.until = arguments.to;
    if let (Some(from), Some(to)) = (arguments.from, arguments.to)
        && to <= from
    {
        bail!("--from {from} --to {to} has no day: the day of --to is excluded");
    }
    options.group_by = arguments.group_by.clone();
    if let Some(day) = arguments.closed_through {
        options.closing = Closing::ClosedThrough(day);
    }
    if arguments.rejected.is_some() {
        options.max_rejected = usize::MAX;
    }
    if let Some(budget) = &arguments.budget {
        options.budget = Some(parse_budget(budget, arguments.currency)?);
    }
    Ok(options)
}

/// `250` in the stated currency or in dollars, or `250 EUR`.
fn parse_budget(text: &str, currency: Option<Currency>) -> anyhow::Result<(Currency, ExactSum)> {
    let (amount, currency) = match text.trim().rsplit_once(' ') {
        Some((amount, code)) => (amount, code.parse()?),
        None => (text.trim(), currency.unwrap_or(Currency::USD)),
    };
    let amount: Exact = amount.parse().context("--budget")?;
    Ok((currency, amount.into()))
}

fn read_options(arguments: &Arguments) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.format = arguments.format.stated();
    options.currency = arguments.currency;
    options
}

/// Reads every file with all cores, straight into a tally: memory does not grow with rows.
fn read_files(
    arguments: &Arguments,
    options: &ReviewOptions,
) -> anyhow::Result<(Tally, Vec<FileReport>)> {
    let mut whole = Tally::new(options)?;
    let mut reports = Vec::new();
    let mut rejected = RejectedFile::create(arguments)?;
    for path in &once(&arguments.files) {
        let name = path.display().to_string();
        let (tally, report) = match open(path, arguments) {
            Ok(Bill::Csv(reader)) => fold(*reader, &name, arguments, options)?,
            Ok(Bill::Parquet(bill)) => walk(*bill, &name, arguments, options)?,
            Err(error) if arguments.strict => return Err(error.context(name)),
            Err(error) => (
                Tally::new(options)?,
                FileReport::unreadable(&name, why(&error, &name)),
            ),
        };
        tell(&report);
        rejected.write(&name, &tally.rejected())?;
        whole.merge(tally)?;
        reports.push(report);
    }
    Ok((whole, reports))
}

/// Each file once, also when it is named twice: a bill counts once.
fn once(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let place = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let new = |path: &&PathBuf| {
        let is_new = seen.insert(place(path));
        if !is_new {
            eprintln!("{}: named twice, counted once", path.display());
        }
        is_new
    };
    files.iter().filter(new).cloned().collect()
}

/// A bill that has been opened.
enum Bill {
    Csv(Box<BillReader<'static>>),
    Parquet(Box<ParquetBill>),
}

fn open(path: &Path, arguments: &Arguments) -> anyhow::Result<Bill> {
    let mut file = File::open(path)?;
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(4).read_to_end(&mut magic)?;
    let options = read_options(arguments);
    if magic == b"PAR1" {
        let bill = ParquetBill::new(file, &options)?;
        return Ok(Bill::Parquet(Box::new(bill)));
    }
    let length = file.metadata()?.len();
    let file = Cursor::new(magic).chain(file);
    let input = progress(length).wrap_read(file);
    let reader = BillReader::new(input, &options)?;
    Ok(Bill::Csv(Box::new(reader)))
}

/// A bar that counts the bytes of a file; it draws nothing where nobody watches.
fn progress(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.set_style(style(
        "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    ));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Reads a CSV bill with several threads.
fn fold(
    reader: BillReader<'_>,
    name: &str,
    arguments: &Arguments,
    options: &ReviewOptions,
) -> anyhow::Result<(Tally, FileReport)> {
    let format = reader.format();
    strict_problems(arguments, name, reader.problems())?;
    let strict = arguments.strict;
    let Folded {
        parts, problems, ..
    } = reader.fold(
        threads(arguments),
        || Tally::new(options),
        |tally, row| {
            let stop = strict && matches!(row, Row::Rejected(_));
            let step = Tally::step(tally, row);
            if stop { ControlFlow::Break(()) } else { step }
        },
    );
    let mut tally = Tally::new(options)?;
    for part in parts {
        tally.merge(part?)?;
    }
    if let (true, Some(rejected)) = (strict, tally.rejected().first()) {
        bail!("{name}: {rejected}");
    }
    strict_problems(arguments, name, &problems)?;
    let report = FileReport::of(name, format, &tally, problems);
    Ok((tally, report))
}

/// Reads a Parquet bill, row by row.
fn walk(
    mut bill: ParquetBill,
    name: &str,
    arguments: &Arguments,
    options: &ReviewOptions,
) -> anyhow::Result<(Tally, FileReport)> {
    strict_problems(arguments, name, bill.problems())?;
    let mut tally = Tally::new(options)?;
    let bar = ProgressBar::new(bill.stated_rows());
    bar.set_style(style("{wide_bar} {human_pos}/{human_len} rows {eta}"));
    while let Some(row) = bill.next_row() {
        bar.inc(1);
        if let (true, Row::Rejected(rejected)) = (arguments.strict, &row) {
            bail!("{name}: {rejected}");
        }
        tally.add(row)?;
    }
    strict_problems(arguments, name, bill.problems())?;
    let report = FileReport::of(name, Some(bill.format()), &tally, bill.problems().to_vec());
    Ok((tally, report))
}

fn threads(arguments: &Arguments) -> NonZeroUsize {
    let all = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    arguments.threads.unwrap_or_else(all)
}

fn strict_problems(
    arguments: &Arguments,
    name: &str,
    problems: &[FileProblem],
) -> anyhow::Result<()> {
    match problems.first() {
        Some(problem) if arguments.strict => bail!("{name}: {problem}"),
        _ => Ok(()),
    }
}

/// Keeps every file as a partition of a database and reviews all that is in there.
fn collect_and_scan(
    arguments: &Arguments,
    options: &ReviewOptions,
    db: &Path,
) -> anyhow::Result<(Tally, Vec<FileReport>)> {
    let store = SqliteStore::open(db).with_context(|| db.display().to_string())?;
    let mut reports = Vec::new();
    let mut rejected = RejectedFile::create(arguments)?;
    for path in &once(&arguments.files) {
        let name = path.display().to_string();
        let (report, rows) = match collect(&store, path, arguments, options) {
            Ok(collected) => collected,
            Err(error) if arguments.strict => return Err(error),
            Err(error) => (
                FileReport::unreadable(&name, why(&error, &name)),
                Vec::new(),
            ),
        };
        tell(&report);
        rejected.write(&name, &rows)?;
        reports.push(report);
    }
    Ok((block_on(scan(&store, options))?, reports))
}

/// Stores one file; collecting it again replaces what it was.
fn collect(
    store: &SqliteStore,
    path: &Path,
    arguments: &Arguments,
    options: &ReviewOptions,
) -> anyhow::Result<(FileReport, Vec<RejectedRow>)> {
    let name = path.display().to_string();
    let opened = open(path, arguments).with_context(|| name.clone())?;
    let rows: Box<dyn BillRows> = match opened {
        Bill::Csv(reader) => reader,
        Bill::Parquet(bill) => bill,
    };
    strict_problems(arguments, &name, rows.problems())?;
    let format = rows.format();
    let mut counts = Tally::new(options)?;
    let mut source = BillSource::new(rows).on_rejected(|row| counts.reject(row.clone()));
    if arguments.strict {
        source = source.strict();
    }
    // The same file under another spelling of its path is the same partition.
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let key = PartitionKey::new("file", place.display().to_string());
    let stored = block_on(store.replace_partition(&key, &mut source));
    let info = stored.with_context(|| name.clone())?;
    let problems = source.problems().to_vec();
    drop(source);
    counts.count_kept(info.records);
    let mut report = FileReport::of(name, format, &counts, problems);
    // The review is of all that the store holds, not file by file.
    report.rows_outside = None;
    Ok((report, counts.rejected()))
}

/// Shows a tally every record of a store.
async fn scan(store: &dyn CostStore, options: &ReviewOptions) -> anyhow::Result<Tally> {
    let mut tally = Tally::new(options)?;
    let mut records = store.scan(&Scan::default()).await?;
    while let Some(batch) = records.next_batch().await? {
        for record in &batch {
            tally.add_record(record)?;
        }
    }
    Ok(tally)
}

/// The causes of an error, without the name of the file, which is told beside them.
fn why(error: &anyhow::Error, name: &str) -> String {
    let causes = format!("{error:#}");
    let place = format!("{name}: ");
    causes.strip_prefix(&place).unwrap_or(&causes).to_owned()
}

/// The most rejected rows of one file that are told one by one.
const TOLD: usize = 20;

/// Says on standard error what is wrong with a file, with the place of each fault.
fn tell(report: &FileReport) {
    let path = &report.path;
    if let Some(error) = &report.error {
        eprintln!("{path}: {error}");
    }
    for problem in &report.problems {
        eprintln!("{path}: {problem}");
    }
    for row in report.rows_rejected.iter().take(TOLD) {
        let told = row.to_string();
        let value = match told.contains(&row.value) {
            true => String::new(),
            false => format!(" (the cell holds `{}`)", row.value),
        };
        eprintln!("{path}: {told}{value}");
    }
    let told = report.rows_rejected.len().min(TOLD) as u64;
    if report.rows_rejected_count > told {
        eprintln!(
            "{path}: {} more rows were rejected",
            report.rows_rejected_count - told
        );
    }
}

/// The file of rejected rows that --rejected asks for.
struct RejectedFile(Option<File>);

impl RejectedFile {
    fn create(arguments: &Arguments) -> anyhow::Result<RejectedFile> {
        let Some(path) = &arguments.rejected else {
            return Ok(RejectedFile(None));
        };
        let mut file = File::create(path).with_context(|| path.display().to_string())?;
        writeln!(file, "file,line,column,value,reason")?;
        Ok(RejectedFile(Some(file)))
    }

    fn write(&mut self, name: &str, rows: &[RejectedRow]) -> anyhow::Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        for row in rows {
            let cells = [
                name,
                &row.line.to_string(),
                &row.column,
                &row.value,
                &row.reason.to_string(),
            ];
            writeln!(file, "{}", cells.map(quoted).join(","))?;
        }
        Ok(())
    }
}

/// The before and after that was asked for; the project's own beside the reference month.
fn scenario(arguments: &Arguments, reference: bool) -> anyhow::Result<Option<ScenarioSummary>> {
    let currency = arguments.currency.unwrap_or(Currency::USD);
    let scenario = match &arguments.scenario {
        Some(path) => {
            let file = File::open(path).with_context(|| path.display().to_string())?;
            Scenario::from_csv(file, currency).with_context(|| path.display().to_string())?
        }
        None if reference => Scenario::from_csv(
            &include_bytes!("data/reference_scenario.csv")[..],
            Currency::USD,
        )?,
        None => return Ok(None),
    };
    Ok(Some(scenario.summary()?))
}

fn write_outputs(arguments: &Arguments, report: &Report) -> anyhow::Result<()> {
    let write = |path: &Option<PathBuf>, make: &dyn Fn() -> String| match path {
        Some(path) => fs::write(path, make()).with_context(|| path.display().to_string()),
        None => Ok(()),
    };
    write(&arguments.html, &|| report.to_html())?;
    write(&arguments.markdown, &|| report.to_markdown())?;
    if let Some(path) = &arguments.csv {
        let id = if report.groups.is_some() {
            "groups"
        } else {
            "services"
        };
        let tables = report.tables();
        let table = tables.iter().find(|table| table.id == id);
        let file = File::create(path).with_context(|| path.display().to_string())?;
        if let Some(table) = table {
            table
                .to_csv(file)
                .with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

fn print(arguments: &Arguments, report: &Report) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut output, report)?;
        writeln!(output)?;
        return Ok(());
    }
    write!(output, "{}", report.to_text(TextOptions::default()))?;
    for path in [&arguments.html, &arguments.markdown, &arguments.csv]
        .into_iter()
        .flatten()
    {
        writeln!(output, "\nWritten: {}", path.display())?;
    }
    Ok(())
}

/// A file of which nothing could be read is a failure; damaged rows are one only when strict,
/// and then the review has already stopped.
fn exit_code(arguments: &Arguments, report: &Report) -> ExitCode {
    let bad = |file: &FileReport| file.error.is_some() || (arguments.strict && !file.is_clean());
    let failed = report.files.iter().any(bad);
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
