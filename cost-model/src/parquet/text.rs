//! Which text is one value of a Parquet column?

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde_json::{Map, Number, Value};

/// A byte array that is not text, as text with the broken bytes replaced.
#[derive(Debug)]
pub(super) struct NotUtf8(pub(super) String);

/// Whether values of this type can be turned into text.
pub(super) fn is_readable(data_type: &DataType) -> bool {
    use DataType as T;
    match data_type {
        T::Null | T::Boolean | T::Utf8 | T::Binary | T::Date32 => true,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 => true,
        T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => true,
        T::Float16 | T::Float32 | T::Float64 => true,
        T::Decimal128(..) | T::Decimal256(..) | T::Timestamp(..) => true,
        T::List(field) | T::Map(field, _) => is_readable(field.data_type()),
        T::Struct(fields) => fields.iter().all(|field| is_readable(field.data_type())),
        _ => false,
    }
}

/// Appends the text of one value; nothing for a null.
pub(super) fn push(out: &mut String, array: &dyn Array, row: usize) -> Result<(), NotUtf8> {
    use DataType as T;
    if array.is_null(row) {
        return Ok(());
    }
    match array.data_type() {
        T::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        T::Binary => match std::str::from_utf8(array.as_binary::<i32>().value(row)) {
            Ok(text) => out.push_str(text),
            Err(_) => {
                let bytes = array.as_binary::<i32>().value(row);
                return Err(NotUtf8(String::from_utf8_lossy(bytes).into_owned()));
            }
        },
        T::Boolean => out.push_str(if array.as_boolean().value(row) {
            "true"
        } else {
            "false"
        }),
        T::Decimal128(_, scale) => {
            push_decimal(out, array.as_primitive::<Decimal128Type>(), row, *scale);
        }
        T::Decimal256(_, scale) => {
            push_decimal(out, array.as_primitive::<Decimal256Type>(), row, *scale);
        }
        T::Timestamp(unit, _) => push_timestamp(out, array, row, *unit),
        T::Date32 => push_date(out, array.as_primitive::<Date32Type>().value(row)),
        T::Int8 => push_number::<Int8Type>(out, array, row),
        T::Int16 => push_number::<Int16Type>(out, array, row),
        T::Int32 => push_number::<Int32Type>(out, array, row),
        T::Int64 => push_number::<Int64Type>(out, array, row),
        T::UInt8 => push_number::<UInt8Type>(out, array, row),
        T::UInt16 => push_number::<UInt16Type>(out, array, row),
        T::UInt32 => push_number::<UInt32Type>(out, array, row),
        T::UInt64 => push_number::<UInt64Type>(out, array, row),
        T::Float16 => push_number::<Float16Type>(out, array, row),
        T::Float32 => push_number::<Float32Type>(out, array, row),
        T::Float64 => push_number::<Float64Type>(out, array, row),
        T::List(_) | T::Map(..) | T::Struct(_) => {
            let value = json(array, row)?;
            append(out, format_args!("{value}"));
        }
        _ => {}
    }
    Ok(())
}

fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}

/// Integers in full, floating-point numbers as the shortest decimal that reads back the same.
fn push_number<T: ArrowPrimitiveType>(out: &mut String, array: &dyn Array, row: usize)
where
    T::Native: std::fmt::Display,
{
    append(
        out,
        format_args!("{}", array.as_primitive::<T>().value(row)),
    );
}

/// A decimal from its integer and scale, without the zeros at the end of its fraction.
fn push_decimal<T: ArrowPrimitiveType>(
    out: &mut String,
    array: &PrimitiveArray<T>,
    row: usize,
    scale: i8,
) where
    T::Native: std::fmt::Display,
{
    let start = out.len();
    append(out, format_args!("{}", array.value(row)));
    let Ok(places @ 1..) = usize::try_from(scale) else {
        // A scale below 0 is a power of ten to multiply with.
        if scale < 0 {
            append(out, format_args!("e{}", -i16::from(scale)));
        }
        return;
    };
    let digits_at = start + usize::from(out[start..].starts_with('-'));
    let n_digits = out.len() - digits_at;
    if n_digits <= places {
        let zeros = places + 1 - n_digits;
        out.insert_str(digits_at, &"0".repeat(zeros));
    }
    let fraction_at = out.len() - places;
    out.insert(fraction_at, '.');
    let kept = out.trim_end_matches('0').trim_end_matches('.').len();
    out.truncate(kept);
}

fn push_timestamp(out: &mut String, array: &dyn Array, row: usize, unit: TimeUnit) {
    let (count, time) = match unit {
        TimeUnit::Second => {
            let count = array.as_primitive::<TimestampSecondType>().value(row);
            (count, Timestamp::from_second(count))
        }
        TimeUnit::Millisecond => {
            let count = array.as_primitive::<TimestampMillisecondType>().value(row);
            (count, Timestamp::from_millisecond(count))
        }
        TimeUnit::Microsecond => {
            let count = array.as_primitive::<TimestampMicrosecondType>().value(row);
            (count, Timestamp::from_microsecond(count))
        }
        TimeUnit::Nanosecond => {
            let count = array.as_primitive::<TimestampNanosecondType>().value(row);
            (count, Timestamp::from_nanosecond(i128::from(count)))
        }
    };
    match time {
        Ok(time) => append(out, format_args!("{time}")),
        // Outside the years that a calendar has: shown, and refused where a time is needed.
        Err(_) => append(out, format_args!("{count} {unit:?} since 1970")),
    }
}

fn push_date(out: &mut String, days: i32) {
    let epoch = Date::constant(1970, 1, 1);
    let date = Span::new()
        .try_days(days)
        .and_then(|span| epoch.checked_add(span));
    match date {
        Ok(date) => append(out, format_args!("{date}")),
        Err(_) => append(out, format_args!("{days} days since 1970")),
    }
}

/// A nested value as JSON: maps and structs are objects.
fn json(array: &dyn Array, row: usize) -> Result<Value, NotUtf8> {
    use DataType as T;
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let text = || {
        let mut text = String::new();
        push(&mut text, array, row).map(|()| text)
    };
    match array.data_type() {
        T::Boolean => Ok(Value::Bool(array.as_boolean().value(row))),
        T::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let mut object = Map::new();
            for entry in 0..entries.len() {
                let mut key = String::new();
                push(&mut key, keys, entry)?;
                object.insert(key, json(values, entry)?);
            }
            Ok(Value::Object(object))
        }
        T::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let members = fields
                .iter()
                .zip(columns)
                .map(|(field, column)| Ok((field.name().clone(), json(column, row)?)));
            members.collect::<Result<_, _>>().map(Value::Object)
        }
        T::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|item| json(&items, item));
            items.collect::<Result<_, _>>().map(Value::Array)
        }
        // Decimals too, where they are numbers that JSON readers keep.
        data_type if data_type.is_integer() || data_type.is_floating() => {
            let text = text()?;
            Ok(text
                .parse::<Number>()
                .map_or(Value::String(text), Value::Number))
        }
        _ => text().map(Value::String),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Date32Array, Decimal128Array, Float64Array, TimestampNanosecondArray};

    use super::*;

    fn check(array: &dyn Array, expected: &[&str]) {
        for (row, expected) in expected.iter().enumerate() {
            let mut text = String::new();
            push(&mut text, array, row).unwrap();
            assert_eq!(text, *expected);
        }
    }

    #[test]
    fn writes_decimals_exactly() {
        let cells = vec![119_810, -5, 0, 1_000, 123_456_789_012_345_678_901];
        let expected = ["119.81", "-0.005", "0", "1", "123456789012345678.901"];
        let array = Decimal128Array::from(cells).with_precision_and_scale(38, 3);
        check(&array.unwrap(), &expected);
        let whole = Decimal128Array::from(vec![-100]).with_precision_and_scale(38, 0);
        check(&whole.unwrap(), &["-100"]);
    }

    #[test]
    fn writes_floats_as_the_shortest_decimal_that_reads_back() {
        let array = Float64Array::from(vec![0.1, 1e-7, 119.81, 1e15, f64::NAN]);
        check(
            &array,
            &["0.1", "0.0000001", "119.81", "1000000000000000", "NaN"],
        );
    }

    #[test]
    fn writes_times_and_dates() {
        let times = TimestampNanosecondArray::from(vec![1_704_067_200_000_000_000, 1]);
        check(
            &times,
            &["2024-01-01T00:00:00Z", "1970-01-01T00:00:00.000000001Z"],
        );
        let dates = Date32Array::from(vec![19_723, -1, i32::MAX]);
        check(
            &dates,
            &["2024-01-01", "1969-12-31", "2147483647 days since 1970"],
        );
    }
}
