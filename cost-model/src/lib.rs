//! What did the cloud cost, what drove it, is it growing, and what could be saved?
//!
//! This crate reads cloud bills as they are delivered (FOCUS of any provider, AWS Cost and Usage
//! Reports, Azure usage details, OCI cost reports), keeps every row or says why not, adds them
//! up to the last digit, checks them against the rules that a bill has to obey, and answers the
//! questions that one asks of it. Every answer is a plain value; a [`Report`] of them renders as
//! text, Markdown, one HTML file, and (feature `serde`) JSON.
//!
//! ```
//! use bursar_cost_model::{BillReader, ReadOptions, ReviewOptions, Tally};
//!
//! let bill = "\
//! BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ServiceCategory,ServiceName
//! 119.81,USD,Usage,2024-01-01T00:00:00Z,Compute,Amazon Elastic Compute Cloud
//! 68.54,USD,Usage,2024-01-02T00:00:00Z,AI and Machine Learning,Amazon Bedrock
//! 8.00,USD,Usage,2024-01-02T00:00:00Z,Storage,Amazon Elastic Block Store
//! 3.99,USD,Usage,2024-01-03T00:00:00Z,Networking,Amazon Virtual Private Cloud
//! ";
//! let options = ReviewOptions::default();
//! let mut tally = Tally::new(&options)?;
//! let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default())?;
//! while let Some(row) = reader.next_row() {
//!     tally.add(row)?;
//! }
//! let report = tally.report(&options)?;
//!
//! let total = report.totals.values().next().and_then(|costs| costs.billed.as_ref());
//! assert_eq!(total.map(|t| t.to_string()).as_deref(), Some("200.34"));
//! let shares = report.by_service.iter().filter_map(|line| line.share);
//! let shares: Vec<String> = shares.map(|share| format!("{share:.1}")).collect();
//! assert_eq!(shares, ["59.8", "34.2", "4.0", "2.0"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - A [`CostRecord`] is one charge: a row of the FOCUS cost and usage dataset, 1.0 to 1.4, by
//!   column [name](Column). Columns that FOCUS does not know stay with the record.
//! - [`BillReader`] (CSV, gzip) and `ParquetBill` (feature `parquet`) turn a file into
//!   [rows](Row): a record, or a [rejection](RejectedRow) with line, column, value and reason.
//!   Memory does not grow with the file.
//! - [`Exact`] and [`ExactSum`] are amounts of up to 38 digits and their sums, never rounded.
//!   A cost that a row does not state is unknown, and counted as that; it is not zero.
//! - A [`Cube`] is the sums by currency, day and up to six [dimensions](Dimension). Currencies
//!   are never added to each other.
//! - A [`Tally`] gathers all that a [`Report`] needs, in one pass and with any number of
//!   threads ([`BillReader::fold`]); the order of rows never changes a result.
//! - [`CostSource`] and [`CostStore`] are the ports: where records come from, and where they are
//!   kept. [`MemoryStore`] is the reference store; `bursar-sqlite` keeps them in a file.
//!
//! # Questions and their answers
//!
//! | question | answer |
//! |---|---|
//! | What did each service, account, region or tag cost? | [`Cube`] |
//! | Is the bill right? | [`InvariantChecks`]: the eight rules of FOCUS, each passed, failed with its rows, or not testable and why |
//! | Is it growing, or is that noise? | [`Growth`]: least squares with weekday effects and an error that allows for dependent days |
//! | What changed, and who changed it? | [`Attribution`]: contributions that add up to the change |
//! | What will the month cost? | [`Forecast`] with intervals, [`BudgetBurn`] |
//! | What does one unit of use cost? | [`UnitCost`] |
//! | Are machines well used? | [`Efficiency`] under an [`EfficiencyCurve`] |
//! | What could be saved? | [`Opportunities`]: savings of a compatible set, each computed or marked as a rule of thumb |
//! | What did a change do? | [`Scenario`]: before and after |
//! | Which machine holds a workload for the least money? | [`fit`], over the machines of [`instances`] |
//! | Does a commitment pay, and what does it cover? | [`commitment`] |
//! | How does one move to another machine? | [`migration`]: a plan with risks, steps and what undoes them |
//! | What about volumes, buckets and logs? | [`storage`] |
//! | How many machines does a load take? | [`capacity`]: a formula, stages and a queue side by side |
//!
//! # What it does not do
//!
//! It opens no file and asks no service: readers take any [`Read`](std::io::Read), adapters do
//! the rest. It does not repair a bill, convert currencies, or drop rows that look alike: FOCUS
//! has no line id and splits rows lawfully, so a row is known by its file and place alone.
//!
//! # Features
//!
//! - `gzip` (default): reads `.csv.gz`.
//! - `parquet`: reads and writes Parquet, with the `arrow` crates.
//! - `serde`: results serialize; amounts always as strings.
//! - `synthetic`: makes bills of any size and the CPU use of machines, to test and measure with.
//! - `conformance`: the tests that every [`CostStore`] must pass.
//!
//! Dates and times are those of the crate [`jiff`].

mod attribution;
mod bill_source;
mod budget;
pub mod capacity;
mod cells;
mod column;
pub mod commitment;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod costs;
mod cube;
mod efficiency;
mod exact;
pub mod fit;
mod forecast;
mod group;
pub mod instances;
mod intern;
mod invariants;
mod layout;
mod memory;
pub mod migration;
mod opportunity;
#[cfg(feature = "parquet")]
mod parquet;
mod plan_page;
mod port;
mod quotient;
mod read;
mod record;
mod regression;
mod report;
mod review;
mod scenario;
mod series;
pub mod storage;
#[cfg(feature = "synthetic")]
mod synthetic;
#[cfg(feature = "synthetic")]
pub mod synthetic_machines;
mod trend;
mod unit_cost;
mod write;

pub use attribution::{Attribution, Contribution, Effects, Metered, Presence};
pub use bill_source::{BillRows, BillSource};
pub use budget::{Budget, BudgetBurn, BudgetError, BudgetVerdict};
pub use column::{Column, ColumnKind, FocusVersion};
pub use costs::{CostKind, CostSum, Costs};
pub use cube::{Cube, Dimension, Group, TooManyDimensions};
pub use efficiency::{
    Efficiency, EfficiencyCurve, EfficiencyError, Percent, Side, Utilization, burstable_baseline,
    expected_cpu_average,
};
pub use exact::{Exact, ExactError, ExactSum, MAX_SCALE, RoundedSum};
pub use forecast::{
    DayEstimate, FORECAST_HISTORY_DAYS, FORECAST_LEVELS, Forecast, ForecastBasis, ForecastError,
    ForecastInterval, MIN_DAYS_TO_CARRY_A_TREND, MIN_FORECAST_DAYS, Outlook, Projection, SetAside,
};
pub use group::CostGroup;
pub use invariants::{
    Basis, CommitmentSum, Evidence, Example, Invariant, InvariantChecks, InvariantOptions,
    InvariantResult, InvoiceSum, Outcome, ProviderFailures, Rule, RuleResult, Subject, Verdict,
};
pub use memory::{MemoryStore, RecordsSource};
pub use opportunity::{
    AffectedResource, ComputeFamily, Effort, Estimate, Gp3Change, InstanceMeasurement, LeftOut,
    ModelChoice, NotAdvised, NotAdvisedCause, Opportunities, Opportunity, OpportunityError,
    OpportunityInputs, OpportunityKind, OpportunityScan, Risk, ScanOptions, Standing, Thresholds,
    VolumeInventory, VolumePerformance, VolumePrices, VolumeType,
};
#[cfg(feature = "parquet")]
pub use parquet::{FocusParquetWriter, ParquetBill};
pub use port::{
    BoxError, CostSource, CostStore, PartitionInfo, PartitionKey, Scan, SourceError, StoreError,
};
pub use read::{
    AzureCost, BillReader, FileProblem, Folded, Format, ReadError, ReadOptions, RejectReason,
    RejectedRow, Row,
};
pub use record::{ChargeCategory, CommitmentStatus, CostRecord, Period};
pub use report::{
    Align, AnomalyLine, CategoryLine, Cell, Change, ChargeLine, CostTotals, DayLine, FileReport,
    GroupLine, GroupTable, Report, ServiceDay, ServiceLine, Table, TableColumn, TextOptions,
    UnknownRows,
};
pub use review::{ReviewError, ReviewOptions, RowCounts, Tally};
pub use scenario::{Scenario, ScenarioError, ScenarioGroup, ScenarioLine, ScenarioSummary};
pub use series::{
    Closing, DailySeries, DateRange, MAX_SERIES_DAYS, PeakDay, SeriesError, SeriesSummary,
};
#[cfg(feature = "synthetic")]
pub use synthetic::{SyntheticBill, reference_month};
pub use trend::{Growth, MIN_TREND_DAYS, SIGNIFICANCE, Slope, SlopeTest, TrendVerdict};
pub use unit_cost::{KeyedUnitCost, UnitCost, UnknownUnitCost, unit_costs};
pub use write::{FocusColumns, FocusWriter, WriteError};

/// The example of the README, compiled and run with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
