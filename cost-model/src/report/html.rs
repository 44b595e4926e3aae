//! How does a report look as one file that can be sent to anybody?
//!
//! No script, no font, no picture from elsewhere: the page's policy forbids every request, so
//! that opening it tells nobody. Charts are inline SVG with the table behind each; every text is
//! escaped by the templates.

mod blocks;
mod palette;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::blocks::{Shape, bars, details, table};
use super::days::Days;
use super::section::Section;
use super::table::UNKNOWN;
use super::tables::{self, Scope};
use super::words::{self, Figure, Tone};
use super::{FileReport, Report, chart, escape, findings, number};
use crate::{Change, ExactSum};

/// The style sheet, without the colors.
const STYLE: &str = include_str!("html/style.css");

/// Nothing is fetched, run or sent, whatever a file might smuggle in.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// How many contributions to a change are drawn.
const CONTRIBUTIONS: usize = 8;

impl Report {
    /// The report as one self-contained page for screen, phone and paper, light and dark.
    ///
    /// It holds no script and requests nothing.
    #[must_use]
    pub fn to_html(&self) -> String {
        let title = match self.period {
            Some(period) => format!("Cost review, {}", words::days(period)),
            None => "Cost review".to_owned(),
        };
        let sections = Section::all(self);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    style { (PreEscaped(palette::style_sheet())) (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        header.page {
                            p.eyebrow { "Cost review" }
                            h1 { (self.period.map_or_else(|| "No period".to_owned(), words::days)) }
                            (scope_line(self))
                        }
                        @if sections.is_empty() {
                            section.card { p { "No charge was reviewed." } }
                        }
                        @for section in &sections {
                            (currency(section, sections.len() > 1))
                        }
                        (group_table(self))
                        (anomalies(self))
                        (opportunities(self))
                        (scenario(self))
                        (invariants(self))
                        (files(&self.files))
                        (notes(&self.notes))
                        footer {
                            p {
                                "Amounts are rounded half to even for showing; the tables as CSV and JSON have them exactly. "
                                "What is not known is called unknown and is in no sum. Currencies are never added."
                            }
                        }
                    }
                }
            }
        };
        page.into_string()
    }
}

/// Files, rows and days in one line under the title.
fn scope_line(report: &Report) -> Markup {
    let mut parts = Vec::new();
    parts.extend(report.period.map(|p| number::plural(p.day_count(), "day")));
    if !report.files.is_empty() {
        parts.push(number::plural(report.files.len(), "file"));
    }
    let rows: u64 = report.totals.values().map(|costs| costs.rows).sum();
    parts.push(number::plural(rows, "charge"));
    let rejected: u64 = report
        .files
        .iter()
        .map(|file| file.rows_rejected_count)
        .sum();
    html! {
        p.scope {
            (parts.join(" · "))
            @if rejected > 0 {
                " · " a href="#files" { (number::plural(rejected, "rejected row")) }
            }
        }
    }
}

/// Everything in one currency.
fn currency(section: &Section<'_>, one_of_many: bool) -> Markup {
    let days = Days::of(section);
    html! {
        section.currency aria-label={ "Costs in " (section.currency.code()) } {
            // One currency needs no heading to look at, but the outline of the page does.
            h2.currency.unseen[!one_of_many] { "In " (section.currency.code()) }
            (headline(section, days.as_ref()))
            @if section.is_main() {
                (figures(&words::figures(section.report, section.currency)))
            }
            @if let Some(days) = days.as_ref().filter(|days| days.is_known()) {
                (daily(section, days))
            }
            div.columns {
                (services(section))
                (categories(section))
            }
            @if section.is_main() {
                @if let Some(change) = &section.report.change {
                    (contributions(change, section))
                }
                (figure_tables(section))
            }
        }
    }
}

fn headline(section: &Section<'_>, days: Option<&Days>) -> Markup {
    let values: Vec<Option<f64>> = days
        .iter()
        .flat_map(|days| &days.stretches)
        .map(|stretch| stretch.total.as_ref().map(ExactSum::to_f64))
        .collect();
    let change = section.report.change.as_ref().filter(|_| section.is_main());
    html! {
        div.card.headline {
            div {
                p.label { "Total " (words::kind(section.kind)) }
                p.total {
                    span.code { (section.currency.code()) }
                    "\u{a0}"
                    (section.total().map_or_else(|| UNKNOWN.to_owned(), |sum| {
                        escape::minus(&number::amount(sum, section.currency))
                    }))
                }
                @if let Some(change) = change {
                    p.change { (change_line(change, section)) }
                    @if let Some(gaps) = words::change_gaps(section.report) { p.caution { (gaps) "." } }
                }
                @if let Some(unknown) = words::unknown_rows(section.costs, section.kind) {
                    p.caution { (unknown) "." }
                }
            }
            (chart::sparkline(&values))
        }
    }
}

/// `▲ USD +12.30 (+5.1 %) from 18 – 24 Jan to 25 – 31 Jan`.
fn change_line(change: &Change, section: &Section<'_>) -> Markup {
    let sum = &change.by_service.change;
    let arrow = match (sum.is_zero(), sum.is_negative()) {
        (true, _) => "■",
        (_, true) => "▼",
        _ => "▲",
    };
    html! {
        strong {
            span aria-hidden="true" { (arrow) " " }
            (escape::tied(&escape::minus(&words::change(&change.by_service, section.currency))))
        }
        " from " (words::days(change.before)) " to " (words::days(change.after))
    }
}

fn figures(figures: &[Figure]) -> Markup {
    let class = |tone: Tone| match tone {
        Tone::Plain => "card",
        Tone::Good => "card good",
        Tone::Warning => "card warning",
        Tone::Bad => "card bad",
    };
    html! {
        @if !figures.is_empty() {
            // Four stand in one row, six in two of three.
            dl.figures.four[figures.len() == 4] {
                @for figure in figures {
                    div class=(class(figure.tone)) {
                        dt { (figure.name) }
                        dd.value { (escape::minus(&figure.value)) }
                        dd.note { (escape::tied(&figure.note)) }
                    }
                }
            }
        }
    }
}

/// The figures in full, for those who want the intervals and the units.
fn figure_tables(section: &Section<'_>) -> Markup {
    let (report, currency) = (section.report, section.currency);
    let mut all = vec![tables::statistics(report, currency)];
    let forecast = report.forecast.as_ref();
    all.extend(forecast.map(|f| tables::forecast(f, currency, Scope::Of(currency))));
    all.extend(report.budget.as_ref().map(|b| tables::budget(b, currency)));
    html! {
        @if all.iter().any(|table| !table.rows.is_empty()) {
            section.card.quiet { @for table in &all { (details(table)) } }
        }
    }
}

/// The stacked bars of the days, with their legend and table.
fn daily(section: &Section<'_>, days: &Days) -> Markup {
    let title = format!("{} cost", days.unit.adverb());
    let layers: Vec<&str> = days.layers().collect();
    let average = section
        .report
        .summary
        .as_ref()
        .filter(|_| section.is_main());
    let level = average
        .filter(|_| days.unit == super::days::Unit::Day)
        .and_then(|summary| summary.mean);
    let stacks = chart::Stacks {
        id: format!("days-{}", section.currency.code()),
        title: format!("{title} in {}, stacked by service", section.currency.code()),
        description: description(section, days),
        bars: blocks::stacks(section, days),
        level,
    };
    html! {
        figure.card {
            figcaption { h3 { (title) ", " (section.currency.code()) } }
            ul.legend {
                @for (at, layer) in layers.iter().enumerate() {
                    li { span class={ "swatch " (palette::class(at, days.series.len())) } {} (escape::plain(layer)) }
                }
                @if level.is_some() {
                    li { span.swatch.dashes {} "Daily average" }
                }
                @if days.has_gaps() {
                    li { span.swatch.gap {} "Nothing known" }
                }
                @if stacks.bars.iter().any(|bar| bar.is_marked) {
                    li { span.swatch.mark {} "Anomaly" }
                }
            }
            (chart::stacks(&stacks))
            (details(&days.table(section)))
        }
    }
}

/// What the chart shows, for those who do not see it.
fn description(section: &Section<'_>, days: &Days) -> String {
    let mut text = format!(
        "{} bars, one for each {}",
        days.stretches.len(),
        match days.unit {
            super::days::Unit::Day => "day",
            super::days::Unit::Month => "month",
            super::days::Unit::Year => "year",
        }
    );
    let known = days
        .stretches
        .iter()
        .filter_map(|s| Some((s.start, s.total.as_ref()?)));
    if let Some((start, total)) = known.max_by(|a, b| a.1.cmp(b.1)) {
        let name = days.unit.tick(start);
        let money = number::money(total, section.currency);
        text.push_str(&format!("; the highest is {name} with {money}"));
    }
    let gaps = days.stretches.iter().filter(|s| s.costs.is_none()).count();
    if gaps > 0 {
        text.push_str(&format!("; of {gaps} nothing is known"));
    }
    text.push_str(". The same figures are in the table below.");
    text
}

fn services(section: &Section<'_>) -> Markup {
    let lines = blocks::service_bars(section);
    let all = tables::services(section.services(), Scope::Of(section.currency));
    html! {
        @if !lines.is_empty() {
            figure.card {
                figcaption { h3 { "Services" } }
                (bars(&lines, Shape::Narrow))
                (details(&all))
            }
        }
    }
}

fn categories(section: &Section<'_>) -> Markup {
    let lines = blocks::category_bars(section);
    let all = tables::categories(section.categories(), Scope::Of(section.currency));
    html! {
        @if !lines.is_empty() {
            figure.card {
                figcaption { h3 { "Five groups" } }
                (bars(&lines, Shape::Narrow))
                (details(&all))
            }
        }
    }
}

fn contributions(change: &Change, section: &Section<'_>) -> Markup {
    let lines = blocks::change_bars(change, section, CONTRIBUTIONS);
    html! {
        @if !lines.is_empty() {
            figure.card {
                figcaption {
                    h3 { "What changed" }
                    p.sub { (change_line(change, section)) }
                    @if let Some(gaps) = words::change_gaps(section.report) { p.caution { (gaps) "." } }
                }
                (bars(&lines, Shape::Wide))
                (details(&tables::contributions(change, section.currency, Scope::Of(section.currency))))
            }
        }
    }
}

fn group_table(report: &Report) -> Markup {
    let groups = report.groups.as_ref();
    let groups = groups.map(|groups| tables::groups(groups, Scope::All));
    html! {
        @if let Some(groups) = groups.filter(|table| !table.rows.is_empty()) {
            section.card {
                h2.heading { (escape::plain(&groups.title)) }
                (table(&groups))
            }
        }
    }
}

fn anomalies(report: &Report) -> Markup {
    html! {
        @if !report.anomalies.is_empty() {
            section.card {
                h2.heading { "Anomalies" }
                ul.findings {
                    @for anomaly in &report.anomalies {
                        li {
                            p {
                                strong { (escape::plain(&anomaly.series)) } ", " (words::date(anomaly.date))
                                " " span.tag { (escape::plain(&anomaly.severity)) }
                            }
                            p.note { (escape::plain(&anomaly.message)) }
                        }
                    }
                }
            }
        }
    }
}

fn opportunities(report: &Report) -> Markup {
    html! {
        @for all in findings::with_findings(report) {
            figure.card {
                figcaption {
                    h2.heading { "Opportunities, " (all.currency.code()) }
                    p.sub { "Total potential " strong { (findings::potential(all)) } }
                }
                (bars(&blocks::opportunity_bars(all), Shape::Wide))
                ul.findings {
                    @for opportunity in &all.found {
                        li {
                            p { strong { (escape::plain(&opportunity.kind.to_string())) } ": " (escape::plain(&opportunity.reason)) }
                            p.note { (escape::tied(&findings::terms(opportunity))) }
                        }
                    }
                }
                (details(&findings::opportunities([all].into_iter())))
                (details(&findings::resources([all].into_iter())))
            }
        }
        @if findings::none_found(report) {
            section.card {
                h2.heading { "Opportunities" }
                p.sub { "None found." }
            }
        }
        @let not_advised = findings::not_advised(report.opportunities.iter());
        @if !not_advised.rows.is_empty() {
            section.card.quiet { (details(&not_advised)) }
        }
    }
}

fn invariants(report: &Report) -> Markup {
    let counts = findings::RuleCounts::of(&report.invariants);
    let failures = findings::failures(&report.invariants);
    html! {
        @if !report.invariants.is_empty() {
            section.card {
                h2.heading { "Rules of FOCUS" }
                p.sub {
                    span.tag.good { (counts.passed) " passed" } " "
                    span.tag.bad[counts.failed > 0] { (counts.failed) " failed" } " "
                    span.tag { (counts.not_testable) " not testable" }
                }
                ul.findings {
                    @for rule in findings::failed(&report.invariants) {
                        li {
                            p { strong { (rule.rule.name()) } ": " (findings::extent(rule)) }
                            p.note { (rule.rule.statement()) }
                            @for note in &rule.notes { p.note { (escape::plain(note)) } }
                        }
                    }
                }
                (details(&failures))
                (details(&findings::rules(&report.invariants)))
            }
        }
    }
}

fn scenario(report: &Report) -> Markup {
    html! {
        @if let Some(scenario) = &report.scenario {
            figure.card {
                figcaption {
                    h2.heading { "Before and after" }
                    p.sub { (blocks::scenario_line(scenario)) }
                }
                ul.legend {
                    li { span.swatch.c0 {} "Before" }
                    li { span.swatch.c1 {} "After" }
                }
                (bars(&blocks::scenario_bars(scenario), Shape::Wide))
                (details(&tables::scenario(scenario, Scope::Of(scenario.currency))))
            }
        }
    }
}

fn files(files: &[FileReport]) -> Markup {
    let (rejected, problems) = (tables::rejected_rows(files), tables::problems(files));
    let all_clean = files.iter().all(FileReport::is_clean);
    html! {
        @if !files.is_empty() {
            section.card #files {
                h2.heading { "Files" }
                @if all_clean {
                    p.sub { "Every row was read." }
                }
                (table(&tables::files(files)))
                @if !problems.rows.is_empty() {
                    h3.small { "Problems" }
                    (table(&problems))
                }
                @if !rejected.rows.is_empty() {
                    h3.small { "Rejected rows" }
                    (table(&rejected))
                }
            }
        }
    }
}

fn notes(notes: &[String]) -> Markup {
    html! {
        @if !notes.is_empty() {
            section.card {
                h2.heading { "Notes" }
                ul.notes {
                    @for note in notes { li { (escape::plain(note)) } }
                }
            }
        }
    }
}
