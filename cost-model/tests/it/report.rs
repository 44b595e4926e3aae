//! A report as its readers see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions that are marked as tests"
)]

use bursar_cost_model::{
    AnomalyLine, BillReader, Cell, Closing, DateRange, FileReport, ReadOptions, Report,
    ReviewOptions, Scenario, Table, TableColumn, Tally, TextOptions,
};
use bursar_units::Currency;
use jiff::civil::date;
use proptest::prelude::*;
use roxmltree::{Document, Node};

const HEADER: &str = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceCategory,ServiceName,ProviderName\n";

/// What people with an account call their services.
const HOSTILE: &str =
    "\"<script>alert(1)</script>\u{1b}[2J|`x` & '\"\"'=1+1\u{202e}<img src=x onerror=y>\"";

fn review(bill: &str, options: &ReviewOptions) -> Report {
    let mut tally = Tally::new(options).unwrap();
    let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default()).unwrap();
    let format = reader.format();
    while let Some(row) = reader.next_row() {
        tally.add(row).unwrap();
    }
    let problems = reader.problems().to_vec();
    let mut report = tally.report(options).unwrap();
    let file = FileReport::of("bills/2024-01.csv", format, &tally, problems);
    report.files.push(file);
    report
}

/// Twenty days of January, two of them missing, with a credit and a row that is no row.
fn month() -> Report {
    let mut bill = String::from(HEADER);
    let mut row = |day: u32, cents: u32, category: &str, service: &str| {
        let cost = format!("{}.{:02}", cents / 100, cents % 100);
        bill.push_str(&format!(
            "{cost},{cost},USD,2024-01-{day:02}T00:00:00Z,Usage,{category},{service},AWS\n"
        ));
    };
    for day in (1..=22).filter(|day| !matches!(day, 9 | 10)) {
        let weekend = if matches!(day % 7, 6 | 0) { 2 } else { 3 };
        row(
            day,
            12_910 * weekend + day * 37 % 101,
            "Compute",
            "Amazon Elastic Compute Cloud",
        );
        row(
            day,
            7_040 * weekend + day * day * 13,
            "AI and Machine Learning",
            "Amazon Bedrock",
        );
        row(day, 2_500 + day, "Storage", "Amazon Simple Storage Service");
        row(day, 1_311, "Networking", "Amazon CloudFront");
        row(day, 907, "Databases", "Amazon Relational Database Service");
        row(day, 305, "Management and Governance", "AmazonCloudWatch");
    }
    bill.push_str(
        "0.0000008,0.0000008,USD,2024-01-22T00:00:00Z,Usage,Integration,Amazon SQS,AWS\n",
    );
    bill.push_str(
        "-600,-600,USD,2024-01-17T00:00:00Z,Credit,Compute,Amazon Elastic Compute Cloud,AWS\n",
    );
    bill.push_str("ten,10,USD,2024-01-22T00:00:00Z,Usage,Compute,Amazon EC2,AWS\n");
    let mut options = ReviewOptions::default();
    options.budget = Some((Currency::USD, "20000".parse().unwrap()));
    let mut report = review(&bill, &options);
    report.anomalies.push(AnomalyLine {
        date: date(2024, 1, 17),
        severity: "critical".to_owned(),
        series: "Amazon Elastic Compute Cloud".to_owned(),
        message: "USD -212.44 where USD 387.00 was expected".to_owned(),
    });
    let scenario = "group,before,after\ncompute,119.81,21.26\nAI,68.54,12.30\nstorage,8.00,2.40\nnetwork,3.99,3.85\n";
    let scenario = Scenario::from_csv(scenario.as_bytes(), Currency::USD).unwrap();
    report.scenario = Some(scenario.summary().unwrap());
    report
}

/// Dollars, euros, and pounds of which no row says how many.
fn several_currencies() -> Report {
    let mut bill = String::from(HEADER);
    for day in 1..=3 {
        bill.push_str(&format!(
            "10,9,USD,2024-01-0{day}T00:00:00Z,Usage,Compute,EC2,AWS\n"
        ));
    }
    bill.push_str("5,5,EUR,2024-01-02T00:00:00Z,Usage,Storage,Disk,Azure\n");
    bill.push_str(",,GBP,2024-01-02T00:00:00Z,Usage,Compute,Silent,Other\n");
    review(&bill, &ReviewOptions::default())
}

/// A report in which every text that a bill or a file brings is hostile.
fn hostile() -> Report {
    let mut bill = String::from(HEADER);
    for day in 1..=4 {
        bill.push_str(&format!(
            "10,9,USD,2024-01-0{day}T00:00:00Z,Usage,Compute,{HOSTILE},{HOSTILE}\n"
        ));
    }
    bill.push_str(&format!(
        "{HOSTILE},9,USD,2024-01-01T00:00:00Z,Usage,Compute,EC2,AWS\n"
    ));
    let mut options = ReviewOptions::default();
    options.group_by = vec!["ServiceName".parse().unwrap()];
    let mut report = review(&bill, &options);
    let name = HOSTILE.trim_matches('"').to_owned();
    report.files.push(FileReport::unreadable(&name, &name));
    report.notes.push(name.clone());
    report.anomalies.push(AnomalyLine {
        date: date(2024, 1, 2),
        severity: name.clone(),
        series: name.clone(),
        message: name.clone(),
    });
    let scenario = format!("group,before,after\n{HOSTILE},2,1\n");
    let scenario = Scenario::from_csv(scenario.as_bytes(), Currency::USD).unwrap();
    report.scenario = Some(scenario.summary().unwrap());
    report
}

/// The page as XML: HTML leaves `meta` open, the rest of it is closed.
fn well_formed(html: &str) -> String {
    let mut xml = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<meta ") {
        let end = at + rest[at..].find('>').unwrap();
        xml.push_str(&rest[..end]);
        xml.push_str("/>");
        rest = &rest[end + 1..];
    }
    xml.push_str(rest);
    xml
}

fn check_page(html: &str, check: impl Fn(&Document<'_>)) {
    let xml = well_formed(html);
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    match Document::parse_with_options(&xml, options) {
        Ok(page) => check(&page),
        Err(error) => panic!("the page is not well-formed: {error}"),
    }
}

fn elements<'a>(page: &'a Document<'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    page.descendants()
        .filter(move |node| node.has_tag_name(name))
}

fn csv(table: &Table) -> String {
    let mut csv = Vec::new();
    table.to_csv(&mut csv).unwrap();
    String::from_utf8(csv).unwrap()
}

fn table(report: &Report, id: &str) -> Table {
    let tables = report.tables();
    tables.into_iter().find(|table| table.id == id).unwrap()
}

#[test]
fn reads_on_a_terminal() {
    insta::assert_snapshot!("month.txt", month().to_text(TextOptions::default()));
    insta::assert_snapshot!(
        "currencies.txt",
        several_currencies().to_text(TextOptions::width(60))
    );
}

#[test]
fn shows_the_shares_and_the_daily_average_of_a_month_of_200_dollars() {
    for (month, closed, average) in [
        ("2024-01", date(2024, 1, 31), "USD 6.46"),
        ("2024-02", date(2024, 2, 29), "USD 6.91"),
    ] {
        let mut bill = String::from(HEADER);
        for (cost, category, service) in [
            ("119.81", "Compute", "EC2"),
            ("68.54", "AI and Machine Learning", "Bedrock"),
            ("8.00", "Storage", "EBS"),
            ("3.99", "Networking", "VPC"),
        ] {
            bill.push_str(&format!(
                "{cost},{cost},USD,{month}-07T00:00:00Z,Usage,{category},{service},AWS\n"
            ));
        }
        let mut options = ReviewOptions::default();
        let days: DateRange = month.parse().unwrap();
        (options.from, options.until) = (Some(days.start()), Some(days.end()));
        options.closing = Closing::ClosedThrough(closed);
        let report = review(&bill, &options);
        let text = report.to_text(TextOptions::default());
        for shown in ["USD 200.34", average, "59.8 %", "34.2 %", "4.0 %", "2.0 %"] {
            assert!(text.contains(shown), "{shown} is not in\n{text}");
            assert!(report.to_markdown().contains(shown), "{shown}");
        }
        let html = report.to_html();
        for shown in ["200.34", average, "59.8 %", "34.2 %", "4.0 %", "2.0 %"] {
            assert!(html.contains(shown), "{shown}");
        }
    }
}

#[test]
fn reads_in_markdown() {
    insta::assert_snapshot!("month.md", month().to_markdown());
}

#[test]
fn reads_as_a_page() {
    insta::assert_snapshot!("currencies.html", several_currencies().to_html());
}

#[test]
fn gives_the_same_report_the_same_pages() {
    assert_eq!(month().to_html(), month().to_html());
    assert_eq!(month().to_markdown(), month().to_markdown());
}

#[test]
fn keeps_amounts_exact_for_machines_and_rounds_them_for_readers() {
    let services = table(&month(), "services");
    let csv = csv(&services);
    let line = csv
        .lines()
        .find(|line| line.starts_with("Amazon SQS"))
        .unwrap();
    assert!(
        line.contains(",0.0000008,0.0000008,unknown,unknown,1"),
        "{line}"
    );
    assert!(services.to_text().contains("0.00000080"));
    assert!(services.to_markdown().contains("| 0.00000080 |"));
    assert!(services.to_html().contains(">0.00000080<"));
}

#[test]
fn reads_as_csv() {
    let tables = month().tables();
    let all = tables
        .iter()
        .map(|table| format!("# {}\n{}", table.id, csv(table)));
    insta::assert_snapshot!("month.csv", all.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_exact_amount_says_of_what_currency_it_is() {
    for report in [month(), several_currencies(), hostile()] {
        for table in report.tables() {
            let place = |key| table.columns.iter().position(|column| column.key == key);
            let place = place("currency").or(place("unit"));
            for row in &table.rows {
                for cell in row {
                    if let Cell::Amount { currency, .. } | Cell::Change { currency, .. } = cell {
                        let said = place.map(|at| row[at].clone());
                        assert_eq!(said, Some(Cell::text(currency.code())), "{}", table.id);
                    }
                }
            }
        }
    }
}

#[test]
fn csv_reads_back_as_it_was_written() {
    for report in [month(), several_currencies(), hostile()] {
        for table in report.tables() {
            let text = csv(&table);
            let mut reader = csv_reader(&text);
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            assert_eq!(rows.len(), table.rows.len(), "{}", table.id);
            for (read, written) in rows.iter().zip(&table.rows) {
                for (read, written) in read.iter().zip(written) {
                    if let Cell::Text(text) = written {
                        assert_eq!(read, text);
                    }
                    if let Cell::Amount { amount, .. } = written {
                        assert_eq!(read, amount.to_string());
                    }
                }
            }
        }
    }
}

fn csv_reader(text: &str) -> csv::Reader<&[u8]> {
    csv::Reader::from_reader(text.as_bytes())
}

#[test]
fn every_row_of_every_table_has_a_cell_a_column() {
    for report in [month(), several_currencies(), hostile(), Report::default()] {
        for table in report.tables() {
            assert!(!table.rows.is_empty(), "{} has no row", table.id);
            for row in &table.rows {
                assert_eq!(row.len(), table.columns.len(), "{}", table.id);
            }
        }
    }
}

#[test]
fn calls_unknown_what_is_unknown() {
    let report = several_currencies();
    let totals = csv(&table(&report, "totals"));
    assert!(
        totals.contains("GBP,unknown,unknown,unknown,unknown,1,1,1,1,1"),
        "{totals}"
    );
    assert!(report.to_markdown().contains("| Total | unknown |"));
    let text = report.to_text(TextOptions::default());
    assert!(text.contains("Total  unknown"), "{text}");
    assert!(text.contains("1 of 1 row state no billed cost; they are not in the total"));
    check_page(&report.to_html(), |page| {
        let mut pounds = elements(page, "section")
            .filter(|node| node.attribute("aria-label") == Some("Costs in GBP"));
        let pounds = pounds.next().unwrap();
        let mut totals = pounds
            .descendants()
            .filter(|n| n.attribute("class") == Some("total"));
        let total: String = totals
            .next()
            .unwrap()
            .descendants()
            .filter_map(|n| n.text())
            .collect();
        assert!(total.contains("unknown"), "{total}");
    });
}

#[test]
fn reports_what_was_billed_also_where_it_is_too_much_to_forecast() {
    let header = "BilledCost,BillingCurrency,ChargePeriodStart\n";
    let days = (1..=14).map(|day| format!("99999999999999999999999.1,USD,2024-01-{day:02}\n"));
    let bill = header.to_owned() + &days.collect::<String>();
    let mut options = ReviewOptions::default();
    options.budget = Some((Currency::USD, "250".parse().unwrap()));
    let report = review(&bill, &options);
    let total = report.totals[&Currency::USD].billed.as_ref().unwrap();
    assert_eq!(total.to_string(), "1399999999999999999999987.4");
    assert!(report.forecast.is_none());
    let told = report.notes.iter().any(|n| n.starts_with("no forecast"));
    assert!(told, "{:?}", report.notes);
}

#[test]
fn leaves_out_what_is_outside_the_days_asked_for_also_at_the_end_of_time() {
    let bill = "BilledCost,BillingCurrency,ChargePeriodStart\n1,USD,2024-01-01\n\
        2,USD,2024-01-02T23:59:59.999Z\n4,USD,2024-01-03\n8,USD,9999-12-30\n";
    let billed = |from: Option<&str>, until: Option<&str>| {
        let mut options = ReviewOptions::default();
        options.from = from.map(|day| day.parse().unwrap());
        options.until = until.map(|day| day.parse().unwrap());
        let report = review(bill, &options);
        let total = report.totals.get(&Currency::USD)?.billed.clone()?;
        Some(total.to_string())
    };
    for (from, until, expected) in [
        (Some("2024-01-02"), Some("2024-01-03"), Some("2")),
        (Some("2024-01-03"), Some("9999-12-30"), Some("4")),
        (Some("9999-12-30"), Some("9999-12-31"), Some("8")),
        (Some("9999-12-31"), None, None),
        (Some("-009999-01-01"), Some("9999-12-31"), Some("15")),
        (None, Some("-009999-01-01"), None),
    ] {
        let total = billed(from, until);
        assert_eq!(total.as_deref(), expected, "{from:?} {until:?}");
    }
}

#[test]
fn never_adds_currencies() {
    let report = several_currencies();
    let html = report.to_html();
    check_page(&html, |page| {
        let sections: Vec<_> = elements(page, "section")
            .filter_map(|node| node.attribute("aria-label"))
            .filter(|label| label.starts_with("Costs in"))
            .collect();
        assert_eq!(sections, ["Costs in USD", "Costs in EUR", "Costs in GBP"]);
    });
    for text in [
        html,
        report.to_markdown(),
        report.to_text(TextOptions::default()),
    ] {
        assert!(text.contains("30.00") && text.contains("5.00"));
        assert!(!text.contains("35.00"), "dollars and euros were added");
    }
}

#[test]
fn requests_nothing_and_runs_nothing() {
    for report in [month(), several_currencies(), Report::default()] {
        let html = report.to_html();
        for word in [
            "http://",
            "https://",
            "<script",
            "src=",
            "@import",
            "url(",
            "javascript:",
        ] {
            assert!(!html.contains(word), "{word}");
        }
        assert!(html.contains("default-src 'none'"));
        check_page(&html, |page| {
            for node in page.descendants().filter(Node::is_element) {
                let name = node.tag_name().name();
                assert!(!matches!(
                    name,
                    "script" | "link" | "iframe" | "img" | "object" | "form"
                ));
                let handler = node.attributes().find(|a| a.name().starts_with("on"));
                assert!(handler.is_none(), "{handler:?}");
                let outward = node.attribute("href").filter(|href| !href.starts_with('#'));
                assert_eq!(outward, None);
            }
        });
    }
}

#[test]
fn a_hostile_name_is_only_a_name() {
    let report = hostile();
    let html = report.to_html();
    assert!(!html.contains("<script") && !html.contains("<img"));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    check_page(&html, |page| {
        assert_eq!(
            elements(page, "script").count() + elements(page, "img").count(),
            0
        );
        let named = page.descendants().filter_map(|node| node.text());
        assert!(
            named
                .into_iter()
                .any(|text| text.contains("<script>alert(1)</script>"))
        );
    });
    let text = report.to_text(TextOptions::width(200));
    let markdown = report.to_markdown();
    for shown in [&html, &text, &markdown] {
        assert!(
            !shown.contains(['\u{1b}', '\u{202e}']),
            "a control character is let through"
        );
    }
    assert!(!markdown.contains("<script") && !markdown.contains("<img"));
    for line in markdown
        .lines()
        .filter(|line| line.contains("alert(1)") && line.starts_with('|'))
    {
        assert!(line.contains("\\|\\`x\\`"), "{line}");
    }
}

#[test]
fn every_chart_is_named_and_has_its_table() {
    for report in [month(), several_currencies(), hostile()] {
        check_page(&report.to_html(), |page| {
            for svg in elements(page, "svg") {
                let hidden = svg.attribute("aria-hidden") == Some("true");
                if hidden {
                    continue;
                }
                assert_eq!(svg.attribute("role"), Some("img"));
                for name in ["title", "desc"] {
                    let named = svg.children().find(|node| node.has_tag_name(name)).unwrap();
                    let id = named.attribute("id").unwrap();
                    assert!(svg.attribute("aria-labelledby").unwrap().contains(id));
                    assert!(!named.text().unwrap_or_default().is_empty());
                }
            }
            let figures: Vec<_> = elements(page, "figure").collect();
            assert!(!figures.is_empty());
            for figure in figures {
                let mut tables = figure.descendants().filter(|node| {
                    node.has_tag_name("table")
                        && node
                            .ancestors()
                            .any(|parent| parent.has_tag_name("details"))
                });
                let rows = tables
                    .next()
                    .unwrap()
                    .descendants()
                    .filter(|n| n.has_tag_name("tr"));
                assert!(rows.count() > 1, "a chart without figures behind it");
            }
        });
    }
}

#[test]
fn headings_leave_out_no_level() {
    for report in [month(), several_currencies(), hostile(), Report::default()] {
        check_page(&report.to_html(), |page| {
            let headings = page.descendants().filter_map(|node| {
                let name = node.tag_name().name();
                name.strip_prefix('h')?.parse::<u32>().ok()
            });
            let mut above = 0;
            for level in headings {
                assert!(level <= above + 1, "h{level} under h{above}");
                above = level;
            }
            assert!(above > 0, "no heading");
        });
    }
}

#[test]
fn ids_are_unique_on_the_page() {
    check_page(&several_currencies().to_html(), |page| {
        let mut ids: Vec<_> = page
            .descendants()
            .filter_map(|n| n.attribute("id"))
            .collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    });
}

#[test]
fn shows_missing_days_as_gaps_and_credits_below_the_axis() {
    check_page(&month().to_html(), |page| {
        let class =
            |name| elements(page, "rect").filter(move |n| n.attribute("class") == Some(name));
        assert_eq!(class("gap").count(), 2);
        let zero = elements(page, "line")
            .find(|n| n.attribute("class") == Some("zero"))
            .and_then(|line| line.attribute("y1")?.parse::<f64>().ok())
            .unwrap();
        let below = class("c1").filter(|rect| {
            let top = rect.attribute("y").and_then(|y| y.parse::<f64>().ok());
            top.is_some_and(|top| (top - zero).abs() < 0.05)
        });
        assert_eq!(below.count(), 1, "the day of the credit");
    });
}

#[test]
fn an_empty_report_says_so() {
    let report = Report::default();
    assert!(report.tables().is_empty());
    assert_eq!(
        report.to_text(TextOptions::default()),
        "Cost review\nNo charge was reviewed.\n"
    );
    assert!(report.to_markdown().contains("No charge was reviewed."));
    let html = report.to_html();
    assert!(html.contains("No charge was reviewed."));
    check_page(&html, |page| {
        assert_eq!(elements(page, "figure").count(), 0)
    });
}

#[test]
fn colors_only_where_they_are_asked_for() {
    let report = month();
    assert!(!report.to_text(TextOptions::default()).contains('\u{1b}'));
    let mut colored = TextOptions::default();
    colored.color = true;
    let colored = report.to_text(colored);
    assert!(colored.contains("\u{1b}[1mCost review"));
    let mut plain = String::new();
    let mut parts = colored.split("\u{1b}[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, text)| text));
    }
    let trimmed: Vec<&str> = plain.lines().map(str::trim_end).collect();
    assert_eq!(
        trimmed.join("\n") + "\n",
        report.to_text(TextOptions::default())
    );
}

#[test]
fn fits_the_width_of_the_terminal() {
    use unicode_width::UnicodeWidthStr;
    for report in [month(), several_currencies()] {
        for width in [60, 80, 120] {
            for line in report.to_text(TextOptions::width(width)).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn long_periods_are_drawn_by_month() {
    let mut bill = String::from(HEADER);
    for month in 1..=12 {
        for day in [1, 15, 28] {
            bill.push_str(&format!(
                "10,10,USD,2024-{month:02}-{day:02}T00:00:00Z,Usage,Compute,EC2,AWS\n"
            ));
        }
    }
    let html = review(&bill, &ReviewOptions::default()).to_html();
    assert!(html.contains("Monthly cost, USD"));
    check_page(&html, |page| {
        let bars = elements(page, "g").filter(|n| n.attribute("class") == Some("bar"));
        assert_eq!(bars.count(), 12);
    });
}

#[cfg(feature = "serde")]
#[test]
fn json_has_exact_amounts_as_text_and_null_for_unknown() {
    let services = table(&several_currencies(), "totals");
    let json = serde_json::to_value(&services).unwrap();
    assert_eq!(json["id"], "totals");
    assert_eq!(json["columns"][1]["key"], "billed_cost");
    assert_eq!(json["columns"][1]["align"], "right");
    assert_eq!(json["rows"][0][1], "5");
    assert_eq!(json["rows"][1][0], "GBP");
    assert_eq!(json["rows"][1][1], serde_json::Value::Null);
    assert_eq!(json["rows"][1][5], 1);
}

#[test]
fn the_sample_of_the_specification_renders() {
    let Some(path) = super::development_data("focus/focus_sample.csv") else {
        return;
    };
    let report = review(
        &std::fs::read_to_string(path).unwrap(),
        &ReviewOptions::default(),
    );
    assert!(report.to_text(TextOptions::default()).contains("USD 20.52"));
    assert!(csv(&table(&report, "totals")).contains("USD,20.52022672899"));
    check_page(&report.to_html(), |page| {
        assert!(elements(page, "figure").count() >= 4)
    });
}

proptest! {
    /// Whatever the names and amounts, each rendering is whole.
    #[test]
    fn renders_any_table(
        names in prop::collection::vec("\\PC{0,12}|[\u{0}-\u{ff}]{0,12}", 1..6),
        cents in any::<i64>(),
    ) {
        let mut table = Table::new("any", "Any", vec![
            TableColumn::left("name", "Name"),
            TableColumn::right("cost", "Cost"),
        ]);
        let cents = bursar_cost_model::Exact::new(i128::from(cents), 7).unwrap();
        for name in &names {
            table.rows.push(vec![Cell::text(name), Cell::amount(Some(cents.into()), Currency::USD)]);
        }
        prop_assert_eq!(table.to_text().lines().count(), names.len() + 2);
        prop_assert_eq!(table.to_markdown().lines().count(), names.len() + 2);
        let html = table.to_html();
        let page = Document::parse(&html).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(elements(&page, "tr").count(), names.len() + 1);
        let text = csv(&table);
        let read: Vec<String> = csv_reader(&text).records().map(|r| r.unwrap()[0].to_owned()).collect();
        prop_assert_eq!(read, names);
    }
}
