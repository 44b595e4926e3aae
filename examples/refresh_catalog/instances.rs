//! Which instance types does the catalog have, and what do newer lists change?

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bursar_cost_model::instances::{
    InstanceCatalog, InstanceCounts, InstanceLists, InstanceReview, InstanceTables, InstanceTexts,
    NotJoined, read_measurements, read_moto, read_prices, read_spot,
};
use clap::Args;
use jiff::civil::Date;

use crate::show_differences;

/// The lists of instance types, all of them or none.
#[derive(Args)]
pub(crate) struct Lists {
    /// The types of EC2 as moto records them, `instance_types.json.gz`.
    #[arg(long, requires_all = ["moto_as_of", "prices", "measured", "spot", "out"])]
    moto: Option<PathBuf>,

    /// The day of which the types are.
    #[arg(long, requires = "moto")]
    moto_as_of: Option<Date>,

    /// Prices on demand: a CSV, or the Go source that Karpenter generates.
    #[arg(long, requires = "moto")]
    prices: Option<PathBuf>,

    /// The day of which the prices are, where the list does not say it.
    #[arg(long, requires = "prices")]
    prices_as_of: Option<Date>,

    /// What was measured: a CSV, or `manually_fetched_data.json` of ec2instances.info.
    #[arg(long, requires = "moto")]
    measured: Option<PathBuf>,

    /// The spot market: a CSV, or `spot-advisor-data.json`.
    #[arg(long, requires_all = ["moto", "spot_as_of"])]
    spot: Option<PathBuf>,

    /// The day of which the spot market is.
    #[arg(long, requires = "spot")]
    spot_as_of: Option<Date>,

    /// The region that is checked, and of which a CSV of prices is.
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,
}

/// The files of the tables.
const FILES: [&str; 6] = [
    "instances.csv",
    "instance_credits.csv",
    "instance_measurements.csv",
    "instance_prices.csv",
    "instance_spot.csv",
    "instance_sources.csv",
];

/// The tables of a folder, in the order of [`FILES`].
#[derive(Default)]
pub(crate) struct InstanceFiles([String; 6]);

impl InstanceFiles {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut texts = <[String; 6]>::default();
        for (text, name) in texts.iter_mut().zip(FILES) {
            let path = folder.join(name);
            *text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
        }
        Ok(Self(texts))
    }

    pub(crate) fn shipped() -> Self {
        Self(
            [
                bursar_catalog::INSTANCES,
                bursar_catalog::INSTANCE_CREDITS,
                bursar_catalog::INSTANCE_MEASUREMENTS,
                bursar_catalog::INSTANCE_PRICES,
                bursar_catalog::INSTANCE_SPOT,
                bursar_catalog::INSTANCE_SOURCES,
            ]
            .map(str::to_owned),
        )
    }

    fn save(&self, folder: &Path) -> Result<()> {
        for (text, name) in self.0.iter().zip(FILES) {
            let path = folder.join(name);
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    fn tables(&self) -> InstanceTables<'_> {
        let [instances, credits, measurements, prices, spot, sources] = &self.0;
        InstanceTables {
            instances,
            credits,
            measurements,
            prices,
            spot,
            sources,
        }
    }

    pub(crate) fn review(&self, region: &str, day: Date) -> Result<InstanceReview> {
        Ok(InstanceReview::of(&self.tables(), region, day)?)
    }
}

impl From<InstanceTexts> for InstanceFiles {
    fn from(texts: InstanceTexts) -> Self {
        Self([
            texts.instances,
            texts.credits,
            texts.measurements,
            texts.prices,
            texts.spot,
            texts.sources,
        ])
    }
}

impl Lists {
    /// Makes the tables anew if lists are given; whether they are.
    pub(crate) fn refresh(&self, out: Option<&Path>, lines: usize) -> Result<bool> {
        let (Some(moto), Some(moto_as_of), Some(prices), Some(measured), Some(spot), Some(out)) = (
            &self.moto,
            self.moto_as_of,
            &self.prices,
            &self.measured,
            &self.spot,
            out,
        ) else {
            return Ok(false);
        };
        let types = in_file(moto, read_moto)?;
        let prices = in_file(prices, |bytes| read_prices(bytes, &self.region))?;
        let measurements = in_file(measured, read_measurements)?;
        let spot = in_file(spot, read_spot)?;
        let lists = InstanceLists {
            types: &types,
            types_as_of: moto_as_of,
            prices_as_of: self
                .prices_as_of
                .or(prices.as_of)
                .context("the prices do not say of which day they are: --prices-as-of DATE")?,
            prices: &prices,
            measurements: &measurements,
            spot: &spot,
            spot_as_of: self.spot_as_of.context("--spot-as-of DATE is missing")?,
        };
        for left_out in &types.left_out {
            println!("left out: {}, {}", left_out.instance, left_out.reason);
        }
        let before = InstanceFiles::read(out).unwrap_or_default();
        let (texts, not_joined) = InstanceTexts::join(&lists, &before.tables())?;
        print_not_joined(&not_joined);
        let catalog = InstanceCatalog::parse(&texts.tables(), &self.region)
            .context("the tables cannot be read back")?;
        ensure!(!catalog.is_empty(), "the lists have no type in common");
        let after = InstanceFiles::from(texts);
        let tables = FILES.iter().zip(before.0.iter().zip(&after.0));
        let tables = tables.map(|(name, (before, after))| (*name, &**before, &**after));
        show_differences(tables, lines);
        after.save(out)?;
        print_counts(&self.region, &InstanceCounts::of(&catalog));
        Ok(true)
    }
}

/// What is in a file, with its name if it cannot be read.
fn in_file<T, E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
    read: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T> {
    let place = || format!("cannot read {}", path.display());
    let bytes = std::fs::read(path).with_context(place)?;
    read(&bytes).with_context(place)
}

fn print_not_joined(not_joined: &NotJoined) {
    for (what, names) in [
        ("priced, size unknown", &not_joined.priced),
        ("measured, size unknown", &not_joined.measured),
        (
            "measured on another machine",
            &not_joined.measured_otherwise,
        ),
    ] {
        if !names.is_empty() {
            println!("left out: {what}: {}", names.join(" "));
        }
    }
    if not_joined.spot_rows > 0 {
        println!("left out: {} rows of the spot market", not_joined.spot_rows);
    }
}

pub(crate) fn print_counts(region: &str, counts: &InstanceCounts) {
    for (count, what) in [
        (counts.types, "instance types"),
        (counts.current, "of the current generation"),
        (counts.with_price, "with a price"),
        (counts.current_with_price, "current and with a price"),
        (
            counts.with_price_network_and_ebs,
            "with a price, network and EBS baseline",
        ),
        (
            counts.with_price_and_usable_memory,
            "with a price and usable memory",
        ),
        (
            counts.with_price_and_cpu_score,
            "with a price and a CPU score",
        ),
        (counts.complete, "with a price and all of these"),
        (counts.burstable, "burstable, with credits"),
        (counts.with_spot, "with saving and interruption on spot"),
    ] {
        println!("{region}: {count:5} {what}");
    }
}
