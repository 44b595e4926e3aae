//! Reading bills: every row is kept or reported, whatever the file looks like.

use std::io::Write;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use bursar_cost_model::{
    BillReader, Column, CostRecord, Cube, Dimension, ExactSum, Format, ReadError, ReadOptions,
    RejectReason, RejectedRow, ReviewOptions, Row, Tally,
};
use bursar_units::Currency;
use proptest::prelude::*;

const HEADER: &str = "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingAccountId,\
    BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,ChargePeriodStart,\
    ChargePeriodEnd,InvoiceIssuerName,ServiceCategory,ServiceName,Tags";

/// A row under [`HEADER`] with this billed cost.
fn row(billed: &str) -> String {
    format!(
        "{billed},1,1,1,42,USD,2024-01-01,2024-02-01,Usage,2024-01-01T00:00:00Z,\
         2024-01-01T01:00:00Z,AWS,Compute,EC2,\"{{\"\"team\"\": \"\"a\"\"}}\""
    )
}

/// What a file's rows became.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    billed: ExactSum,
    kept: u64,
    rejected: Vec<RejectedRow>,
    problems: usize,
}

fn read(file: &[u8]) -> Outcome {
    let mut reader = BillReader::new(file, &ReadOptions::default()).unwrap();
    let mut outcome = Outcome::default();
    while let Some(row) = reader.next_row() {
        take(&mut outcome, row);
    }
    outcome.problems = reader.problems().len();
    outcome
}

fn take(outcome: &mut Outcome, row: Row<'_>) {
    match row {
        Row::Record(record) => {
            outcome.kept += 1;
            outcome
                .billed
                .add(record.billed_cost.unwrap_or_default())
                .unwrap();
        }
        Row::Rejected(rejected) => outcome.rejected.push(rejected),
    }
}

/// The same with several threads.
fn read_in_parallel(file: &[u8], threads: usize) -> Outcome {
    let reader = BillReader::new(file, &ReadOptions::default()).unwrap();
    let threads = NonZeroUsize::new(threads).unwrap();
    let folded = reader.fold(threads, Outcome::default, |outcome, row| {
        take(outcome, row);
        ControlFlow::Continue(())
    });
    let mut whole = Outcome::default();
    for part in folded.parts {
        whole.billed.add_sum(&part.billed).unwrap();
        whole.kept += part.kept;
        whole.rejected.extend(part.rejected);
    }
    whole.rejected.sort_by_key(|rejected| rejected.line);
    whole.problems = folded.problems.len();
    whole
}

#[track_caller]
fn check_rejected(file: &str, kept: u64, line: u64, column: &str, value: &str) {
    let outcome = read(file.as_bytes());
    assert_eq!(outcome.kept, kept, "{outcome:?}");
    let [rejected] = outcome.rejected.as_slice() else {
        panic!("{outcome:?}")
    };
    let place = (
        rejected.line,
        rejected.column.as_str(),
        rejected.value.as_str(),
    );
    assert_eq!(place, (line, column, value), "{rejected}");
}

#[test]
fn keeps_good_rows_around_a_bad_cell() {
    for (at, column, value) in [
        (0, "BilledCost", "12,5"),
        (0, "BilledCost", "NaN"),
        (2, "ListCost", "$5"),
        (5, "BillingCurrency", "BTC"),
        (6, "BillingPeriodStart", "2024-13-01"),
        (8, "ChargeCategory", "Usages"),
        (9, "ChargePeriodStart", "soon"),
    ] {
        let mut cells: Vec<String> = row("1").split(',').map(str::to_owned).collect();
        cells[at] = format!("\"{value}\"");
        let file = format!(
            "{HEADER}\n{}\n{}\n{}\n",
            row("1"),
            cells.join(","),
            row("2")
        );
        check_rejected(&file, 2, 3, column, value);
    }
}

#[test]
fn reports_rows_with_too_few_or_too_many_cells() {
    let short = "1,1,1,1,42,USD";
    let file = format!("{HEADER}\n{}\n{short}\n{}\n", row("1"), row("2"));
    check_rejected(&file, 2, 3, "BillingPeriodStart", "USD");
    let long = row("1") + ",surplus";
    let file = format!("{HEADER}\n{}\n{long}\n{}\n", row("1"), row("2"));
    check_rejected(&file, 2, 3, "#16", "surplus");
}

#[test]
fn reports_a_file_that_is_cut_inside_a_row() {
    let file = format!("{HEADER}\n{}\n{}\n1,1,1", row("1"), row("2"));
    check_rejected(&file, 2, 4, "ContractedCost", "1");
}

#[test]
fn reports_a_quote_that_never_closes_and_reads_on_behind_it() {
    let open = row("9").replace("\"\"a\"\"}\"", "\"\"a\"\"}");
    let cut = format!("{HEADER}\n{}\n{open}", row("1"));
    let outcome = read(cut.as_bytes());
    assert_eq!((outcome.kept, outcome.rejected.len()), (1, 1));
    assert_eq!(outcome.rejected[0].reason, RejectReason::OpenQuote);
    assert_eq!(
        (
            outcome.rejected[0].line,
            outcome.rejected[0].column.as_str()
        ),
        (3, "Tags")
    );

    // Rows without quotes behind it are not swallowed.
    let plain = "1,1,1,1,42,USD,2024-01-01,2024-02-01,Usage,2024-01-01,2024-01-02,A,B,C,";
    let file = format!("{HEADER}\n{open}\n{plain}\n{plain}\n");
    let outcome = read(file.as_bytes());
    assert_eq!(
        (outcome.kept, outcome.rejected.len()),
        (2, 1),
        "{outcome:?}"
    );
}

#[test]
fn rejects_every_line_of_a_file_of_open_quotes_once() {
    // Each line leaves a quote open, whether it begins inside one or not: looked at to the end
    // of the file for each line, these would take hours.
    const LINES: usize = 300_000;
    let plain = "1,1,1,1,42,USD,2024-01-01,2024-02-01,Usage,2024-01-01,2024-01-02,A,B,C,";
    let middle = format!("x\",\"\n{plain}\n");
    let file = format!("{HEADER}\n{}{plain}\n", middle.repeat(LINES));
    let outcome = read(file.as_bytes());
    assert_eq!(
        (outcome.kept, outcome.rejected.len()),
        (LINES as u64 + 1, LINES)
    );
    for (n, rejected) in outcome.rejected.iter().enumerate() {
        assert_eq!(rejected.line, 2 * n as u64 + 2);
        assert_eq!(rejected.reason, RejectReason::OpenQuote);
    }
    assert_eq!(read_in_parallel(file.as_bytes(), 3), outcome);
}

#[test]
fn rejects_a_row_that_is_too_long_once_and_names_the_lines_behind_it() {
    let long = "x".repeat(40 << 20);
    for (cell, reason) in [
        (long.clone(), RejectReason::TooLong(16 << 20)),
        (format!("\"{long}\""), RejectReason::OpenQuote),
    ] {
        let row_with = row("1").replace("EC2", &cell);
        let file = format!("{HEADER}\n{row_with}\n{}\n{}\n", row("2"), row("bad"));
        let outcome = read(file.as_bytes());
        assert_eq!((outcome.kept, outcome.billed.to_string()), (1, "2".into()));
        let rejected: Vec<_> = outcome
            .rejected
            .iter()
            .map(|r| (r.line, &r.reason))
            .collect();
        assert_eq!(rejected.len(), 2, "{rejected:?}");
        assert_eq!(rejected[0], (2, &reason));
        assert_eq!(rejected[1].0, 4);
    }
}

#[test]
fn names_lines_behind_quoted_and_blank_lines() {
    let multiline = row("1").replace("EC2", "\"E\nC\n2\"");
    let file = format!("{HEADER}\r\n{multiline}\r\n\r\n\n{}\r\n", row("bad"));
    check_rejected(&file, 1, 7, "BilledCost", "bad");
}

#[test]
fn reads_byte_order_mark_crlf_and_a_last_line_without_end() {
    let file = format!("\u{FEFF}{HEADER}\r\n{}\r\n{}", row("1.25"), row("-0.25"));
    let outcome = read(file.as_bytes());
    assert_eq!(
        (outcome.kept, outcome.billed.to_string()),
        (2, "1".to_owned())
    );
    assert_eq!((outcome.rejected.len(), outcome.problems), (0, 0));
}

#[test]
fn takes_the_three_forms_of_null_for_unknown() {
    for null in ["", "NULL", "null", "\\N"] {
        let file = format!(
            "{HEADER}\n{}\n",
            row(null).replace(",EC2,", &format!(",{null},"))
        );
        let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default()).unwrap();
        let Some(Row::Record(record)) = reader.next_row() else {
            panic!("{null}")
        };
        assert_eq!(record.billed_cost, None, "{null}");
        assert_eq!(record.text(Column::ServiceName), None, "{null}");
    }
}

#[test]
fn keeps_amounts_of_28_decimals_exactly() {
    let tiny = "0.0000000000000000000000000001";
    let file = format!(
        "{HEADER}\n{}\n{}\n{}\n",
        row(tiny),
        row("123456789012"),
        row(tiny)
    );
    let billed = read(file.as_bytes()).billed.to_string();
    assert_eq!(billed, "123456789012.0000000000000000000000000002");
}

#[test]
fn keeps_currencies_apart() {
    let euro = row("5").replace("USD", "EUR");
    let none = row("7").replace("USD", "");
    let file = format!("{HEADER}\n{}\n{euro}\n{none}\n", row("3"));
    let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default()).unwrap();
    let mut cube = Cube::new(vec![Dimension::Provider]).unwrap();
    while let Some(row) = reader.next_row() {
        let Row::Record(record) = row else {
            panic!("{row:?}")
        };
        cube.add(&record).unwrap();
    }
    let totals = cube.totals().unwrap();
    let billed = |currency: Currency| totals[&currency].billed.sum.to_string();
    assert_eq!(
        [
            billed(Currency::USD),
            billed(Currency::EUR),
            billed(Currency::XXX)
        ],
        ["3", "5", "7"]
    );
}

#[test]
fn reports_missing_columns_and_keeps_the_rows() {
    let file = "EffectiveCost,BillingCurrency,ChargePeriodStart\n1.5,USD,2024-01-01\n";
    let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default()).unwrap();
    let missing: Vec<String> = reader.problems().iter().map(|p| p.column.clone()).collect();
    assert!(missing.contains(&"BilledCost".to_owned()), "{missing:?}");
    let Some(Row::Record(record)) = reader.next_row() else {
        panic!()
    };
    assert_eq!(
        (record.billed_cost, record.effective_cost),
        (None, Some("1.5".parse().unwrap()))
    );
}

#[test]
fn keeps_columns_that_focus_does_not_know() {
    let file =
        "BilledCost,BillingCurrency,ChargePeriodStart,x_Team,Id\n1,USD,2024-01-01,search,7\n";
    let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default()).unwrap();
    let Some(Row::Record(record)) = reader.next_row() else {
        panic!()
    };
    let extras: Vec<_> = record.extras().collect();
    assert_eq!(extras, [("x_Team", "search"), ("Id", "7")]);
    let owned = record.clone().into_owned();
    assert_eq!(owned.extra("x_Team"), Some("search"));
    assert_eq!(owned, record);
}

#[test]
fn reads_other_separators() {
    let file = "BilledCost;BillingCurrency;ChargePeriodStart\n\"1\";USD;2024-01-01\n";
    assert_eq!(read(file.as_bytes()).billed.to_string(), "1");
}

#[test]
fn reads_an_empty_file_and_a_lone_header() {
    let empty = read(b"");
    assert_eq!((empty.kept, empty.problems), (0, 1));
    let header = read(HEADER.as_bytes());
    assert_eq!(
        (header.kept, header.problems, header.rejected.len()),
        (0, 0, 0)
    );
}

#[test]
fn refuses_what_is_no_bill() {
    let open = |file: &[u8]| BillReader::new(file, &ReadOptions::default()).map(|_| ());
    assert!(
        matches!(open(b"name,age\nx,1\n"), Err(ReadError::UnknownFormat(names)) if names == "name, age")
    );
    assert!(matches!(open(b"PAR1...."), Err(ReadError::Unsupported(_))));
    assert!(matches!(
        open(b"PK\x03\x04.."),
        Err(ReadError::Unsupported(_))
    ));
    assert!(matches!(
        open(b"\xFF\xFEB\0"),
        Err(ReadError::Unsupported(_))
    ));
}

#[test]
fn refuses_a_header_that_is_not_utf8_and_skips_such_a_title() {
    let header = b"BilledCost,BillingCurrency,ChargePeriodStart,Stra\xDFe\n";
    let rows = b"1,USD,2024-01-01,x\n2,USD,2024-01-01,x\n";
    let mut stated = ReadOptions::default();
    stated.format = Some(Format::Focus);
    for options in [ReadOptions::default(), stated] {
        let error = BillReader::new([&header[..], rows].concat().as_slice(), &options).err();
        let text = error.unwrap().to_string();
        assert!(text.contains("not UTF-8"), "{text}");
    }
    let title = b"B\xFCcher\nBilledCost,BillingCurrency,ChargePeriodStart,Street\n";
    let outcome = read(&[&title[..], rows].concat());
    assert_eq!((outcome.kept, outcome.billed.to_string()), (2, "3".into()));
}

#[test]
fn tells_of_a_column_that_stands_twice() {
    let file = b"BilledCost,BillingCurrency,ChargePeriodStart,billedcost\n1,USD,2024-01-01,2\n";
    let reader = BillReader::new(&file[..], &ReadOptions::default()).unwrap();
    let twice = reader.problems().iter().find(|p| p.column == "BilledCost");
    assert!(twice.unwrap().reason.contains("stands twice"));
    assert_eq!(read(file).billed.to_string(), "1");
}

#[test]
fn groups_by_what_a_typed_column_means_however_it_is_spelled() {
    let file = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ServiceName\n\
        1,USD,Usage,2024-01-01,A\n1.00,,Usage,2024-01-01T00:00:00Z,A\n2,USD,Tax,,A\n";
    let mut options = ReadOptions::default();
    options.currency = Some(Currency::USD);
    let columns = [
        (Column::BilledCost, vec![(Some("1"), 2), (Some("2"), 1)]),
        (Column::BillingCurrency, vec![(Some("USD"), 3)]),
        (
            Column::ChargeCategory,
            vec![(Some("Tax"), 1), (Some("Usage"), 2)],
        ),
        (
            Column::ChargePeriodStart,
            vec![(None, 1), (Some("2024-01-01T00:00:00Z"), 2)],
        ),
    ];
    for (column, expected) in columns {
        let dimension = Dimension::Column(column);
        let mut of_file = Cube::new(vec![dimension.clone()]).unwrap();
        let mut of_store = of_file.clone();
        let mut reader = BillReader::new(file.as_bytes(), &options).unwrap();
        while let Some(row) = reader.next_row() {
            let Row::Record(record) = row else {
                panic!("{row:?}")
            };
            of_file.add(&record).unwrap();
            // As a store gives it back: what is understood has no text beside it.
            let mut stored = CostRecord::new(record.billing_currency);
            stored.billed_cost = record.billed_cost;
            stored.charge_category = record.charge_category;
            stored.charge_period = record.charge_period;
            of_store.add(&stored).unwrap();
        }
        for cube in [of_file, of_store] {
            let sums = cube.by(&dimension, Currency::USD).unwrap();
            let rows: Vec<_> = sums.iter().map(|(value, c)| (*value, c.rows)).collect();
            assert_eq!(rows, expected, "{column}");
        }
    }
}

#[test]
fn reports_cells_that_are_not_utf8() {
    let mut file = format!("{HEADER}\n{}\n", row("1")).into_bytes();
    file.extend_from_slice(row("2").replace("EC2", "E\u{1}2").as_bytes());
    let at = file.iter().position(|&b| b == 1).unwrap();
    file[at] = 0xFF;
    let outcome = read(&file);
    assert_eq!(
        (outcome.kept, outcome.rejected[0].column.as_str()),
        (1, "ServiceName")
    );
    assert_eq!(outcome.rejected[0].reason, RejectReason::NotUtf8);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn reads_gzip_in_several_members() {
    let first = gzip(format!("{HEADER}\n{}\n", row("1")).as_bytes());
    let second = gzip(format!("{}\n", row("2")).as_bytes());
    let outcome = read(&[first, second].concat());
    assert_eq!(
        (outcome.kept, outcome.billed.to_string()),
        (2, "3".to_owned())
    );
}

#[test]
fn reports_gzip_that_is_cut() {
    let rows: String = (0..2000).map(|n| row(&format!("{n}.5")) + "\n").collect();
    let whole = gzip(format!("{HEADER}\n{rows}").as_bytes());
    // In the middle of the data, and in the trailer that holds the checksum.
    for cut in [whole.len() / 2, whole.len() - 4] {
        let outcome = read(&whole[..cut]);
        assert_eq!(outcome.problems, 1, "{cut}");
        assert!(
            outcome.kept > 0 && outcome.kept <= 2000,
            "{cut}: {}",
            outcome.kept
        );
        assert!(outcome.rejected.len() <= 1);
    }
}

/// A deterministic stream of numbers for corruptions: Knuth's MMIX constants.
fn numbers(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    }
}

#[test]
fn survives_a_thousand_corruptions_and_loses_few_rows() {
    let rows: Vec<String> = (0..50).map(|n| row(&format!("{n}.25"))).collect();
    let file = format!("{HEADER}\n{}\n", rows.join("\n")).into_bytes();
    let mut next = numbers(7);
    for _ in 0..1000 {
        let mut broken = file.clone();
        let at = HEADER.len() + 1 + next() % (file.len() - HEADER.len() - 1);
        match next() % 4 {
            0 => broken[at] = (next() % 256) as u8,
            1 => drop(broken.remove(at)),
            2 => broken.insert(at, b'"'),
            _ => broken.truncate(at),
        }
        let outcome = read(&broken);
        // One byte touches one row, or joins two; only a cut takes what is behind it.
        let seen = outcome.kept + outcome.rejected.len() as u64;
        let rows_left = broken.iter().filter(|&&b| b == b'\n').count() as u64;
        assert!(
            seen + 2 >= rows_left.saturating_sub(1),
            "{seen} of {rows_left}: {outcome:?}"
        );
        assert_eq!(outcome, read_in_parallel(&broken, 3));
    }
}

proptest! {
    #[test]
    fn reads_any_bytes_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let file = [HEADER.as_bytes(), b"\n", &bytes].concat();
        let outcome = read(&file);
        prop_assert_eq!(outcome, read_in_parallel(&file, 2));
        let _ = BillReader::new(bytes.as_slice(), &ReadOptions::default());
    }

    #[test]
    fn splits_files_as_the_csv_crate_does(
        cells in proptest::collection::vec("[a,\"\n\r ]{0,6}", 0..60),
    ) {
        // The independent reference: the csv crate's own reader over the same bytes.
        let body = cells.join(",");
        let file = format!("BilledCost,BillingCurrency,ServiceName\n{body}\n");
        let reference = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_bytes());
        let expected = reference.into_byte_records().count() as u64;
        let outcome = read(file.as_bytes());
        let open = outcome.rejected.iter().any(|r| r.reason == RejectReason::OpenQuote);
        if !open {
            prop_assert_eq!(outcome.kept + outcome.rejected.len() as u64, expected);
        }
    }
}

#[test]
fn gives_the_same_sums_with_any_number_of_threads() {
    let mut next = numbers(3);
    let rows: Vec<String> = (0..20_000)
        .map(|n| {
            row(&format!("{}.{:011}", next() % 1000, n))
                .replace("EC2", &format!("\"S\n{}\"", next() % 9))
        })
        .collect();
    let file = format!("{HEADER}\n{}\n", rows.join("\n"));
    let alone = read(file.as_bytes());
    assert_eq!(alone.kept, 20_000);
    for threads in [1, 2, 4] {
        assert_eq!(
            read_in_parallel(file.as_bytes(), threads),
            alone,
            "{threads} threads"
        );
    }
}

#[test]
fn reads_the_public_sample() {
    let Some(path) = crate::development_data("focus/focus_sample.csv") else {
        return;
    };
    let file = std::fs::read(path).unwrap();
    let mut reader = BillReader::new(file.as_slice(), &ReadOptions::default()).unwrap();
    assert_eq!(reader.format(), Some(Format::Focus));
    assert_eq!(reader.problems(), []);
    let mut cube = Cube::new(vec![Dimension::Provider]).unwrap();
    let mut kept = 0;
    while let Some(row) = reader.next_row() {
        let Row::Record(record) = row else {
            panic!("{row:?}")
        };
        cube.add(&record).unwrap();
        kept += 1;
    }
    assert_eq!(kept, 1000);
    let totals = &cube.totals().unwrap()[&Currency::USD];
    assert_eq!(totals.billed.sum.to_string(), "20.52022672899");
    assert_eq!(totals.effective.sum.to_string(), "14.97651418586");
    assert_eq!(totals.contracted.unknown_rows, 7);
    let providers: Vec<_> = cube
        .by(&Dimension::Provider, Currency::USD)
        .unwrap()
        .into_keys()
        .collect();
    assert_eq!(providers, [Some("AWS"), Some("Microsoft"), Some("Oracle")]);
}

#[test]
fn says_when_a_dimension_groups_nothing() {
    let file = format!("{HEADER}\n{}\n", row("1"));
    let mut options = ReviewOptions::default();
    options.group_by = vec![
        Dimension::Column(Column::ServiceName),
        Dimension::Extra("ServceName".to_owned()),
    ];
    let mut tally = Tally::new(&options).unwrap();
    let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default()).unwrap();
    while let Some(row) = reader.next_row() {
        tally.add(row).unwrap();
    }
    let notes = tally.report(&options).unwrap().notes;
    let about: Vec<_> = notes
        .iter()
        .filter(|note| note.contains("groups"))
        .collect();
    assert_eq!(about.len(), 1, "{notes:?}");
    assert!(about[0].contains("`ServceName`"), "{about:?}");
}
