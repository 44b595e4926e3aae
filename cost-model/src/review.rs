//! How do the rows of many files become one report?
//!
//! A [`Tally`] is shown every row, by as many threads as one likes, each with a tally of its
//! own; [merged](Tally::merge), they make a [`Report`]. Nothing depends on the order of rows or
//! on which thread saw them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bursar_units::Currency;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cube::{day_number, number_of};
use crate::report::{
    CategoryLine, Change, ChargeLine, CostTotals, DayLine, GroupLine, GroupTable, Report,
    ServiceDay, ServiceLine,
};
use crate::{
    Attribution, Budget, BudgetBurn, BudgetError, Closing, Column, CostGroup, CostKind, CostRecord,
    Costs, Cube, DailySeries, DateRange, Dimension, ExactError, ExactSum, Forecast, ForecastError,
    Group, Growth, InvariantChecks, InvariantOptions, MAX_SERIES_DAYS, Opportunities,
    OpportunityError, OpportunityInputs, OpportunityScan, RejectedRow, Row, ScanOptions,
    SeriesError, TooManyDimensions,
};

/// What a review looks at and how; the default is everything in the bill.
///
/// ```
/// use bursar_cost_model::{BillReader, Column, Dimension, ReadOptions, ReviewOptions, Tally};
///
/// let bill = "\
/// BilledCost,BillingCurrency,ChargePeriodStart,RegionId
/// 5,USD,2024-01-31T23:00:00Z,eu-west-1
/// 7,USD,2024-02-01T00:00:00Z,us-east-1
/// ";
/// let mut options = ReviewOptions::default();
/// options.from = Some("2024-02-01".parse()?);
/// options.group_by = vec![Dimension::Column(Column::RegionId)];
/// let mut tally = Tally::new(&options)?;
/// let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default())?;
/// while let Some(row) = reader.next_row() {
///     tally.add(row)?;
/// }
/// assert_eq!((tally.counts().kept, tally.counts().outside), (2, 1));
/// let regions = tally.report(&options)?.groups.ok_or("regions were asked for")?;
/// assert_eq!(regions.lines.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReviewOptions {
    /// Only charges that start on this day (UTC) or later. Others are counted, not reviewed.
    pub from: Option<Date>,
    /// Only charges that start before this day (UTC). Others are counted, not reviewed.
    pub until: Option<Date>,
    /// A table of the costs by these dimensions.
    pub group_by: Vec<Dimension>,
    /// Up to which day the bill is closed: days without a row are then zero, not missing.
    pub closing: Closing,
    /// What the month of the last charge may cost, in which currency.
    pub budget: Option<(Currency, ExactSum)>,
    /// How the invariants are checked.
    pub invariants: InvariantOptions,
    /// What is known beside the bill; its window becomes that of the review.
    pub inputs: Option<OpportunityInputs>,
    /// Longer lists of rejected rows are cut and say so; the count is always whole.
    pub max_rejected: usize,
}

impl Default for ReviewOptions {
    fn default() -> ReviewOptions {
        ReviewOptions {
            from: None,
            until: None,
            group_by: Vec::new(),
            closing: Closing::Unknown,
            budget: None,
            invariants: InvariantOptions::default(),
            inputs: None,
            max_rejected: 10_000,
        }
    }
}

/// Why a review could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// The table asks for too many dimensions.
    #[error(transparent)]
    Dimensions(#[from] TooManyDimensions),
    /// A sum left its range.
    #[error(transparent)]
    Amount(#[from] ExactError),
    /// The opportunities could not be looked for.
    #[error(transparent)]
    Opportunities(#[from] OpportunityError),
    /// The days do not make a series.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// The days do not make a forecast.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// The budget is none.
    #[error(transparent)]
    Budget(#[from] BudgetError),
}

/// Gathers the rows of a bill.
///
/// ```
/// use bursar_cost_model::{BillReader, ReadOptions, ReviewOptions, Tally};
///
/// let file = "\
/// BilledCost,BillingCurrency,ChargePeriodStart,ServiceCategory,ServiceName
/// 119.81,USD,2024-01-01T00:00:00Z,Compute,Amazon Elastic Compute Cloud
/// 68.54,USD,2024-01-02T00:00:00Z,AI and Machine Learning,Amazon Bedrock
/// ";
/// let options = ReviewOptions::default();
/// let mut tally = Tally::new(&options)?;
/// let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default())?;
/// while let Some(row) = reader.next_row() {
///     tally.add(row)?;
/// }
/// let report = tally.report(&options)?;
/// assert_eq!(report.by_service[0].service, "Amazon Elastic Compute Cloud");
/// assert_eq!(report.by_service[0].costs.billed.as_ref().map(|b| b.to_string()).as_deref(), Some("119.81"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tally {
    /// The [numbers](number_of) of the days to review.
    from: Option<i32>,
    until: Option<i32>,
    max_rejected: usize,
    base: Cube,
    grouped: Option<Cube>,
    checks: InvariantChecks,
    /// One a currency; bills have few.
    scans: Vec<(Currency, OpportunityScan)>,
    /// The first and the last start of a charge that corrects no earlier one.
    charged: Option<(Timestamp, Timestamp)>,
    counts: RowCounts,
    rejected: Vec<RejectedRow>,
}

/// How many rows became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RowCounts {
    /// Rows of the file below its header.
    pub read: u64,
    /// Rows that became records.
    pub kept: u64,
    /// Rows that could not be read.
    pub rejected: u64,
    /// Records that start outside the window of the review, or at no known time.
    pub outside: u64,
}

impl RowCounts {
    fn add(&mut self, other: &RowCounts) {
        self.read += other.read;
        self.kept += other.kept;
        self.rejected += other.rejected;
        self.outside += other.outside;
    }
}

/// The dimensions that every report needs.
const BASE: [Dimension; 3] = [
    Dimension::Provider,
    Dimension::Column(Column::ServiceCategory),
    Dimension::Column(Column::ServiceName),
];

impl Tally {
    /// A tally that has seen nothing.
    ///
    /// # Errors
    /// [`ReviewError::Dimensions`] for more dimensions than a cube can have.
    pub fn new(options: &ReviewOptions) -> Result<Tally, ReviewError> {
        let grouped = match options.group_by.as_slice() {
            [] => None,
            dimensions => Some(Cube::new(dimensions.to_vec())?),
        };
        Ok(Tally {
            from: options.from.map(number_of),
            until: options.until.map(number_of),
            max_rejected: options.max_rejected,
            base: Cube::new(BASE.to_vec())?,
            grouped,
            checks: InvariantChecks::new(options.invariants.clone()),
            scans: Vec::new(),
            charged: None,
            counts: RowCounts::default(),
            rejected: Vec::new(),
        })
    }

    /// Adds one row of a file.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`].
    #[inline]
    pub fn add(&mut self, row: Row<'_>) -> Result<(), ExactError> {
        match row {
            Row::Record(record) => self.add_record(&record),
            Row::Rejected(rejected) => {
                self.reject(rejected);
                Ok(())
            }
        }
    }

    /// Adds one charge.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`].
    #[inline]
    pub fn add_record(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        self.counts.read += 1;
        self.counts.kept += 1;
        if !self.reviews(record.charge_period.start) {
            self.counts.outside += 1;
            return Ok(());
        }
        self.base.add(record)?;
        if let Some(grouped) = &mut self.grouped {
            grouped.add(record)?;
        }
        self.checks.add(record)?;
        if let Some(start) = record.charge_period.start
            && !record.is_correction()
        {
            self.charge(start, start);
        }
        self.scan(record.billing_currency).add(record)
    }

    /// Takes these two and what is between them into the time that charges are of.
    #[inline]
    fn charge(&mut self, first: Timestamp, last: Timestamp) {
        let (start, end) = self.charged.unwrap_or((first, last));
        self.charged = Some((start.min(first), end.max(last)));
    }

    /// The search for opportunities in one currency.
    #[inline]
    fn scan(&mut self, currency: Currency) -> &mut OpportunityScan {
        let found = self.scans.iter().position(|(c, _)| *c == currency);
        let at = found.unwrap_or_else(|| {
            let scan = OpportunityScan::new(ScanOptions::new(currency));
            self.scans.push((currency, scan));
            self.scans.len() - 1
        });
        &mut self.scans[at].1
    }

    /// Whether a charge that starts then is within the days to review.
    #[inline]
    fn reviews(&self, start: Option<Timestamp>) -> bool {
        let start = start.map(day_number);
        let late_enough = self
            .from
            .is_none_or(|from| start.is_some_and(|start| from <= start));
        let early_enough = self
            .until
            .is_none_or(|until| start.is_some_and(|start| start < until));
        late_enough && early_enough
    }

    /// Counts records that were kept without a review, such as those that went to a store.
    pub fn count_kept(&mut self, records: u64) {
        self.counts.read += records;
        self.counts.kept += records;
    }

    /// Counts a row that could not be read, and lists it while the list is short enough.
    pub fn reject(&mut self, rejected: RejectedRow) {
        self.counts.read += 1;
        self.counts.rejected += 1;
        self.rejected.push(rejected);
        // Threads see rows in any order, and the first lines are the ones to keep.
        if self.rejected.len() > self.max_rejected.saturating_mul(2) {
            self.shorten_rejected();
        }
    }

    fn shorten_rejected(&mut self) {
        self.rejected.sort_by_key(|row| row.line);
        self.rejected.truncate(self.max_rejected);
    }

    /// Adds what another tally with the same options has gathered.
    ///
    /// # Errors
    /// [`ReviewError::Amount`] when a sum leaves its range.
    pub fn merge(&mut self, other: Tally) -> Result<(), ReviewError> {
        self.base.merge(&other.base)?;
        if let (Some(mine), Some(theirs)) = (&mut self.grouped, &other.grouped) {
            mine.merge(theirs)?;
        }
        self.checks.merge(other.checks)?;
        if let Some((first, last)) = other.charged {
            self.charge(first, last);
        }
        for (currency, scan) in other.scans {
            self.scan(currency).merge(scan)?;
        }
        self.counts.add(&other.counts);
        self.rejected.extend(other.rejected);
        self.shorten_rejected();
        Ok(())
    }

    /// A step of [`BillReader::fold`](crate::BillReader::fold): breaks at the first failure.
    pub fn step(this: &mut Result<Tally, ReviewError>, row: Row<'_>) -> ControlFlow<()> {
        let Ok(tally) = this else {
            return ControlFlow::Break(());
        };
        match tally.add(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                *this = Err(error.into());
                ControlFlow::Break(())
            }
        }
    }

    /// How many rows became what.
    #[must_use]
    pub fn counts(&self) -> RowCounts {
        self.counts
    }

    /// The rows that could not be read, by line; at most as many as the options allow.
    #[must_use]
    pub fn rejected(&self) -> Vec<RejectedRow> {
        let mut rejected = self.rejected.clone();
        rejected.sort_by_key(|row| row.line);
        rejected.truncate(self.max_rejected);
        rejected
    }

    /// The costs by provider, service category and service.
    #[must_use]
    pub fn cube(&self) -> &Cube {
        &self.base
    }

    /// What the bill says.
    ///
    /// # Errors
    /// [`ReviewError`] when a sum leaves its range or the window is too long for a series.
    pub fn report(&self, options: &ReviewOptions) -> Result<Report, ReviewError> {
        let totals = self.base.totals()?;
        let main = main_currency(&totals);
        let mut report = Report {
            currency: main,
            totals: totals
                .iter()
                .map(|(c, costs)| (*c, CostTotals::of(costs)))
                .collect(),
            invariants: self.checks.clone().finish(),
            ..Report::default()
        };
        for (&currency, total) in &totals {
            let kind = leading_cost(total);
            report
                .by_service
                .extend(services(&self.base, currency, kind, total)?);
            report
                .by_category
                .extend(categories(&self.base, currency, kind, total)?);
            report.by_charge.extend(charges(&self.base, currency)?);
            report.daily.extend(days(&self.base, currency, kind)?);
        }
        report.groups = self
            .grouped
            .as_ref()
            .map(|cube| groups(cube, &totals))
            .transpose()?;
        report.notes.extend(self.unplaced(&totals)?);
        report.notes.extend(self.empty_dimensions());
        report.opportunities = self.opportunities(options)?;
        if let Some(currency) = main {
            let kind = totals.get(&currency).map_or(CostKind::Billed, leading_cost);
            report.cost = kind;
            self.analyze(&mut report, options, currency, kind)?;
        }
        Ok(report)
    }

    /// What of the bill is in no day, or in no currency.
    fn unplaced(&self, totals: &BTreeMap<Currency, Costs>) -> Result<Vec<String>, ExactError> {
        let undated = self
            .base
            .sum_by(|group| group.day.is_none(), |group| group.currency)?;
        let mut notes = Vec::new();
        for (currency, costs) in undated {
            let cost = &costs.of(leading_cost(&costs)).sum;
            notes.push(format!(
                "{} rows with {cost} {currency} have no start of their charge period: \
                 they are in the totals and in no day",
                costs.rows
            ));
        }
        if let Some(costs) = totals.get(&Currency::XXX) {
            notes.push(format!(
                "{} rows state no currency: they stand under XXX and are added to no other",
                costs.rows
            ));
        }
        Ok(notes)
    }

    /// Dimensions asked for that no row has a value for: a misspelled name looks like that.
    fn empty_dimensions(&self) -> Vec<String> {
        let Some(cube) = self.grouped.as_ref().filter(|cube| !cube.is_empty()) else {
            return Vec::new();
        };
        let is_empty = |at: usize| cube.groups().all(|group| group.values[at].is_none());
        let dimensions = cube.dimensions().iter().enumerate();
        dimensions
            .filter(|(at, _)| is_empty(*at))
            .map(|(_, dimension)| {
                format!("no row has a value for `{dimension}`, by which the table groups")
            })
            .collect()
    }

    /// What could be saved, by currency.
    fn opportunities(&self, options: &ReviewOptions) -> Result<Vec<Opportunities>, ReviewError> {
        let days = self.base.sum_by(|_| true, |group| group.day)?;
        let days = days
            .into_iter()
            .filter_map(|(day, costs)| Some((day?, costs)));
        let Some(window) = self.window(&days.collect(), options) else {
            return Ok(Vec::new());
        };
        let inputs = match &options.inputs {
            Some(inputs) => OpportunityInputs {
                window,
                ..inputs.clone()
            },
            None => OpportunityInputs::new(window),
        };
        let mut scans: Vec<_> = self.scans.iter().collect();
        scans.sort_by_key(|(currency, _)| *currency);
        scans
            .into_iter()
            .map(|(_, scan)| Ok(scan.finish(&inputs)?))
            .collect()
    }

    /// The days to review: those asked for, or else from the first day with a charge to the last.
    ///
    /// An invoice also has corrections of months long closed; they count as charges only where
    /// there are no others, or a month with one such row would be reviewed as two.
    fn window(&self, daily: &BTreeMap<Date, Costs>, options: &ReviewOptions) -> Option<DateRange> {
        let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
        let charged = self.charged.map(|(first, last)| day(first)..=day(last));
        let is_charged = |day: &&Date| charged.as_ref().is_some_and(|c| c.contains(*day));
        let days: Vec<Date> = match daily.keys().any(|day| is_charged(&day)) {
            true => daily.keys().filter(is_charged).copied().collect(),
            false => daily.keys().copied().collect(),
        };
        let start = options.from.or_else(|| days.first().copied())?;
        let end = options.until.or_else(|| days.last()?.tomorrow().ok())?;
        DateRange::new(start, end).ok()
    }

    /// Everything that needs the days of one currency in a row.
    fn analyze(
        &self,
        report: &mut Report,
        options: &ReviewOptions,
        currency: Currency,
        kind: CostKind,
    ) -> Result<(), ReviewError> {
        let daily = self.base.daily(currency)?;
        let Some(window) = self.window(&daily, options) else {
            return Ok(());
        };
        report.period = Some(window);
        let (daily, corrected): (BTreeMap<_, _>, BTreeMap<_, _>) = daily
            .into_iter()
            .partition(|(day, _)| window.contains(*day));
        report
            .notes
            .extend(corrections(&corrected, currency, kind)?);
        if window.day_count() > MAX_SERIES_DAYS {
            report.notes.push(format!(
                "the charges span {window}, more than {MAX_SERIES_DAYS} days: \
                 no trend and no forecast; review a shorter time"
            ));
            return Ok(());
        }
        let amounts = daily
            .iter()
            .map(|(day, costs)| (*day, costs.of(kind).sum.clone()));
        let series = DailySeries::new(window, options.closing, amounts)?;
        let summary = series.summary(PLACES)?;
        report.notes.extend(missing_days(&series));
        report.growth = Some(Growth::of(&series));
        report.volatility = summary.volatility;
        report.peak = summary.peak.clone();
        report.change = self.change(&daily, window, currency, kind)?;
        match forecast(&series, window) {
            Ok(forecast) => report.forecast = forecast,
            // What was billed is known all the same.
            Err(ReviewError::Forecast(ForecastError::Amount(error))) => {
                report
                    .notes
                    .push(format!("no forecast of these amounts: {error}"));
            }
            Err(other) => return Err(other),
        }
        report.summary = Some(summary);
        if let Some((budgeted, amount)) = &options.budget {
            match budget_burn(&series, window, (currency, *budgeted), amount)? {
                Ok(burn) => report.budget = Some(burn),
                Err(why) => report.notes.push(format!(
                    "the budget of {budgeted} {amount} is not judged: {why}"
                )),
            }
        }
        Ok(())
    }

    /// The change between two stretches of equal kind, by service.
    fn change(
        &self,
        daily: &BTreeMap<Date, Costs>,
        window: DateRange,
        currency: Currency,
        kind: CostKind,
    ) -> Result<Option<Change>, ReviewError> {
        let Some((before, after)) = stretches(daily, window) else {
            return Ok(None);
        };
        let by_service = |range: DateRange| -> Result<Vec<(String, ExactSum)>, ExactError> {
            let sums = self.base.sum_by(
                |group| group.currency == currency && group.day.is_some_and(|d| range.contains(d)),
                |group| service_name(group).to_owned(),
            )?;
            Ok(sums
                .into_iter()
                .map(|(service, costs)| (service, costs.of(kind).sum.clone()))
                .collect())
        };
        let by_service = Attribution::between(by_service(before)?, by_service(after)?)?;
        Ok(Some(Change {
            before,
            after,
            by_service,
        }))
    }
}

/// The places that averages and forecasts are rounded to.
const PLACES: u32 = 2;

/// The most days of a week that two stretches of a month are compared by.
const WEEK: usize = 7;

/// The currency of most rows: the one that figures of a single series are given in.
fn main_currency(totals: &BTreeMap<Currency, Costs>) -> Option<Currency> {
    // The first of several with the same count, so that the answer is always the same.
    totals
        .iter()
        .rev()
        .max_by_key(|(_, costs)| costs.rows)
        .map(|(&currency, _)| currency)
}

/// The billed cost, or the effective one where no row is billed (amortized files).
fn leading_cost(costs: &Costs) -> CostKind {
    let unknown = |kind| costs.of(kind).unknown_rows == costs.rows;
    if unknown(CostKind::Billed) && !unknown(CostKind::Effective) {
        CostKind::Effective
    } else {
        CostKind::Billed
    }
}

fn service_name<'c>(group: &Group<'c>) -> &'c str {
    group
        .values
        .get(2)
        .copied()
        .flatten()
        .unwrap_or("(no service)")
}

fn share(part: &Costs, total: &Costs, kind: CostKind) -> Option<f64> {
    let whole = total.of(kind).sum.to_f64();
    (whole != 0.0).then(|| part.of(kind).sum.to_f64() / whole * 100.0)
}

fn services(
    cube: &Cube,
    currency: Currency,
    kind: CostKind,
    total: &Costs,
) -> Result<Vec<ServiceLine>, ExactError> {
    let parts = cube.sum_by(
        |group| group.currency == currency,
        |group| {
            let provider = group.values.first().copied().flatten();
            ((provider, service_name(group)), cube.cost_group(group))
        },
    )?;
    // A service can be in several groups, as EC2 is with its network; its largest names it.
    let mut services: BTreeMap<_, (CostGroup, ExactSum, Costs)> = BTreeMap::new();
    for ((service, group), costs) in parts {
        let part = costs.of(kind).sum.clone();
        let line = services
            .entry(service)
            .or_insert_with(|| (group, part.clone(), Costs::default()));
        if part > line.1 {
            (line.0, line.1) = (group, part);
        }
        line.2.merge(&costs)?;
    }
    let mut services: Vec<_> = services.into_iter().collect();
    services.sort_by(|(_, a), (_, b)| b.2.of(kind).sum.cmp(&a.2.of(kind).sum));
    let lines = services
        .into_iter()
        .map(|((provider, service), (category, _, costs))| ServiceLine {
            service: service.to_owned(),
            provider: provider.map(str::to_owned),
            category,
            currency,
            share: share(&costs, total, kind),
            costs: CostTotals::of(&costs),
        });
    Ok(lines.collect())
}

fn categories(
    cube: &Cube,
    currency: Currency,
    kind: CostKind,
    total: &Costs,
) -> Result<Vec<CategoryLine>, ExactError> {
    let mut sums = cube.sum_by(|g| g.currency == currency, |group| cube.cost_group(group))?;
    let lines = CostGroup::ALL.into_iter().map(|category| {
        let costs = sums.remove(&category).unwrap_or_default();
        CategoryLine {
            category,
            currency,
            share: share(&costs, total, kind),
            costs: CostTotals::of(&costs),
        }
    });
    Ok(lines.collect())
}

fn charges(cube: &Cube, currency: Currency) -> Result<Vec<ChargeLine>, ExactError> {
    let sums = cube.sum_by(|g| g.currency == currency, |group| group.charge_category)?;
    let lines = sums.into_iter().map(|(charge_category, costs)| ChargeLine {
        charge_category,
        currency,
        costs: CostTotals::of(&costs),
    });
    Ok(lines.collect())
}

fn days(cube: &Cube, currency: Currency, kind: CostKind) -> Result<Vec<DayLine>, ExactError> {
    let sums = cube.sum_by(
        |group| group.currency == currency,
        |group| (group.day, service_name(group)),
    )?;
    let mut days: BTreeMap<Date, (Costs, Vec<ServiceDay>)> = BTreeMap::new();
    for ((day, service), costs) in sums {
        let Some(day) = day else { continue };
        let (total, services) = days.entry(day).or_default();
        total.merge(&costs)?;
        services.push(ServiceDay {
            service: service.to_owned(),
            cost: costs.of(kind).sum.clone(),
        });
    }
    let lines = days.into_iter().map(|(date, (costs, by_service))| DayLine {
        date,
        currency,
        costs: CostTotals::of(&costs),
        by_service,
    });
    Ok(lines.collect())
}

fn groups(cube: &Cube, totals: &BTreeMap<Currency, Costs>) -> Result<GroupTable, ExactError> {
    let key = |group: &Group<'_>| -> (Currency, Vec<Option<String>>) {
        (
            group.currency,
            group.values.iter().map(|v| v.map(str::to_owned)).collect(),
        )
    };
    let sums = cube.sum_by(|_| true, key)?;
    let mut lines: Vec<GroupLine> = sums
        .into_iter()
        .map(|((currency, values), costs)| {
            let total = totals.get(&currency);
            let share = total.and_then(|total| share(&costs, total, leading_cost(total)));
            GroupLine {
                values,
                currency,
                share,
                costs: CostTotals::of(&costs),
            }
        })
        .collect();
    // Stable: lines of the same cost stay in the order of their values.
    lines.sort_by(|a, b| (a.currency, b.costs.leading()).cmp(&(b.currency, a.costs.leading())));
    let dimensions = cube.dimensions().iter().map(ToString::to_string).collect();
    Ok(GroupTable { dimensions, lines })
}

/// What is told of corrections outside the days to review.
fn corrections(
    days: &BTreeMap<Date, Costs>,
    currency: Currency,
    kind: CostKind,
) -> Result<Option<String>, ExactError> {
    let (Some(first), Some(last)) = (days.keys().next(), days.keys().next_back()) else {
        return Ok(None);
    };
    let mut sum = ExactSum::ZERO;
    for costs in days.values() {
        sum.add_sum(&costs.of(kind).sum)?;
    }
    Ok(Some(format!(
        "{currency} {sum} corrects charges of {first} to {last}, outside the period: \
         in the total, and in no average, trend or forecast"
    )))
}

/// The days that no statistic counts.
fn missing_days(series: &DailySeries) -> Option<String> {
    let first = series.missing().first()?;
    let count = series.missing().len();
    Some(format!(
        "{count} days without a row, from {first} on, are not known to be closed: \
         no average, trend or forecast counts them"
    ))
}

/// The month of the last day.
fn last_month(window: DateRange) -> Option<DateRange> {
    DateRange::month_of(window.end().yesterday().ok()?).ok()
}

/// The cost of the last month at its end, where it has not ended and was seen from its start.
fn forecast(series: &DailySeries, window: DateRange) -> Result<Option<Forecast>, ReviewError> {
    match last_month(window) {
        Some(month) if month.end() > window.end() => Forecast::of(series, month, PLACES)
            .map(Some)
            .or_else(|error| match error {
                ForecastError::LateStart { .. } | ForecastError::NoOverlap { .. } => Ok(None),
                other => Err(other.into()),
            }),
        _ => Ok(None),
    }
}

/// How the budget of the last month stands, or why it cannot be judged.
fn budget_burn(
    series: &DailySeries,
    window: DateRange,
    (currency, budgeted): (Currency, Currency),
    amount: &ExactSum,
) -> Result<Result<BudgetBurn, String>, BudgetError> {
    if budgeted != currency {
        return Ok(Err(format!("most charges are in {currency}")));
    }
    let Some(month) = last_month(window) else {
        return Ok(Err("its month ends after the calendar".to_owned()));
    };
    match Budget::new(amount.clone(), month)?.burn(series, PLACES) {
        Ok(burn) => Ok(Ok(burn)),
        Err(BudgetError::Forecast(
            ForecastError::LateStart { .. } | ForecastError::NoOverlap { .. },
        )) => Ok(Err(format!(
            "the charges begin on {}, after the month does",
            window.start()
        ))),
        Err(BudgetError::Forecast(ForecastError::Amount(error))) => {
            Ok(Err(format!("its month cannot be forecast, for {error}")))
        }
        Err(other) => Err(other),
    }
}

/// Two stretches to compare: the last two calendar months where both are whole, or else the last
/// days with charges, at most a week, and as many before them.
fn stretches(daily: &BTreeMap<Date, Costs>, window: DateRange) -> Option<(DateRange, DateRange)> {
    // The first and the last part of a window may be cut out of their months.
    let is_whole = |part: &DateRange| DateRange::month_of(part.start()) == Ok(*part);
    let whole: Vec<DateRange> = window.months().filter(is_whole).collect();
    if let [.., before, after] = whole.as_slice() {
        return Some((*before, *after));
    }
    // Only days in a row: half a week against a whole one is no change.
    let last = *daily.keys().next_back()?;
    let days_in_a_row = (0..2 * WEEK)
        .take_while(|&n| days_before(last, n).is_some_and(|day| daily.contains_key(&day)))
        .count();
    let length = WEEK.min(days_in_a_row / 2);
    if length == 0 {
        return None;
    }
    let after = DateRange::new(days_before(last, length - 1)?, last.tomorrow().ok()?).ok()?;
    let before = DateRange::new(days_before(after.start(), length)?, after.start()).ok()?;
    Some((before, after))
}

fn days_before(day: Date, n: usize) -> Option<Date> {
    day.checked_sub(jiff::Span::new().try_days(i64::try_from(n).ok()?).ok()?)
        .ok()
}
