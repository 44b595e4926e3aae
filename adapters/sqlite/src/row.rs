//! How does a record become a row of the table `records`, and a row a record again?

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use bursar_cost_model::{
    ChargeCategory, Column, CostRecord, Exact, PartitionKey, Scan, StoreError,
};
use bursar_units::Currency;
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Row, Statement};
use serde::de::{MapAccess, Visitor};
use serde::{Deserializer, Serializer};

use crate::SqliteError;
use crate::error::store_error;

/// Where the columns of a row are, as [`INSERT`] and [`SELECT`] name them: first the ordinal and
/// the line, then every [`Column`], at last the extras.
const ORDINAL: usize = 0;
const LINE: usize = 1;
const FIRST_COLUMN: usize = 2;
const EXTRAS: usize = FIRST_COLUMN + Column::COUNT;
/// Only [`INSERT`] has it.
const PARTITION: usize = EXTRAS + 1;

fn place(column: Column) -> usize {
    FIRST_COLUMN + column as usize
}

fn column_names() -> String {
    let names: Vec<_> = Column::ALL.iter().map(|column| column.name()).collect();
    format!("Ordinal, Line, {}, Extras", names.join(", "))
}

/// Adds a row.
pub(crate) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let names = column_names();
    let values = vec!["?"; PARTITION + 1].join(", ");
    format!("INSERT INTO records ({names}, PartitionId) VALUES ({values})")
});

/// The rows of one partition, in order.
pub(crate) static SELECT: LazyLock<String> = LazyLock::new(|| {
    let names = column_names();
    format!("SELECT {names} FROM records WHERE PartitionId = ? ORDER BY Ordinal")
});

/// Binds a record to [`INSERT`] and runs it.
pub(crate) fn insert(
    statement: &mut Statement<'_>,
    partition_id: i64,
    ordinal: i64,
    record: &CostRecord<'_>,
) -> Result<(), SqliteError> {
    let unstorable = |reason: String| SqliteError::Unstorable {
        ordinal: ordinal.unsigned_abs(),
        reason,
    };
    let line = record.line.map(i64::try_from).transpose();
    let line = line.map_err(|_| unstorable(format!("its line {:?} is past 2^63", record.line)))?;
    let extras = extras_to_json(record).map_err(|e| unstorable(format!("its extras: {e}")))?;
    // SQLite counts parameters from 1.
    statement.raw_bind_parameter(ORDINAL + 1, ordinal)?;
    statement.raw_bind_parameter(LINE + 1, line)?;
    statement.raw_bind_parameter(EXTRAS + 1, extras)?;
    statement.raw_bind_parameter(PARTITION + 1, partition_id)?;
    for (column, text) in Column::ALL.iter().zip(texts(record)) {
        statement.raw_bind_parameter(place(*column) + 1, text)?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// The text of every column of a record; of the typed ones, what their fields say.
fn texts<'r>(record: &'r CostRecord<'_>) -> [Option<Cow<'r, str>>; Column::COUNT] {
    let mut texts = [const { None }; Column::COUNT];
    for (column, text) in record.columns() {
        texts[column as usize] = Some(Cow::Borrowed(text));
    }
    let mut typed = |column: Column, text: Option<String>| {
        texts[column as usize] = text.map(Cow::Owned);
    };
    for (column, amount) in [
        (Column::BilledCost, record.billed_cost),
        (Column::EffectiveCost, record.effective_cost),
        (Column::ListCost, record.list_cost),
        (Column::ContractedCost, record.contracted_cost),
        (Column::ListUnitPrice, record.list_unit_price),
        (Column::ContractedUnitPrice, record.contracted_unit_price),
        (Column::PricingQuantity, record.pricing_quantity),
        (Column::ConsumedQuantity, record.consumed_quantity),
    ] {
        typed(column, amount.map(|amount| amount.to_string()));
    }
    for (column, time) in [
        (Column::ChargePeriodStart, record.charge_period.start),
        (Column::ChargePeriodEnd, record.charge_period.end),
        (Column::BillingPeriodStart, record.billing_period.start),
        (Column::BillingPeriodEnd, record.billing_period.end),
    ] {
        typed(column, time.map(|time| time.to_string()));
    }
    let currency = record.billing_currency.code();
    texts[Column::BillingCurrency as usize] = Some(Cow::Borrowed(currency));
    let category = record.charge_category.map(ChargeCategory::name);
    texts[Column::ChargeCategory as usize] = category.map(Cow::Borrowed);
    texts
}

/// A row of [`SELECT`], and which record it is to be.
pub(crate) struct StoredRow<'a> {
    pub(crate) row: &'a Row<'a>,
    pub(crate) key: &'a PartitionKey,
    pub(crate) ordinal: u64,
}

impl StoredRow<'_> {
    /// The record; `None` if the scan does not want it.
    pub(crate) fn decode(&self, scan: &Scan) -> Result<Option<CostRecord<'static>>, StoreError> {
        self.check_ordinal()?;
        let currency = self.typed(Column::BillingCurrency, |code| {
            Currency::from_code(code).ok()
        })?;
        let mut record = CostRecord::new(match currency {
            Some(currency) => currency,
            None => return Err(self.corrupt("BillingCurrency", "NULL")),
        });
        record.charge_period.start = self.time(Column::ChargePeriodStart)?;
        if !scan.includes_charge(&record) {
            return Ok(None);
        }
        record.line = self.line()?;
        for &column in Column::ALL {
            self.decode_column(column, &mut record)?;
        }
        if let Some(json) = self.text(EXTRAS, "Extras")? {
            read_extras(json, &mut record).map_err(|_| self.corrupt("Extras", json))?;
        }
        Ok(Some(record))
    }

    fn decode_column(
        &self,
        column: Column,
        record: &mut CostRecord<'static>,
    ) -> Result<(), StoreError> {
        match column {
            Column::BilledCost => record.billed_cost = self.amount(column)?,
            Column::EffectiveCost => record.effective_cost = self.amount(column)?,
            Column::ListCost => record.list_cost = self.amount(column)?,
            Column::ContractedCost => record.contracted_cost = self.amount(column)?,
            Column::ListUnitPrice => record.list_unit_price = self.amount(column)?,
            Column::ContractedUnitPrice => record.contracted_unit_price = self.amount(column)?,
            Column::PricingQuantity => record.pricing_quantity = self.amount(column)?,
            Column::ConsumedQuantity => record.consumed_quantity = self.amount(column)?,
            Column::ChargeCategory => {
                record.charge_category = self.typed(column, ChargeCategory::from_name)?;
            }
            Column::ChargePeriodEnd => record.charge_period.end = self.time(column)?,
            Column::BillingPeriodStart => record.billing_period.start = self.time(column)?,
            Column::BillingPeriodEnd => record.billing_period.end = self.time(column)?,
            // These two were read first.
            Column::BillingCurrency | Column::ChargePeriodStart => {}
            _ => {
                if let Some(text) = self.text(place(column), column.name())? {
                    record.set(column, text.to_owned());
                }
            }
        }
        Ok(())
    }

    /// A gap would be a row that was lost.
    fn check_ordinal(&self) -> Result<(), StoreError> {
        match self.value(ORDINAL)? {
            ValueRef::Integer(n) if u64::try_from(n) == Ok(self.ordinal) => Ok(()),
            other => Err(self.corrupt("Ordinal", &shown(other))),
        }
    }

    fn line(&self) -> Result<Option<u64>, StoreError> {
        match self.value(LINE)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(line @ 0..) => Ok(Some(line.unsigned_abs())),
            other => Err(self.corrupt("Line", &shown(other))),
        }
    }

    fn amount(&self, column: Column) -> Result<Option<Exact>, StoreError> {
        self.typed(column, |text| text.parse().ok())
    }

    fn time(&self, column: Column) -> Result<Option<Timestamp>, StoreError> {
        self.typed(column, |text| text.parse().ok())
    }

    fn typed<T>(
        &self,
        column: Column,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let text = self.text(place(column), column.name())?;
        text.map(|text| parse(text).ok_or_else(|| self.corrupt(column.name(), text)))
            .transpose()
    }

    fn text(&self, at: usize, column: &str) -> Result<Option<&str>, StoreError> {
        let value = self.value(at)?;
        match value {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.corrupt(column, &shown(value))),
            },
            _ => Err(self.corrupt(column, &shown(value))),
        }
    }

    fn value(&self, at: usize) -> Result<ValueRef<'_>, StoreError> {
        self.row.get_ref(at).map_err(store_error)
    }

    #[cold]
    fn corrupt(&self, column: &str, value: &str) -> StoreError {
        corrupt(self.key, self.ordinal, column, value)
    }
}

/// Longer values are shortened in an error.
const SHOWN_BYTES: usize = 200;

#[cold]
pub(crate) fn corrupt(key: &PartitionKey, ordinal: u64, column: &str, value: &str) -> StoreError {
    StoreError::Corrupt {
        key: key.clone(),
        ordinal,
        column: column.to_owned(),
        value: shortened(value).to_owned(),
    }
}

fn shortened(value: &str) -> &str {
    let end = value
        .char_indices()
        .map(|(at, character)| at + character.len_utf8())
        .take_while(|end| *end <= SHOWN_BYTES)
        .last();
    &value[..end.unwrap_or(0)]
}

/// A stored value for the reader of an error.
#[cold]
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => real.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

/// The columns that FOCUS does not know as a JSON object, in the order of the source; a name that
/// the source repeats is repeated. `None` if there are none.
fn extras_to_json(record: &CostRecord<'_>) -> Result<Option<String>, serde_json::Error> {
    if record.extras().next().is_none() {
        return Ok(None);
    }
    let mut json = Vec::new();
    serde_json::Serializer::new(&mut json).collect_map(record.extras())?;
    Ok(Some(String::from_utf8_lossy(&json).into_owned()))
}

/// Adds the members of a JSON object to the extras of a record, each of them, in order.
fn read_extras(json: &str, record: &mut CostRecord<'static>) -> Result<(), serde_json::Error> {
    struct Extras<'r>(&'r mut CostRecord<'static>);

    impl<'de> Visitor<'de> for Extras<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some((name, value)) = map.next_entry::<Cow<'_, str>, Cow<'_, str>>()? {
                self.0.add_extra(&name, &value);
            }
            Ok(())
        }
    }

    let mut json = serde_json::Deserializer::from_str(json);
    json.deserialize_map(Extras(record))?;
    json.end()
}
