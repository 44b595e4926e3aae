//! What did each service, account, region or tag cost on each day?
//!
//! A [`Cube`] adds charges up by day and by as many dimensions as one asks for. It grows with
//! the number of groups, not of rows, and its sums are exact: parts that several threads
//! gathered [merge](Cube::merge) into the same cube in any order.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bursar_units::Currency;
use foldhash::{HashMap, HashMapExt};
use jiff::civil::Date;
use jiff::{Span, Timestamp};

use crate::intern::Interner;
use crate::record::is_typed;
use crate::write;
use crate::{ChargeCategory, Column, CostGroup, CostRecord, Costs, DateRange, ExactError};

/// Something that charges can be told apart by.
///
/// Its [`FromStr`] reads a FOCUS column (`ServiceName`, in any case), `CostGroup`, `Provider`,
/// `tag:NAME` for one tag, or the name of any other column of the file.
///
/// ```
/// use bursar_cost_model::{Column, Dimension};
///
/// assert_eq!("servicename".parse(), Ok(Dimension::Column(Column::ServiceName)));
/// assert_eq!("tag:team".parse(), Ok(Dimension::Tag("team".to_owned())));
/// assert_eq!("x_Team".parse(), Ok(Dimension::Extra("x_Team".to_owned())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// A column of FOCUS. Amounts are without zeros at their end and times in RFC 3339, however
    /// the source spells them.
    Column(Column),
    /// The five groups of a bill.
    CostGroup,
    /// `ServiceProviderName`, or else `ProviderName`.
    Provider,
    /// The value of one tag.
    Tag(String),
    /// A column that FOCUS does not know.
    Extra(String),
}

impl FromStr for Dimension {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Dimension, Self::Err> {
        if let Some(tag) = text.strip_prefix("tag:") {
            return Ok(Dimension::Tag(tag.to_owned()));
        }
        if let Some(column) = Column::from_name(text) {
            return Ok(Dimension::Column(column));
        }
        Ok(match text.to_ascii_lowercase().as_str() {
            "costgroup" | "group" => Dimension::CostGroup,
            "provider" => Dimension::Provider,
            _ => Dimension::Extra(text.to_owned()),
        })
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dimension::Column(column) => column.fmt(f),
            Dimension::CostGroup => f.write_str("CostGroup"),
            Dimension::Provider => f.write_str("Provider"),
            Dimension::Tag(tag) => write!(f, "tag:{tag}"),
            Dimension::Extra(name) => f.write_str(name),
        }
    }
}

/// More dimensions than a [`Cube`] can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} dimensions; a cube has at most {max}", max = Cube::MAX_DIMENSIONS)]
pub struct TooManyDimensions(pub usize);

/// Sums of charges by currency, day and dimensions.
///
/// A charge belongs to the UTC day on which its charge period starts.
///
/// ```
/// use bursar_cost_model::{Column, CostRecord, Cube, Dimension};
/// use bursar_units::Currency;
///
/// let mut cube = Cube::new(vec![Dimension::Column(Column::ServiceName)])?;
/// for (service, cost) in [("EC2", "119.81"), ("Bedrock", "68.54"), ("EC2", "0.19")] {
///     let mut record = CostRecord::new(Currency::USD);
///     record.set(Column::ServiceName, service);
///     record.billed_cost = Some(cost.parse()?);
///     cube.add(&record)?;
/// }
/// let by_service = cube.by(&Dimension::Column(Column::ServiceName), Currency::USD)?;
/// assert_eq!(by_service[&Some("EC2")].billed.sum.to_string(), "120");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cube {
    dimensions: Vec<Dimension>,
    interners: Vec<Interner>,
    groups: HashMap<Key, u32>,
    costs: Vec<Costs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    day: i32,
    currency: Currency,
    category: Option<ChargeCategory>,
    values: [u32; Cube::MAX_DIMENSIONS],
}

/// The day of a charge whose period has no start.
const NO_DAY: i32 = i32::MIN;

const SECONDS_PER_DAY: i64 = 86_400;

/// One group of a [`Cube`]: where it stands and what it costs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Group<'c> {
    /// The currency of the costs.
    pub currency: Currency,
    /// The UTC day; `None` for charges whose period has no start.
    pub day: Option<Date>,
    /// The kind of charge.
    pub charge_category: Option<ChargeCategory>,
    /// The values of the cube's dimensions, in their order; `None` is null.
    pub values: Vec<Option<&'c str>>,
    /// The sums.
    pub costs: &'c Costs,
}

impl Cube {
    /// The most dimensions of one cube.
    pub const MAX_DIMENSIONS: usize = 6;

    /// An empty cube of these dimensions, beside currency, day and charge category.
    ///
    /// # Errors
    /// [`TooManyDimensions`] for more than [`MAX_DIMENSIONS`](Cube::MAX_DIMENSIONS).
    pub fn new(dimensions: Vec<Dimension>) -> Result<Cube, TooManyDimensions> {
        if dimensions.len() > Cube::MAX_DIMENSIONS {
            return Err(TooManyDimensions(dimensions.len()));
        }
        let interners = dimensions.iter().map(|_| Interner::default()).collect();
        Ok(Cube {
            dimensions,
            interners,
            groups: HashMap::new(),
            costs: Vec::new(),
        })
    }

    /// The dimensions, in the order of [`Group::values`].
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.costs.len()
    }

    /// Whether nothing has been added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.costs.is_empty()
    }

    /// Adds one charge.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    #[inline]
    pub fn add(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        let mut values = [0; Cube::MAX_DIMENSIONS];
        for (at, dimension) in self.dimensions.iter().enumerate() {
            let interner = &mut self.interners[at];
            values[at] = match dimension {
                Dimension::Column(column) if is_typed(*column) => {
                    interner.id(typed_value(record, *column).as_deref())
                }
                Dimension::Column(column) => interner.id(record.text(*column)),
                Dimension::CostGroup => interner.id(Some(record.cost_group().name())),
                Dimension::Provider => interner.id(record.provider()),
                Dimension::Tag(tag) => interner.id(record.tag(tag).as_deref()),
                Dimension::Extra(name) => interner.id(record.extra(name)),
            };
        }
        let day = record.charge_period.start.map_or(NO_DAY, day_number);
        let (currency, category) = (record.billing_currency, record.charge_category);
        self.group(Key {
            day,
            currency,
            category,
            values,
        })
        .add(record)
    }

    /// The sums of a group, which begin at nothing.
    #[inline]
    fn group(&mut self, key: Key) -> &mut Costs {
        let Cube { groups, costs, .. } = self;
        let at = *groups.entry(key).or_insert_with(|| {
            costs.push(Costs::default());
            costs.len() as u32 - 1
        });
        &mut costs[at as usize]
    }

    /// Adds the charges of another cube.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    ///
    /// # Panics
    /// When the dimensions are not the same, which is a mistake of the caller.
    pub fn merge(&mut self, other: &Cube) -> Result<(), ExactError> {
        assert_eq!(
            self.dimensions, other.dimensions,
            "cubes of other dimensions do not merge"
        );
        for (key, &at) in &other.groups {
            let mut values = [0; Cube::MAX_DIMENSIONS];
            for (n, (mine, theirs)) in self.interners.iter_mut().zip(&other.interners).enumerate() {
                values[n] = mine.id(theirs.text(key.values[n]));
            }
            self.group(Key { values, ..*key })
                .merge(&other.costs[at as usize])?;
        }
        Ok(())
    }

    /// Every group, in no order that means anything.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.groups.iter().map(|(key, &at)| Group {
            currency: key.currency,
            day: date(key.day),
            charge_category: key.category,
            values: self
                .interners
                .iter()
                .zip(key.values)
                .map(|(i, id)| i.text(id))
                .collect(),
            costs: &self.costs[at as usize],
        })
    }

    /// The sums by anything that a group can be told by, of the groups that `keep` says.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    pub fn sum_by<'c, K: Ord>(
        &'c self,
        keep: impl Fn(&Group<'c>) -> bool,
        key: impl Fn(&Group<'c>) -> K,
    ) -> Result<BTreeMap<K, Costs>, ExactError> {
        let mut sums: BTreeMap<K, Costs> = BTreeMap::new();
        for group in self.groups().filter(keep) {
            sums.entry(key(&group)).or_default().merge(group.costs)?;
        }
        Ok(sums)
    }

    /// The totals by currency.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    pub fn totals(&self) -> Result<BTreeMap<Currency, Costs>, ExactError> {
        self.sum_by(|_| true, |group| group.currency)
    }

    /// The sums in one currency by the values of one of the cube's dimensions; by the one value
    /// null where the cube does not have that dimension.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    pub fn by(
        &self,
        dimension: &Dimension,
        currency: Currency,
    ) -> Result<BTreeMap<Option<&str>, Costs>, ExactError> {
        let at = self.dimensions.iter().position(|d| d == dimension);
        self.sum_by(
            |group| group.currency == currency,
            |group| at.and_then(|at| group.values.get(at).copied().flatten()),
        )
    }

    /// The sums in one currency by day; charges whose period has no start are left out.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    pub fn daily(&self, currency: Currency) -> Result<BTreeMap<Date, Costs>, ExactError> {
        let dated = self.sum_by(|group| group.currency == currency, |group| group.day)?;
        Ok(dated
            .into_iter()
            .filter_map(|(day, costs)| Some((day?, costs)))
            .collect())
    }

    /// Only the groups of these days.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`](crate::ExactSum::add).
    pub fn within(&self, window: DateRange) -> Result<Cube, ExactError> {
        let mut cube = Cube {
            groups: HashMap::new(),
            costs: Vec::new(),
            ..self.clone()
        };
        for (key, &at) in &self.groups {
            if date(key.day).is_some_and(|day| window.contains(day)) {
                cube.group(*key).merge(&self.costs[at as usize])?;
            }
        }
        Ok(cube)
    }

    /// The group of the five that a group's charges belong to, where the cube has the dimensions
    /// `ServiceCategory` and `ServiceName` to tell it by.
    #[must_use]
    pub fn cost_group(&self, group: &Group<'_>) -> CostGroup {
        let value = |column| {
            let at = self
                .dimensions
                .iter()
                .position(|d| *d == Dimension::Column(column))?;
            group.values.get(at).copied().flatten()
        };
        CostGroup::classify(value(Column::ServiceCategory), value(Column::ServiceName))
    }
}

/// The value of a column that a record understands: the same however its source spells it, and
/// for records that have no source.
fn typed_value<'r>(record: &'r CostRecord<'_>, column: Column) -> Option<Cow<'r, str>> {
    if let Some(amount) = write::amount(record, column) {
        Some(Cow::Owned(amount.normalized().to_string()))
    } else if let Some(time) = write::time(record, column) {
        Some(Cow::Owned(time.to_string()))
    } else {
        write::text(record, column).map(Cow::Borrowed)
    }
}

/// The number of the UTC day of an instant, from 1970-01-01 on.
#[inline]
pub(crate) fn day_number(time: Timestamp) -> i32 {
    // jiff's years −9999 to 9999 are fewer than 2³¹ days.
    time.as_second().div_euclid(SECONDS_PER_DAY) as i32
}

/// The number of a day, from 1970-01-01 on.
pub(crate) fn number_of(day: Date) -> i32 {
    let since = day.duration_since(Date::constant(1970, 1, 1));
    since.as_secs().div_euclid(SECONDS_PER_DAY) as i32
}

fn date(day: i32) -> Option<Date> {
    if day == NO_DAY {
        return None;
    }
    Date::constant(1970, 1, 1)
        .checked_add(Span::new().days(day))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_days_across_the_epoch() {
        for (time, day) in [
            ("1970-01-01T00:00:00Z", "1970-01-01"),
            ("1969-12-31T23:59:59Z", "1969-12-31"),
            ("2024-02-29T23:59:59Z", "2024-02-29"),
        ] {
            let number = day_number(time.parse().unwrap());
            let day: Date = day.parse().unwrap();
            assert_eq!(date(number), Some(day), "{time}");
            assert_eq!(number_of(day), number, "{time}");
        }
    }
}
