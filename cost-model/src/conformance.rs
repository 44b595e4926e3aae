//! Does a [`CostStore`] keep the contract of the port?
//!
//! [`run`] is the suite that every implementation passes, on any executor:
//!
//! ```
//! use bursar_cost_model::{MemoryStore, conformance};
//!
//! futures_executor::block_on(conformance::run(async || MemoryStore::new()));
//! ```

use async_trait::async_trait;
use bursar_units::Currency;

use crate::{
    ChargeCategory, Column, CostRecord, CostSource, CostStore, Exact, ExactSum, PartitionInfo,
    PartitionKey, Period, RecordsSource, Scan, SourceError, StoreError,
};

/// Shows that the stores that `make` makes keep the contract of [`CostStore`].
///
/// `make` is called once for each part of the suite, and makes a store that holds nothing.
///
/// # Panics
/// When a store breaks the contract; the message names the part.
pub async fn run<S: CostStore>(make: impl AsyncFn() -> S) {
    a_new_store_is_empty(&make().await).await;
    storing_twice_changes_nothing_but_the_revision(&make().await).await;
    other_records_replace_the_old(&make().await).await;
    partitions_are_independent(&make().await).await;
    a_failing_source_leaves_the_old_partition(&make().await).await;
    a_dropped_replacement_leaves_the_old_partition(&make().await).await;
    an_empty_partition_is_one(&make().await).await;
    a_removed_partition_is_forgotten(&make().await).await;
    scans_select_by_window_source_and_partition(&make().await).await;
    scans_are_ordered_by_source_partition_and_ordinal(&make().await).await;
    every_column_comes_back_as_it_was(&make().await).await;
    unknown_and_zero_stay_apart(&make().await).await;
    rows_that_are_alike_are_all_kept(&make().await).await;
    a_scan_sees_one_moment(&make().await).await;
    a_source_may_read_from_the_store(&make().await).await;
    batches_of_any_size_are_taken(&make().await).await;
}

async fn a_new_store_is_empty(store: &impl CostStore) {
    assert_eq!(partitions(store).await, []);
    assert_eq!(scanned(store, &Scan::default()).await, []);
}

async fn storing_twice_changes_nothing_but_the_revision(store: &impl CostStore) {
    let key = PartitionKey::new("aws", "2024-02");
    // More than one batch, with amounts whose sum no floating-point number keeps.
    let month = || (0..2500).map(|i| charge(&format!("{i}.0000000000000000000000000001")));
    let first = store_records(store, &key, month()).await;
    let total = billed(store, &Scan::default()).await;
    assert_eq!(first, PartitionInfo::new(key.clone(), 2500, 1));
    assert_eq!(total, "3123750.00000000000000000000000025");
    let second = store_records(store, &key, month()).await;
    assert_eq!(second, PartitionInfo::new(key.clone(), 2500, 2));
    assert_eq!(billed(store, &Scan::default()).await, total);
    assert_eq!(partitions(store).await, [second]);
    let expected: Vec<_> = month().collect();
    assert!(scanned(store, &Scan::default()).await == expected);
}

async fn other_records_replace_the_old(store: &impl CostStore) {
    let key = PartitionKey::new("aws", "2024-02");
    store_records(store, &key, (0..1500).map(|_| charge("1"))).await;
    // Fewer rows and then more: nothing of the longer one stays behind.
    for count in [3, 2000] {
        let info = store_records(store, &key, (0..count).map(|i| charge(&i.to_string()))).await;
        assert_eq!(info.records, count);
        let expected: Vec<_> = (0..count).map(|i| charge(&i.to_string())).collect();
        assert!(scanned(store, &Scan::default()).await == expected);
    }
}

async fn partitions_are_independent(store: &impl CostStore) {
    let keys = [("aws", "2024-02"), ("aws", "2024-03"), ("azure", "2024-02")];
    let keys = keys.map(|(source, partition)| PartitionKey::new(source, partition));
    for (key, cost) in keys.iter().zip(["1", "20", "300"]) {
        store_records(store, key, [charge(cost)]).await;
    }
    store_records(store, &keys[0], [charge("4000")]).await;
    assert_eq!(billed(store, &Scan::default()).await, "4320");
    let revisions: Vec<_> = partitions(store).await;
    let expected = [2, 1, 1]
        .into_iter()
        .zip(&keys)
        .map(|(revision, key)| PartitionInfo::new(key.clone(), 1, revision));
    assert!(expected.eq(revisions));
}

async fn a_failing_source_leaves_the_old_partition(store: &impl CostStore) {
    let key = PartitionKey::new("aws", "2024-02");
    let old = store_records(store, &key, [charge("1"), charge("2")]).await;
    for batches in [0, 1, 3] {
        for key in [&key, &PartitionKey::new("aws", "never stored")] {
            let mut failing = Failing { batches, sent: 0 };
            let error = store.replace_partition(key, &mut failing).await;
            match error {
                Err(StoreError::Source(error)) => {
                    assert_eq!(error.error.to_string(), "connection reset");
                }
                other => assert!(other.is_err(), "a failed source was committed: {other:?}"),
            }
            assert_eq!(partitions(store).await, std::slice::from_ref(&old));
            assert_eq!(billed(store, &Scan::default()).await, "3");
        }
    }
    // And the store goes on working.
    let info = store_records(store, &key, [charge("5")]).await;
    assert_eq!(info, PartitionInfo::new(key, 1, 2));
}

async fn a_dropped_replacement_leaves_the_old_partition(store: &impl CostStore) {
    let key = PartitionKey::new("aws", "2024-02");
    let old = store_records(store, &key, [charge("1")]).await;
    let mut stuck = Stuck { batches: 2 };
    let mut replacement = store.replace_partition(&key, &mut stuck);
    // Polled until the source is stuck, which wakes nobody again, and then dropped.
    let given_up = std::future::poll_fn(|context| {
        let polled = replacement.as_mut().poll(context);
        assert!(polled.is_pending(), "the source has not ended");
        std::task::Poll::Ready(())
    });
    given_up.await;
    drop(replacement);
    assert_eq!(partitions(store).await, [old]);
    assert_eq!(billed(store, &Scan::default()).await, "1");
    let info = store_records(store, &key, [charge("5")]).await;
    assert_eq!(info, PartitionInfo::new(key, 1, 2));
}

async fn an_empty_partition_is_one(store: &impl CostStore) {
    let key = PartitionKey::new("aws", "2024-02");
    let info = store_records(store, &key, []).await;
    assert_eq!(info, PartitionInfo::new(key.clone(), 0, 1));
    assert_eq!(partitions(store).await, [info]);
    store_records(store, &key, [charge("1")]).await;
    // A month that turns out to be empty holds nothing of what was thought before.
    store_records(store, &key, []).await;
    assert_eq!(scanned(store, &Scan::default()).await, []);
    assert_eq!(partitions(store).await, [PartitionInfo::new(key, 0, 3)]);
}

async fn a_removed_partition_is_forgotten(store: &impl CostStore) {
    let (gone, kept) = (PartitionKey::new("a", "1"), PartitionKey::new("a", "2"));
    store_records(store, &gone, [charge("1")]).await;
    store_records(store, &kept, [charge("20")]).await;
    for was_there in [true, false] {
        let removed = store.remove_partition(&gone).await;
        assert_eq!(removed.expect("a partition can be removed"), was_there);
        assert_eq!(billed(store, &Scan::default()).await, "20");
    }
    assert_eq!(partitions(store).await.len(), 1);
    let info = store_records(store, &gone, [charge("300")]).await;
    assert_eq!(info, PartitionInfo::new(gone, 1, 1));
}

async fn scans_select_by_window_source_and_partition(store: &impl CostStore) {
    let starts = [
        "2024-01-31T23:59:59.999999999Z",
        "2024-02-01T00:00:00Z",
        "2024-02-01T00:00:00.000000001Z",
        "2024-02-29T23:59:59.5Z",
        "2024-03-01T00:00:00Z",
        "-000001-06-01T00:00:00Z",
        "9999-12-30T00:00:00Z",
    ];
    for (source, partition, unit) in [
        ("aws", "2024-02", 1),
        ("aws", "2024-03", 1000),
        ("azure", "2024-02", 1_000_000),
    ] {
        let at = |start: &&str| started(unit, start);
        let mut records: Vec<_> = starts.iter().map(at).collect();
        // A charge that says not when it was incurred is in no window.
        records.push(charge(&(unit * 500).to_string()));
        store_records(store, &PartitionKey::new(source, partition), records).await;
    }
    let window = |text: &str| text.parse().map(Scan::within).expect("a range of dates");
    let aws = |mut scan: Scan| {
        scan.source = Some("aws".to_owned());
        scan
    };
    let february = Scan {
        partition: Some("2024-02".to_owned()),
        ..Scan::default()
    };
    let azure = Scan::of_partition(&PartitionKey::new("azure", "2024-02"));
    let unknown = Scan::of_partition(&PartitionKey::new("azure", "2024-03"));
    for (scan, total) in [
        (Scan::default(), "507507507"),
        (window("2024-02"), "3003003"),
        (window("2024-02-29..2024-03-02"), "2002002"),
        (window("2025-01"), "0"),
        (window("9999-12-01..9999-12-31"), "1001001"),
        (aws(Scan::default()), "507507"),
        (aws(window("2024-02")), "3003"),
        (february, "507000507"),
        (azure, "507000000"),
        (unknown, "0"),
    ] {
        assert_eq!(billed(store, &scan).await, total, "{scan:?}");
    }
    let before_the_common_era =
        crate::DateRange::new(jiff::civil::date(-2, 1, 1), jiff::civil::date(1, 1, 1));
    let scan = Scan::within(before_the_common_era.expect("a range of dates"));
    assert_eq!(billed(store, &scan).await, "1001001", "{scan:?}");
}

async fn scans_are_ordered_by_source_partition_and_ordinal(store: &impl CostStore) {
    // By bytes: upper case before lower, nothing folded, no number recognized.
    let ordered = [
        ("", ""),
        ("AWS", "9"),
        ("aws", "10"),
        ("aws", "9"),
        ("aws/payer", "1"),
        ("azure", "'; DROP TABLE records; --"),
        ("ÅWS", "1"),
    ];
    let keys = ordered.map(|(source, partition)| PartitionKey::new(source, partition));
    // Stored in another order, each with more than one batch.
    for at in [3, 0, 6, 2, 5, 1, 4] {
        let records = (0..1100).map(|i| charge(&(at * 10_000 + i).to_string()));
        store_records(store, &keys[at], records).await;
    }
    let infos = partitions(store).await;
    assert!(infos.iter().map(|info| &info.key).eq(&keys));
    let costs = scanned(store, &Scan::default()).await;
    let costs = costs.into_iter().map(|record| record.billed_cost);
    let expected = (0..7).flat_map(|at| (0..1100).map(move |i| at * 10_000 + i));
    assert!(costs.eq(expected.map(|cost| Some(Exact::from(cost)))));
}

async fn every_column_comes_back_as_it_was(store: &impl CostStore) {
    let mut records: Vec<_> = [
        "99999999999999999999999.999999999999999",
        "-99999999999999999999999.999999999999999",
        "1.2345678901234567890123456789012345678",
        "-0.0000000000000000000000000000000000001",
        "0.0000000000000000000000000000000000000",
        "119.810",
    ]
    .map(full)
    .into();
    for category in ChargeCategory::ALL {
        let mut record = charge("-1.50");
        record.charge_category = Some(category);
        records.push(record);
    }
    let key = PartitionKey::new("aws", "2024-02");
    store_records(store, &key, records.clone()).await;
    let stored = scanned(store, &Scan::default()).await;
    assert_eq!(stored.len(), records.len());
    for (stored, record) in stored.iter().zip(&records) {
        assert!(stored == record, "{stored:?} is not {record:?}");
        assert_eq!(stored.line, record.line);
        assert!(stored.extras().eq(record.extras()));
        for column in Column::ALL.iter().filter(|c| !crate::record::is_typed(**c)) {
            assert_eq!(stored.text(*column), record.text(*column), "{column}");
        }
        // The places that the source gave are kept, not only the number.
        assert_eq!(places(stored), places(record));
    }
}

async fn unknown_and_zero_stay_apart(store: &impl CostStore) {
    let unknown = CostRecord::new(Currency::EUR);
    let mut zero = charge("0");
    zero.effective_cost = Some(Exact::ZERO);
    zero.set(Column::ServiceName, "");
    zero.set(Column::Tags, "null");
    zero.add_extra("x_Empty", "");
    let key = PartitionKey::new("aws", "2024-02");
    store_records(store, &key, [unknown, zero]).await;
    let stored = scanned(store, &Scan::default()).await;
    assert_eq!(stored[0].billed_cost, None);
    assert_eq!(stored[0].billing_currency, Currency::EUR);
    assert_eq!(stored[0].charge_category, None);
    assert_eq!(stored[0].charge_period, Period::default());
    assert_eq!((stored[0].line, stored[0].columns().count()), (None, 0));
    assert_eq!(stored[0].extras().count(), 0);
    assert_eq!(stored[1].billed_cost, Some(Exact::ZERO));
    assert_eq!(stored[1].effective_cost, Some(Exact::ZERO));
    assert_eq!(stored[1].list_cost, None);
    // A text that is empty, or spells a null, is a text.
    assert_eq!(stored[1].text(Column::ServiceName), Some(""));
    assert_eq!(stored[1].text(Column::Tags), Some("null"));
    assert_eq!(stored[1].extra("x_Empty"), Some(""));
}

async fn rows_that_are_alike_are_all_kept(store: &impl CostStore) {
    let key = PartitionKey::new("aws", "2024-02");
    let info = store_records(store, &key, (0..1200).map(|_| full("-0.01"))).await;
    assert_eq!(info.records, 1200);
    assert_eq!(billed(store, &Scan::default()).await, "-12");
}

async fn a_scan_sees_one_moment(store: &impl CostStore) {
    let key = |name: &str| PartitionKey::new("aws", name);
    for name in ["1", "2", "3"] {
        store_records(store, &key(name), (0..3000).map(|_| charge("1"))).await;
    }
    let mut scan = open(store, &Scan::default()).await;
    let begun = next(&mut *scan).await.expect("there are records");
    for name in ["1", "2"] {
        store_records(store, &key(name), (0..3000).map(|_| charge("1000"))).await;
    }
    let removed = store.remove_partition(&key("3")).await;
    assert!(removed.expect("a partition can be removed"));
    store_records(store, &key("4"), [charge("1000000")]).await;
    let mut seen = begun;
    while let Some(batch) = next(&mut *scan).await {
        seen.extend(batch);
    }
    assert_eq!(sum(&seen), "9000");
    assert!(
        next(&mut *scan).await.is_none(),
        "an ended scan stays ended"
    );
    assert_eq!(billed(store, &Scan::default()).await, "7000000");
}

async fn a_source_may_read_from_the_store(store: &impl CostStore) {
    let (from, to) = (PartitionKey::new("aws", "1"), PartitionKey::new("aws", "2"));
    store_records(store, &from, (0..3000).map(|_| charge("1"))).await;
    store_records(store, &to, [charge("7")]).await;
    let mut copy = Looking {
        store,
        scan: open(store, &Scan::of_partition(&from)).await,
        batches: 0,
    };
    let info = store.replace_partition(&to, &mut copy).await;
    assert_eq!(
        info.expect("a partition can be stored"),
        PartitionInfo::new(to, 3000, 2)
    );
    assert!(copy.batches > 0);
    assert_eq!(billed(store, &Scan::default()).await, "6000");
}

async fn batches_of_any_size_are_taken(store: &impl CostStore) {
    let batches = [0usize, 1, 0, 5000, 0, 0, 7];
    let mut source = Batches(batches.map(|n| vec![charge("1"); n]).into_iter());
    let key = PartitionKey::new("aws", "2024-02");
    let info = store.replace_partition(&key, &mut source).await;
    assert_eq!(
        info.expect("a partition can be stored"),
        PartitionInfo::new(key, 5008, 1)
    );
    assert_eq!(billed(store, &Scan::default()).await, "5008");
}

/// Yields batches of ones, and then fails.
struct Failing {
    batches: u64,
    sent: u64,
}

#[async_trait]
impl CostSource for Failing {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        if self.sent == self.batches {
            return Err(SourceError::new(self.sent * 100, "connection reset"));
        }
        self.sent += 1;
        Ok(Some(vec![charge("1"); 100]))
    }
}

/// Yields batches of ones, and then nothing, for ever.
struct Stuck {
    batches: u64,
}

#[async_trait]
impl CostSource for Stuck {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        if self.batches == 0 {
            std::future::pending::<()>().await;
        }
        self.batches -= 1;
        Ok(Some(vec![charge("1"); 100]))
    }
}

/// Copies a scan, and looks at the store before each batch: nothing has changed yet.
struct Looking<'s, S> {
    store: &'s S,
    scan: Box<dyn CostSource>,
    batches: u64,
}

#[async_trait]
impl<S: CostStore> CostSource for Looking<'_, S> {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        assert_eq!(billed(self.store, &Scan::default()).await, "3007");
        assert_eq!(partitions(self.store).await.len(), 2);
        self.batches += 1;
        self.scan.next_batch().await
    }
}

/// Yields these batches.
struct Batches<I>(I);

#[async_trait]
impl<I: Iterator<Item = Vec<CostRecord<'static>>> + Send> CostSource for Batches<I> {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        Ok(self.0.next())
    }
}

/// A charge of which nothing is known but its cost.
fn charge(billed: &str) -> CostRecord<'static> {
    let mut record = CostRecord::new(Currency::USD);
    record.billed_cost = Some(billed.parse().expect("the suite's amounts are numbers"));
    record
}

fn started(cost: i64, start: &str) -> CostRecord<'static> {
    let mut record = charge(&cost.to_string());
    record.charge_period.start = Some(start.parse().expect("the suite's times are times"));
    record
}

/// A charge with a value in every column; the texts are such as break careless quoting.
fn full(cost: &str) -> CostRecord<'static> {
    let mut record = started(0, "2024-02-01T00:00:00.123456789Z");
    let amount = record.billed_cost.insert(cost.parse().expect("a number"));
    let amount = Some(*amount);
    record.effective_cost = amount;
    record.list_cost = amount;
    record.contracted_cost = amount;
    record.list_unit_price = amount;
    record.contracted_unit_price = amount;
    record.pricing_quantity = amount;
    record.consumed_quantity = amount;
    record.charge_category = Some(ChargeCategory::Usage);
    record.charge_period.end = record.charge_period.start;
    record.billing_period.start = Some(jiff::Timestamp::MIN);
    record.billing_period.end = Some(jiff::Timestamp::MAX);
    record.line = Some(1_000_000_007);
    for column in Column::ALL.iter().filter(|c| !crate::record::is_typed(**c)) {
        record.set(*column, format!("{column} 'a' \"b\"\n\0 é 1.50 🦀"));
    }
    record.set(Column::Tags, r#"{"team": "search", "note": "a \"b\""}"#);
    for (name, value) in [
        ("x_Team", "search"),
        ("X_TEAM", "another"),
        ("", "a column without a name"),
        ("x_\"quoted\"\\", "\"\\\n\0"),
        // A header may repeat a name; its order is part of what the file says.
        ("a", "1"),
        ("a", "2"),
        ("BilledCost", "a second column of this name"),
    ] {
        record.add_extra(name, value);
    }
    record
}

/// The decimal places of the amounts of a record.
fn places(record: &CostRecord<'_>) -> [Option<u32>; 3] {
    [
        record.billed_cost,
        record.contracted_unit_price,
        record.consumed_quantity,
    ]
    .map(|amount| amount.map(Exact::scale))
}

async fn store_records(
    store: &impl CostStore,
    key: &PartitionKey,
    records: impl IntoIterator<Item = CostRecord<'static>, IntoIter: Send>,
) -> PartitionInfo {
    let mut source = RecordsSource::new(records);
    let stored = store.replace_partition(key, &mut source).await;
    stored.expect("a partition can be stored")
}

async fn partitions(store: &impl CostStore) -> Vec<PartitionInfo> {
    let partitions = store.partitions().await;
    partitions.expect("the partitions can be listed")
}

async fn open(store: &impl CostStore, scan: &Scan) -> Box<dyn CostSource> {
    let source = store.scan(scan).await;
    source.expect("a scan can be opened")
}

async fn next(source: &mut dyn CostSource) -> Option<Vec<CostRecord<'static>>> {
    let batch = source.next_batch().await;
    batch.expect("a scan can be read")
}

async fn scanned(store: &impl CostStore, scan: &Scan) -> Vec<CostRecord<'static>> {
    let mut source = open(store, scan).await;
    let mut records = Vec::new();
    while let Some(mut batch) = next(&mut *source).await {
        records.append(&mut batch);
    }
    records
}

/// The total of a scan, as text.
async fn billed(store: &impl CostStore, scan: &Scan) -> String {
    sum(&scanned(store, scan).await)
}

fn sum(records: &[CostRecord<'_>]) -> String {
    let mut sum = ExactSum::default();
    for cost in records.iter().filter_map(|record| record.billed_cost) {
        sum.add(cost).expect("the suite's sums are small");
    }
    sum.to_string()
}
