//! How many records a second does the store take and give?
//!
//! `cargo run --release --package bursar-sqlite --example throughput -- [RECORDS] [FOLDER]`
//!
//! Stores a partition of synthetic rows (half a million unless told otherwise; 36 columns,
//! about 800 bytes stored, like a row of an AWS export), replaces it, and scans it twice: whole, and for one
//! day of its thirty. The file is made in FOLDER, else in the folder for temporary files.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bursar_cost_model::{
    BillReader, CostRecord, CostSource, CostStore, ExactSum, PartitionKey, ReadOptions, Row, Scan,
    SourceError,
};
use bursar_sqlite::SqliteStore;

type Error = Box<dyn std::error::Error>;

const HEADER: &str = "AvailabilityZone,BilledCost,BillingAccountId,BillingAccountName,\
BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargeDescription,\
ChargeFrequency,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,ContractedCost,\
ContractedUnitPrice,EffectiveCost,InvoiceIssuerName,ListCost,ListUnitPrice,PricingCategory,\
PricingQuantity,PricingUnit,ProviderName,PublisherName,RegionId,RegionName,ResourceId,\
ServiceCategory,ServiceName,SkuId,SkuPriceId,SubAccountId,SubAccountName,Tags,x_Team\n";

/// Yields the same hundred rows of each of thirty days over and over.
struct Repeated {
    rows: Vec<CostRecord<'static>>,
    left: usize,
}

#[async_trait]
impl CostSource for Repeated {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        let count = self.left.min(1024);
        let rows = self.rows.iter().cycle().skip(self.left % self.rows.len());
        let batch: Vec<_> = rows.take(count).cloned().collect();
        self.left -= count;
        Ok((!batch.is_empty()).then_some(batch))
    }
}

fn rows() -> Result<Vec<CostRecord<'static>>, Error> {
    let mut file = HEADER.to_owned();
    for i in 0..3000 {
        let day = i % 30 + 1;
        file += &format!(
            "us-west-2a,0.{i:011},1234567890123,Production,USD,2024-10-01T00:00:00Z,\
             2024-09-01T00:00:00Z,Usage,\"$0.0416 per On Demand Linux t3.medium Instance Hour\",\
             Usage-Based,2024-09-{day:02}T23:00:00Z,2024-09-{day:02}T22:00:00Z,1.000000000000000,\
             Hours,0.{i:011},0.0416,0.{i:011},\"Amazon Web Services, Inc.\",0.{i:011},0.0416,\
             Standard,1.00000000000,Hours,AWS,\"Amazon Web Services, Inc.\",us-west-2,\
             US West (Oregon),arn:aws:ec2:us-west-2:347410479675:instance/i-032f64f2065481b{i:02x},\
             Compute,Amazon Elastic Compute Cloud,G95FST5FTYV3JSRX,\
             G95FST5FTYV3JSRX.JRTCKXETXF.VXGXCWQKTY,51738928782,Search,\
             \"{{\"\"application\"\": \"\"search\"\", \"\"environment\"\": \"\"production\"\"}}\",\
             team-{}\n",
            i % 7
        );
    }
    let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default())?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row() {
        match row {
            Row::Record(record) => rows.push(record.into_owned()),
            Row::Rejected(rejected) => return Err(rejected.into()),
        }
    }
    Ok(rows)
}

async fn read(store: &SqliteStore, scan: &Scan) -> Result<(usize, ExactSum), Error> {
    let mut source = store.scan(scan).await?;
    let (mut count, mut billed) = (0, ExactSum::default());
    while let Some(batch) = source.next_batch().await? {
        count += batch.len();
        for record in batch {
            billed.add(record.billed_cost.ok_or("a row without a cost")?)?;
        }
    }
    Ok((count, billed))
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured here is the time that passes"
)]
fn now() -> Instant {
    Instant::now()
}

fn report(what: &str, records: usize, elapsed: Duration) {
    let rate = records as f64 / elapsed.as_secs_f64();
    println!("{what:24} {records:>9} records {elapsed:>9.2?} {rate:>9.0} records/s");
}

async fn measure(records: usize, path: PathBuf) -> Result<(), Error> {
    let store = SqliteStore::open(&path)?;
    let key = PartitionKey::new("synthetic", "2024-09");
    let rows = rows()?;
    for what in ["store", "replace"] {
        let mut source = Repeated {
            rows: rows.clone(),
            left: records,
        };
        let started = now();
        store.replace_partition(&key, &mut source).await?;
        report(what, records, started.elapsed());
    }
    for (what, scan) in [
        ("scan", Scan::default()),
        (
            "scan for one day",
            Scan::within("2024-09-17..2024-09-18".parse()?),
        ),
    ] {
        let started = now();
        let (count, billed) = read(&store, &scan).await?;
        report(what, records, started.elapsed());
        println!("{:24} {count:>9} of them, billed {billed}", "");
    }
    drop(store);
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "the file has {} bytes a record",
        bytes / records.max(1) as u64
    );
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let records = arguments.next().map_or(Ok(500_000), |n| n.parse())?;
    let parent = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(parent)?;
    futures_executor::block_on(measure(records, folder.path().join("costs.db")))
}
