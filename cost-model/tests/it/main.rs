//! The crate as its users see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that is skipped says so; clippy allows that in test functions, not in their helpers"
)]

mod analysis;
mod commitment;
mod dialects;
mod efficiency;
mod fit;
mod instances;
mod invariants;
mod opportunity;
#[cfg(all(feature = "parquet", feature = "synthetic"))]
mod parquet;
mod reading;
mod report;
mod review;
mod scenario;
#[cfg(feature = "synthetic")]
mod synthetic;
#[cfg(feature = "synthetic")]
mod synthetic_machines;
mod weighted_fit;
mod write;

#[test]
fn values_can_be_shared_between_threads_and_shown() {
    use bursar_cost_model::*;
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<Attribution<String>>();
    shared::<BudgetBurn>();
    shared::<CostRecord<'static>>();
    shared::<Cube>();
    shared::<DailySeries>();
    shared::<Efficiency>();
    shared::<Exact>();
    shared::<ExactSum>();
    shared::<FileReport>();
    shared::<Forecast>();
    shared::<Growth>();
    shared::<InvariantChecks>();
    shared::<InvariantResult>();
    shared::<MemoryStore>();
    shared::<Opportunities>();
    shared::<OpportunityInputs>();
    shared::<OpportunityScan>();
    shared::<RejectedRow>();
    shared::<Report>();
    shared::<ReviewOptions>();
    shared::<Scenario>();
    shared::<Table>();
    shared::<Tally>();
    shared::<UnitCost>();
}

#[test]
fn errors_can_be_sent_between_threads_and_kept() {
    use bursar_cost_model::*;
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    error::<BudgetError>();
    error::<EfficiencyError>();
    error::<ExactError>();
    error::<FileProblem>();
    error::<ForecastError>();
    error::<OpportunityError>();
    error::<ReadError>();
    error::<RejectReason>();
    error::<RejectedRow>();
    error::<ReviewError>();
    error::<ScenarioError>();
    error::<SeriesError>();
    error::<SourceError>();
    error::<StoreError>();
    error::<TooManyDimensions>();
    error::<WriteError>();
}

#[test]
fn readers_and_writers_can_move_to_another_thread() {
    use bursar_cost_model::*;
    fn moved<T: Send + std::fmt::Debug + 'static>() {}
    moved::<BillReader<'static>>();
    moved::<BillSource<'static>>();
    moved::<FocusWriter<Vec<u8>>>();
    moved::<RecordsSource<std::vec::IntoIter<CostRecord<'static>>>>();
    #[cfg(feature = "parquet")]
    moved::<ParquetBill>();
    #[cfg(feature = "parquet")]
    moved::<FocusParquetWriter<Vec<u8>>>();
    #[cfg(feature = "synthetic")]
    moved::<SyntheticBill>();
}

/// A file of the development data, which is not part of the project; says so when it is absent.
fn development_data(name: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("BURSAR_DATA").map(std::path::PathBuf::from);
    let path = folder
        .map(|folder| folder.join(name))
        .filter(|path| path.exists());
    if path.is_none() {
        eprintln!(
            "SKIPPED: {name} is not there; set BURSAR_DATA to the development data to run this test"
        );
    }
    path
}
