//! What do the language models and the machines that are sold today cost, and what can they do?
//!
//! Data and a version, and no code: tables of comma-separated cells without quotes, their columns named in
//! the first line. `bursar_model_router::CatalogText` says what each column means, and
//! `bursar_model_router::Catalog` reads them; an application hands the one to the other, or a newer set of
//! tables in place of these.
//!
//! ```
//! let mut prices = bursar_catalog::PRICES.lines();
//! let columns = prices.next().unwrap_or_default();
//! assert!(columns.starts_with("provider,model,processing,region,from,until"));
//! assert!(prices.any(|row| row.starts_with("aws,amazon.nova-lite-v1:0,batch,,,,,,0.03,0.12,")));
//! ```

/// The day on which the newest source was read.
pub const VERSION: &str = include_str!("../data/version.txt").trim_ascii();

/// Providers with their names and with those whose prices hold where they have none.
pub const PROVIDERS: &str = include_str!("../data/providers.csv");

/// Models with their names, limits, modalities and features.
pub const MODELS: &str = include_str!("../data/models.csv");

/// Prices, in US dollars per million tokens.
pub const PRICES: &str = include_str!("../data/prices.csv");

/// Where prices come from.
pub const SOURCES: &str = include_str!("../data/sources.csv");

/// EC2 instance types: architecture, vCPUs, memory, network and volumes.
///
/// `bursar_cost_model::instances::InstanceTables` says what the columns of this and the following
/// tables mean, and `InstanceCatalog` reads them.
pub const INSTANCES: &str = include_str!("../data/instances.csv");

/// How the CPU of burstable instance types is rationed.
pub const INSTANCE_CREDITS: &str = include_str!("../data/instance_credits.csv");

/// What was measured of instance types: CPU score and usable memory.
pub const INSTANCE_MEASUREMENTS: &str = include_str!("../data/instance_measurements.csv");

/// Prices of instance types by region, in US dollars per hour.
pub const INSTANCE_PRICES: &str = include_str!("../data/instance_prices.csv");

/// Saving and interruption on the spot market by region.
pub const INSTANCE_SPOT: &str = include_str!("../data/instance_spot.csv");

/// Where the values of instance types come from, and of which day they are.
pub const INSTANCE_SOURCES: &str = include_str!("../data/instance_sources.csv");

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
