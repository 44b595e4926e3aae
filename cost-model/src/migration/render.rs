//! How is a migration plan written for a reader?

use super::{MigrationPlan, SizeChange};
use crate::plan_page::{PlanPage, shown};
use crate::report::number;
use crate::{Cell, Table, TableColumn};

impl MigrationPlan {
    /// The plan for a terminal of 80 columns.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.page().to_text()
    }

    /// The plan in GitHub's Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        self.page().to_markdown()
    }

    fn page(&self) -> PlanPage {
        let mut page = PlanPage::default();
        page.title(format!("Migration: {} to {}", self.current, self.target));
        page.paragraph(self.summary());
        page.table(self.comparison());
        page.heading("Risks");
        if self.risks.is_empty() {
            page.paragraph("The two machines differ in nothing that is known to hurt.");
        }
        for risk in &self.risks {
            page.item(format!("{}: {}", risk.level, risk.reason));
            page.sub_item(risk.mitigation.clone());
        }
        page.heading("Steps");
        page.paragraph(
            "A check that fails undoes the steps before it, in reverse order. Nothing here was \
             done yet.",
        );
        for (at, step) in self.steps.iter().enumerate() {
            let person = if step.confirmed_by_person {
                " (a person confirms)"
            } else {
                ""
            };
            page.numbered(at + 1, format!("{}{person}", step.title));
            for action in &step.actions {
                page.sub_item(action.clone());
            }
            for check in &step.checks {
                page.sub_item(format!("check: {check}"));
            }
            if let Some(compensation) = &step.compensation {
                page.sub_item(format!("undo: {compensation}"));
            }
        }
        page
    }

    fn summary(&self) -> String {
        let Some(saving) = self.cost.monthly_saving else {
            return "What it saves is not known, for a price is missing.".to_owned();
        };
        let verb = if saving.is_negative() {
            "adds"
        } else {
            "saves"
        };
        let year = self.cost.annual_saving.map(|money| money.abs());
        let percent = match self.cost.saved_percent {
            Some(percent) => format!(" ({} %)", percent.abs()),
            None => String::new(),
        };
        let (month, year) = (shown(Some(saving.abs())), shown(year));
        format!("It {verb} {month} a month{percent}, {year} a year.")
    }

    fn comparison(&self) -> Table {
        let columns = vec![
            TableColumn::left("what", ""),
            TableColumn::right("current", &*self.current),
            TableColumn::right("target", &*self.target),
            TableColumn::right("change", "Change"),
        ];
        let mut table = Table::new("comparison", "Before and after", columns);
        let change = match self.cost.monthly_saving {
            Some(saving) => Cell::text(shown(Some(-saving))),
            None => Cell::Unknown,
        };
        table.rows.push(vec![
            Cell::text("cost a month"),
            Cell::text(shown(self.cost.current_monthly)),
            Cell::text(shown(self.cost.projected_monthly)),
            change,
        ]);
        let size = |name: &str, size: &SizeChange| {
            vec![
                Cell::text(name),
                Cell::Count(size.before),
                Cell::Count(size.after),
                size.percent
                    .map_or(Cell::Nothing, |p| Cell::text(number::percent_change(p))),
            ]
        };
        table.rows.push(size("vCPU", &self.vcpus));
        table.rows.push(size("memory, MiB", &self.memory_mib));
        table
    }
}
