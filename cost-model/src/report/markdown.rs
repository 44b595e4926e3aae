//! How does a report read in a pull request, an issue or a wiki?

use super::section::Section;
use super::table::{Cell, Table, TableColumn, UNKNOWN};
use super::tables::{self, Scope};
use super::{Report, escape, findings, number, words};
use crate::ExactSum;

/// Rows of a table that a reader scrolls through without losing the thread; longer ones are cut
/// and say so. The files that machines read have them all.
const MAX_ROWS: usize = 50;

impl Report {
    /// The report in GitHub's Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut page = Page {
            text: String::new(),
            level: 2,
        };
        page.heading(
            1,
            &match self.period {
                Some(period) => format!("Cost review, {}", words::days(period)),
                None => "Cost review".to_owned(),
            },
        );
        if self.totals.is_empty() {
            page.paragraph("No charge was reviewed.");
        }
        let sections = Section::all(self);
        for section in &sections {
            page.section(section, sections.len() > 1);
        }
        if let Some(groups) = &self.groups {
            page.table(&tables::groups(groups, Scope::All));
        }
        page.table(&tables::anomalies(self));
        page.invariants(self);
        page.opportunities(self);
        if let Some(scenario) = &self.scenario {
            page.table(&tables::scenario(scenario, Scope::Of(scenario.currency)));
        }
        page.table(&tables::files(&self.files));
        page.table(&tables::problems(&self.files));
        page.table(&tables::rejected_rows(&self.files));
        page.notes(&self.notes);
        page.text
    }
}

struct Page {
    text: String,
    /// The level of the headings of tables.
    level: usize,
}

impl Page {
    fn heading(&mut self, level: usize, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let title = escape::markdown(title);
        self.text
            .push_str(&format!("{} {title}\n\n", "#".repeat(level)));
    }

    fn paragraph(&mut self, words: &str) {
        self.text.push_str(&escape::markdown(words));
        self.text.push_str("\n\n");
    }

    /// The table under its title; nothing for a table without rows.
    fn table(&mut self, table: &Table) {
        if table.rows.is_empty() {
            return;
        }
        self.heading(self.level, &table.title);
        self.rows(table);
    }

    fn rows(&mut self, table: &Table) {
        let more = table.rows.len().saturating_sub(MAX_ROWS);
        let mut shown = table.clone();
        shown.rows.truncate(MAX_ROWS);
        self.text.push_str(&shown.to_markdown());
        if more > 0 {
            self.text.push('\n');
            self.paragraph(&format!("And {}.", number::plural(more, "more row")));
        }
    }

    fn section(&mut self, section: &Section<'_>, one_of_many: bool) {
        if one_of_many {
            self.heading(2, &format!("In {}", section.currency.code()));
            self.level = 3;
        }
        self.figures(section);
        self.table(&tables::services(
            section.services(),
            Scope::Of(section.currency),
        ));
        self.table(&tables::categories(
            section.categories(),
            Scope::Of(section.currency),
        ));
        if let Some(change) = section.report.change.as_ref().filter(|_| section.is_main()) {
            let table =
                tables::contributions(change, section.currency, Scope::Of(section.currency));
            self.heading(self.level, &table.title);
            let sum = words::change(&change.by_service, section.currency);
            self.paragraph(&format!("In all {sum}."));
            if let Some(gaps) = words::change_gaps(section.report) {
                self.paragraph(&format!("{gaps}."));
            }
            self.rows(&table);
        }
        self.table(&tables::daily(section.days(), Scope::Of(section.currency)));
        self.level = 2;
    }

    fn figures(&mut self, section: &Section<'_>) {
        let columns = vec![
            TableColumn::left("figure", "Figure"),
            TableColumn::right("value", "Value"),
            TableColumn::left("note", ""),
        ];
        let line = |name: &str, value: String, note: String| {
            vec![Cell::text(name), Cell::text(value), Cell::text(note)]
        };
        let money = |sum: &ExactSum| number::money(sum, section.currency);
        let total = section.total().map_or_else(|| UNKNOWN.to_owned(), money);
        let rows = number::plural(section.costs.rows, "row");
        let note = format!("{}, {rows}", words::kind(section.kind));
        let mut table = Table::new("figures", "", columns);
        table.rows.push(line("Total", total, note));
        if section.is_main() {
            let figures = words::figures(section.report, section.currency);
            table
                .rows
                .extend(figures.into_iter().map(|f| line(f.name, f.value, f.note)));
        }
        self.rows(&table);
        if let Some(unknown) = words::unknown_rows(section.costs, section.kind) {
            self.text.push('\n');
            self.paragraph(&format!("{unknown}."));
        }
    }

    fn invariants(&mut self, report: &Report) {
        if report.invariants.is_empty() {
            return;
        }
        self.heading(2, "Rules of FOCUS");
        let counts = findings::RuleCounts::of(&report.invariants);
        self.paragraph(&format!("{}.", counts.in_words()));
        for rule in findings::failed(&report.invariants) {
            let (name, statement) = (rule.rule.name(), rule.rule.statement());
            let words = format!("{name}: {}. {statement}", findings::extent(rule));
            self.text
                .push_str(&format!("- {}\n", escape::markdown(&words)));
        }
        if counts.failed > 0 {
            self.text.push('\n');
            self.rows(&findings::failures(&report.invariants));
        }
    }

    fn opportunities(&mut self, report: &Report) {
        for all in findings::with_findings(report) {
            self.heading(2, &format!("Opportunities, {}", all.currency.code()));
            self.paragraph(&format!("Total potential: {}.", findings::potential(all)));
            self.rows(&findings::opportunities([all].into_iter()));
        }
        if findings::none_found(report) {
            self.heading(2, "Opportunities");
            self.paragraph("None found.");
        }
        self.table(&findings::not_advised(report.opportunities.iter()));
    }

    fn notes(&mut self, notes: &[String]) {
        if notes.is_empty() {
            return;
        }
        self.heading(2, "Notes");
        for note in notes {
            self.text
                .push_str(&format!("- {}\n", escape::markdown(note)));
        }
    }
}
