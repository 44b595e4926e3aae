//! How does a report read on a terminal, in half a minute?

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::section::Section;
use super::table::UNKNOWN;
use super::tables::{self, Scope};
use super::words::{self, Tone};
use super::{FileReport, Report, escape, findings, number};
use crate::{Change, ExactSum, Presence};

/// How many services are listed before the rest.
const TOP_SERVICES: usize = 5;

/// How many contributions to a change are listed.
const TOP_CONTRIBUTIONS: usize = 3;

/// How many rejected rows and problems of each file are listed.
const LISTED_ROWS: usize = 5;

/// The narrowest terminal that lines are fitted to.
const MIN_WIDTH: usize = 40;

/// The widest bar, in characters.
const MAX_BAR: usize = 24;

/// How a report is written for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextOptions {
    /// How many columns lines are fitted to, at least 40; names are shortened, not figures.
    pub width: usize,
    /// Whether headings and warnings are set off by ANSI codes.
    pub color: bool,
}

impl Default for TextOptions {
    /// 80 columns, no codes.
    fn default() -> TextOptions {
        TextOptions {
            width: 80,
            color: false,
        }
    }
}

impl TextOptions {
    /// Lines of this many columns, no codes.
    #[must_use]
    pub fn width(width: usize) -> TextOptions {
        TextOptions {
            width,
            ..TextOptions::default()
        }
    }
}

impl Report {
    /// A summary for a terminal: figures, the largest services, what changed, and what is wrong
    /// with the files.
    ///
    /// ```
    /// use bursar_cost_model::{BillReader, ReadOptions, ReviewOptions, Tally, TextOptions};
    ///
    /// let bill = "\
    /// BilledCost,BillingCurrency,ChargePeriodStart,ServiceName
    /// 119.81,USD,2024-01-01T00:00:00Z,Amazon Elastic Compute Cloud
    /// 68.54,USD,2024-01-02T00:00:00Z,Amazon Bedrock
    /// ";
    /// let options = ReviewOptions::default();
    /// let mut tally = Tally::new(&options)?;
    /// let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default())?;
    /// while let Some(row) = reader.next_row() {
    ///     tally.add(row)?;
    /// }
    /// let text = tally.report(&options)?.to_text(TextOptions::width(80));
    /// assert!(text.contains("USD 188.35"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_text(&self, options: TextOptions) -> String {
        let mut page = Page::new(options);
        page.heading(&match self.period {
            Some(period) => format!("Cost review, {}", words::days(period)),
            None => "Cost review".to_owned(),
        });
        if self.totals.is_empty() {
            page.line("No charge was reviewed.");
        }
        for section in Section::all(self) {
            page.section(&section);
        }
        page.anomalies(self);
        page.invariants(self);
        page.opportunities(self);
        page.scenario(self);
        page.files(&self.files);
        page.notes(&self.notes);
        page.text
    }
}

/// Lines that are written one after the other.
struct Page {
    text: String,
    width: usize,
    color: bool,
}

impl Page {
    fn new(options: TextOptions) -> Page {
        Page {
            text: String::new(),
            width: options.width.max(MIN_WIDTH),
            color: options.color,
        }
    }

    /// One line, without control characters and cut to the width.
    fn line(&mut self, line: &str) {
        let fitted = fitted(&escape::plain(line), self.width);
        self.text.push_str(fitted.trim_end());
        self.text.push('\n');
    }

    /// Words over as many lines as they need, indented.
    fn paragraph(&mut self, indent: &str, words: &str) {
        let room = self.width.saturating_sub(indent.width());
        for line in wrapped(&escape::plain(words), room) {
            self.line(&format!("{indent}{line}"));
        }
    }

    fn heading(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let title = fitted(&escape::plain(title), self.width);
        let title = self.colored(&title, "1");
        self.text.push_str(&title);
        self.text.push('\n');
    }

    fn colored(&self, text: &str, code: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn section(&mut self, section: &Section<'_>) {
        if !section.is_main() {
            self.heading(&format!("In {}", section.currency.code()));
        }
        self.figures(section);
        self.services(section);
        self.categories(section);
        if let Some(change) = section.report.change.as_ref().filter(|_| section.is_main()) {
            self.change(change, section);
        }
    }

    fn figures(&mut self, section: &Section<'_>) {
        let total = money(section.total(), section);
        let kind = words::kind(section.kind);
        let rows = number::plural(section.costs.rows, "row");
        let mut lines = vec![("Total", total, format!("{kind}, {rows}"), Tone::Plain)];
        if section.is_main() {
            let figures = words::figures(section.report, section.currency);
            lines.extend(
                figures
                    .into_iter()
                    .map(|f| (f.name, f.value, f.note, f.tone)),
            );
        }
        let names = lines.iter().map(|line| line.0.width()).max().unwrap_or(0);
        let values = lines.iter().map(|line| line.1.width()).max().unwrap_or(0);
        let indent = " ".repeat(names + values + 6);
        for (name, value, note, tone) in lines {
            let code = match tone {
                Tone::Plain => "0",
                Tone::Good => "32",
                Tone::Warning => "33",
                Tone::Bad => "31",
            };
            let value = self.colored(&format!("{value:<values$}"), code);
            let room = self.width.saturating_sub(indent.width()).max(MIN_WIDTH / 2);
            for (at, note) in wrapped(&note, room).into_iter().enumerate() {
                let line = match at {
                    0 => format!("  {name:<names$}  {value}  {note}"),
                    _ => format!("{indent}{note}"),
                };
                self.text.push_str(line.trim_end());
                self.text.push('\n');
            }
        }
        if let Some(unknown) = words::unknown_rows(section.costs, section.kind) {
            self.paragraph("  ", &unknown);
        }
    }

    fn services(&mut self, section: &Section<'_>) {
        let mut lines: Vec<BarLine> = section
            .services()
            .take(TOP_SERVICES)
            .map(|line| BarLine {
                name: match section.note_of(line) {
                    Some(note) => format!("{} ({note})", line.service),
                    None => line.service.clone(),
                },
                amount: amount(line.costs.get(section.kind), section),
                share: line.share,
            })
            .collect();
        lines.extend(section.rest(TOP_SERVICES).map(|rest| BarLine {
            name: number::plural(rest.services, "other service"),
            amount: amount(rest.cost.as_ref(), section),
            share: rest.share,
        }));
        self.bars("Services", section, &lines);
    }

    fn categories(&mut self, section: &Section<'_>) {
        let lines: Vec<BarLine> = section
            .categories()
            .map(|line| BarLine {
                name: line.category.name().to_owned(),
                amount: amount(line.costs.get(section.kind), section),
                share: line.share,
            })
            .collect();
        self.bars("Groups", section, &lines);
    }

    /// Names, amounts, shares and bars, in columns.
    fn bars(&mut self, title: &str, section: &Section<'_>, lines: &[BarLine]) {
        if lines.is_empty() {
            return;
        }
        self.heading(&format!("{title}, {}", section.currency.code()));
        let amounts = lines
            .iter()
            .map(|line| line.amount.width())
            .max()
            .unwrap_or(0);
        let shares = lines
            .iter()
            .map(|line| line.shown_share().width())
            .max()
            .unwrap_or(0);
        let figures = amounts + shares + 6;
        let bar = (self.width.saturating_sub(figures) / 3).min(MAX_BAR);
        let longest = lines
            .iter()
            .map(|line| line.name.width())
            .max()
            .unwrap_or(0);
        let names = longest.min(self.width.saturating_sub(figures + bar + 2));
        for line in lines {
            let name = padded(&fitted(&escape::plain(&line.name), names), names);
            let (amount, share) = (&line.amount, line.shown_share());
            let bar = blocks(line.share.unwrap_or(0.0), bar);
            self.line(&format!(
                "  {name}  {amount:>amounts$}  {share:>shares$}  {bar}"
            ));
        }
    }

    fn change(&mut self, change: &Change, section: &Section<'_>) {
        self.heading(&format!(
            "Change from {} to {}",
            words::days(change.before),
            words::days(change.after)
        ));
        self.line(&format!(
            "  {}",
            words::change(&change.by_service, section.currency)
        ));
        if let Some(gaps) = words::change_gaps(section.report) {
            self.paragraph("  ", &gaps);
        }
        let top = change
            .by_service
            .contributions
            .iter()
            .take(TOP_CONTRIBUTIONS.min(words::notable_contributions(change)));
        let lines: Vec<(String, &str, &str)> = top
            .map(|c| {
                let seen = match c.presence {
                    Presence::Both => "",
                    Presence::New => " (new)",
                    Presence::Gone => " (gone)",
                };
                (
                    number::change(&c.change, section.currency),
                    c.key.as_str(),
                    seen,
                )
            })
            .collect();
        let amounts = lines.iter().map(|line| line.0.width()).max().unwrap_or(0);
        for (amount, name, seen) in lines {
            self.line(&format!("  {amount:>amounts$}  {name}{seen}"));
        }
    }

    fn anomalies(&mut self, report: &Report) {
        if report.anomalies.is_empty() {
            return;
        }
        self.heading("Anomalies");
        for anomaly in &report.anomalies {
            let line = format!(
                "{}  {}: {} ({})",
                anomaly.date, anomaly.series, anomaly.message, anomaly.severity
            );
            self.paragraph("  ", &line);
        }
    }

    fn invariants(&mut self, report: &Report) {
        if report.invariants.is_empty() {
            return;
        }
        let counts = findings::RuleCounts::of(&report.invariants);
        self.heading(&format!("Rules of FOCUS: {}", counts.in_words()));
        for rule in findings::failed(&report.invariants) {
            let mut line = format!("{}: {}", rule.rule.name(), findings::extent(rule));
            if let Some(example) = findings::first_example(rule) {
                line.push_str(&format!(", first {example}"));
            }
            self.paragraph("  ", &line);
        }
    }

    fn opportunities(&mut self, report: &Report) {
        for all in findings::with_findings(report) {
            self.heading(&format!("Opportunities: {}", findings::potential(all)));
            let savings: Vec<String> = all
                .found
                .iter()
                .map(|opportunity| findings::saving(opportunity, all.currency))
                .collect();
            let width = savings
                .iter()
                .map(|saving| saving.width())
                .max()
                .unwrap_or(0);
            for (opportunity, saving) in all.found.iter().zip(&savings) {
                let blanks = " ".repeat(width.saturating_sub(saving.width()));
                self.line(&format!("  {blanks}{saving}  {}", opportunity.kind));
                let indent = " ".repeat(width + 4);
                self.paragraph(&indent, &findings::terms(opportunity));
                self.paragraph(&indent, &opportunity.reason);
            }
        }
        if findings::none_found(report) {
            self.heading("Opportunities: none found");
            for all in &report.opportunities {
                for rule in &all.not_advised {
                    self.paragraph("  ", &format!("{}: {}", rule.kind, rule.reason));
                }
            }
        }
    }

    fn scenario(&mut self, report: &Report) {
        let Some(scenario) = &report.scenario else {
            return;
        };
        self.heading("Before and after");
        self.table(&tables::scenario(scenario, Scope::Of(scenario.currency)).to_text());
    }

    fn table(&mut self, table: &str) {
        for line in table.lines() {
            self.line(&format!("  {line}"));
        }
    }

    fn files(&mut self, files: &[FileReport]) {
        if files.is_empty() {
            return;
        }
        self.heading("Files");
        for file in files {
            self.file(file);
        }
    }

    fn file(&mut self, file: &FileReport) {
        let format = file.format.map_or(UNKNOWN, |format| format.name());
        let mut line = format!(
            "{} ({format}): {} of {} kept",
            file.path,
            number::count(file.rows_kept),
            number::plural(file.rows_read, "row")
        );
        if let Some(outside) = file.rows_outside.filter(|&outside| outside > 0) {
            let outside = number::count(outside);
            line.push_str(&format!(", {outside} outside the period"));
        }
        if file.rows_rejected_count > 0 {
            let rejected = number::count(file.rows_rejected_count);
            line.push_str(&format!(", {rejected} rejected"));
        }
        self.paragraph("  ", &line);
        if let Some(error) = &file.error {
            self.paragraph("    ", error);
        }
        for problem in file.problems.iter().take(LISTED_ROWS) {
            self.paragraph(
                "    ",
                &place(problem.line, &problem.column, &problem.reason),
            );
        }
        self.more(file.problems.len() as u64, "problem");
        for row in file.rows_rejected.iter().take(LISTED_ROWS) {
            self.paragraph(
                "    ",
                &place(row.line, &row.column, &row.reason.to_string()),
            );
        }
        self.more(file.rows_rejected_count, "rejected row");
    }

    fn more(&mut self, all: u64, what: &str) {
        let more = all.saturating_sub(LISTED_ROWS as u64);
        if more > 0 {
            self.line(&format!(
                "    and {}",
                number::plural(more, &format!("more {what}"))
            ));
        }
    }

    fn notes(&mut self, notes: &[String]) {
        if notes.is_empty() {
            return;
        }
        self.heading("Notes");
        for note in notes {
            self.paragraph("  ", note);
        }
    }
}

/// A line with a bar.
struct BarLine {
    name: String,
    amount: String,
    share: Option<f64>,
}

impl BarLine {
    fn shown_share(&self) -> String {
        self.share.map_or_else(|| "–".to_owned(), number::percent)
    }
}

/// Where something is wrong in a file, and what.
pub(crate) fn place(line: u64, column: &str, reason: &str) -> String {
    if column.is_empty() {
        format!("line {line}: {reason}")
    } else {
        format!("line {line}, {column}: {reason}")
    }
}

fn money(sum: Option<&ExactSum>, section: &Section<'_>) -> String {
    sum.map_or_else(
        || UNKNOWN.to_owned(),
        |sum| number::money(sum, section.currency),
    )
}

fn amount(sum: Option<&ExactSum>, section: &Section<'_>) -> String {
    sum.map_or_else(
        || UNKNOWN.to_owned(),
        |sum| number::amount(sum, section.currency),
    )
}

/// A bar of eighths of a character: `percent` of `width` characters. Below zero there is no bar.
fn blocks(percent: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = (percent / 100.0).clamp(0.0, 1.0);
    let eighths = (share * width as f64 * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// The text, cut with an ellipsis where it is wider than `width`.
fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        fitted.push(c);
    }
    fitted.push('…');
    fitted
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The words in lines of at most `width`; a longer word has a line of its own. At least one line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in tied_words(text) {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(&word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// The words of a text; a figure is one word with its currency, its unit or its `p =`.
fn tied_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match words.last_mut() {
            Some(last) if belongs_to(last, word) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

fn belongs_to(before: &str, word: &str) -> bool {
    let is_figure = word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let is_code = before.len() == 3 && before.bytes().all(|b| b.is_ascii_uppercase());
    let unit = word.starts_with('%') && before.ends_with(|c: char| c.is_ascii_digit());
    let sign = matches!(word, "=" | "<") && before.ends_with('p');
    unit || sign || (is_figure && (is_code || before.ends_with(" =") || before.ends_with(" <")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_a_bar_to_an_eighth_of_a_character() {
        for (percent, bar) in [
            (0.0, ""),
            (100.0, "████"),
            (50.0, "██"),
            (53.125, "██▏"),
            (-20.0, ""),
            (400.0, "████"),
            (f64::NAN, ""),
        ] {
            assert_eq!(blocks(percent, 4), bar, "{percent}");
        }
    }

    #[test]
    fn cuts_by_width_and_not_by_letters() {
        assert_eq!(fitted("大阪リージョン", 8), "大阪リ…");
        assert_eq!(fitted("Bedrock", 7), "Bedrock");
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), [""]);
    }

    #[test]
    fn parts_no_figure_from_its_unit() {
        for (text, lines) in [
            ("it saves 30 % of it", ["it saves", "30 % of it"]),
            ("more than USD 50.00", ["more than", "USD 50.00"]),
            ("seldom (p = 0.017)", ["seldom", "(p = 0.017)"]),
        ] {
            assert_eq!(wrapped(text, 12), lines, "{text}");
        }
    }
}
