//! What did it cost?

mod cells;
mod column;
mod costs;
mod cube;
mod exact;
mod group;
mod intern;
mod invariants;
mod layout;
mod port;
mod read;
mod record;
mod report;
mod review;

pub use column::{Column, ColumnKind, FocusVersion};
pub use costs::{CostKind, CostSum, Costs};
pub use cube::{Cube, Dimension, Group, TooManyDimensions};
pub use exact::{Exact, ExactError, ExactSum, MAX_SCALE, RoundedSum};
pub use group::CostGroup;
pub use invariants::{
    Basis, CommitmentSum, Evidence, Example, Invariant, InvariantChecks, InvariantOptions,
    InvariantResult, InvoiceSum, Outcome, ProviderFailures, Rule, RuleResult, Subject, Verdict,
};
pub use port::{
    BoxError, CostSource, CostStore, PartitionInfo, PartitionKey, Scan, SourceError, StoreError,
};
pub use read::{
    AzureCost, BillReader, FileProblem, Folded, Format, ReadError, ReadOptions, RejectReason,
    RejectedRow, Row,
};
pub use record::{ChargeCategory, CommitmentStatus, CostRecord, Period};
pub use report::{
    AnomalyLine, CategoryLine, Change, ChargeLine, CostTotals, DayLine, FileReport, GroupLine,
    GroupTable, Report, ServiceDay, ServiceLine, UnknownRows,
};
pub use review::{ReviewError, ReviewOptions, RowCounts, Tally};

mod attribution;
mod budget;
mod forecast;
mod quotient;
mod regression;
mod series;
mod trend;
mod unit_cost;

pub use attribution::{Attribution, Contribution, Effects, Metered, Presence};
pub use budget::{Budget, BudgetBurn, BudgetError, BudgetVerdict};
pub use forecast::{
    DayEstimate, FORECAST_HISTORY_DAYS, FORECAST_LEVELS, Forecast, ForecastBasis, ForecastError,
    ForecastInterval, MIN_DAYS_TO_CARRY_A_TREND, MIN_FORECAST_DAYS, Outlook, Projection, SetAside,
};
pub use series::{
    Closing, DailySeries, DateRange, MAX_SERIES_DAYS, PeakDay, SeriesError, SeriesSummary,
};
pub use trend::{Growth, MIN_TREND_DAYS, SIGNIFICANCE, Slope, SlopeTest, TrendVerdict};
pub use unit_cost::{KeyedUnitCost, UnitCost, UnknownUnitCost, unit_costs};

mod bill_source;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod memory;

pub use bill_source::{BillRows, BillSource};
pub use memory::{MemoryStore, RecordsSource};
#[cfg(feature = "parquet")]
mod parquet;
mod write;
#[cfg(feature = "parquet")]
pub use parquet::{FocusParquetWriter, ParquetBill};
pub use write::{FocusColumns, FocusWriter, WriteError};
mod efficiency;
pub use efficiency::{
    Efficiency, EfficiencyCurve, EfficiencyError, Percent, Side, Utilization, burstable_baseline,
    expected_cpu_average,
};
mod scenario;
pub use scenario::{Scenario, ScenarioError, ScenarioGroup, ScenarioLine, ScenarioSummary};

mod opportunity;

pub use opportunity::{
    AffectedResource, ComputeFamily, Effort, Estimate, Gp3Change, InstanceMeasurement, LeftOut,
    ModelChoice, NotAdvised, NotAdvisedCause, Opportunities, Opportunity, OpportunityError,
    OpportunityInputs, OpportunityKind, OpportunityScan, Risk, ScanOptions, Standing, Thresholds,
    VolumeInventory, VolumePerformance, VolumePrices, VolumeType,
};
