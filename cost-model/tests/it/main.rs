//! The crate as its users see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that is skipped says so; clippy allows that in test functions, not in their helpers"
)]

mod analysis;
mod dialects;
mod efficiency;
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
mod write;

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
