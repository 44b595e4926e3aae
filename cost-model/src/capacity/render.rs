//! How is a capacity plan written for a reader?

use super::{Binding, CapacityPlan, Reason};
use crate::plan_page::{PlanPage, shown};
use crate::report::number;
use crate::{Cell, Table, TableColumn};

impl CapacityPlan {
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
        let demand = &self.demand;
        page.title(format!(
            "Capacity for {} requests a second",
            demand.peak_qps
        ));
        page.paragraph(format!(
            "{} advised: {}.",
            number::plural(self.advised, "instance"),
            self.reason_in_words()
        ));
        page.table(self.needs());
        page.paragraph(format!("{}.", self.binding_in_words()));
        page.paragraph(format!(
            "p99 {} with {}; {} after the loss of {}.",
            milliseconds(self.p99_seconds),
            number::plural(self.advised, "instance"),
            milliseconds(self.p99_seconds_after_loss),
            if demand.zones.get() == 1 {
                "an instance"
            } else {
                "a zone"
            },
        ));
        page.paragraph(format!(
            "A month costs {}: instances {}, Redis {}, database {}.",
            shown(self.cost.total),
            shown(self.cost.instances),
            shown(self.cost.redis),
            shown(self.cost.database)
        ));
        page
    }

    fn needs(&self) -> Table {
        let columns = vec![
            TableColumn::left("need", "Need"),
            TableColumn::right("instances", "Instances"),
        ];
        let mut table = Table::new("needs", "Needs", columns);
        let demand = &self.demand;
        let mut row =
            |name: String, instances: Cell| table.rows.push(vec![Cell::Text(name), instances]);
        let count = |n: Option<u32>| n.map_or(Cell::Unknown, |n| Cell::Count(n.into()));
        row(
            format!(
                "formula: peak ÷ {} × {}",
                demand.rated_qps, demand.redundancy
            ),
            count(Some(self.formula)),
        );
        let listed = match self.listed {
            None => Cell::Nothing,
            Some(listed) => Cell::text(match listed.most {
                Some(most) if most == listed.least => most.to_string(),
                Some(most) => format!("{} to {most}", listed.least),
                None => format!("{} or more", listed.least),
            }),
        };
        let stage = self.stage.map_or("over the table", |stage| stage.name);
        row(format!("stage {stage}"), listed);
        let queue = match self.queue {
            Some(_) => count(self.queue),
            None => Cell::text("none is enough"),
        };
        row(
            format!("p99 within {}", milliseconds(Some(demand.p99_seconds))),
            queue,
        );
        row("one instance lost".to_owned(), count(Some(self.n_plus_one)));
        if let Some(instances) = self.zone_loss {
            row(
                format!("one of {} zones lost", demand.zones),
                count(Some(instances)),
            );
        }
        table
    }

    /// What decides, in words.
    #[must_use]
    pub fn reason_in_words(&self) -> String {
        let demand = &self.demand;
        match self.reason {
            Reason::Minimum => "one that is replaced must not be the only one".to_owned(),
            Reason::Formula => format!(
                "the formula asks for the most, {} requests a second for each and {} times of that",
                demand.rated_qps, demand.redundancy
            ),
            Reason::Listed => "the table of stages asks for the most".to_owned(),
            Reason::NPlusOne => format!(
                "the peak takes {}, and one may be lost",
                number::count(self.carrying)
            ),
            Reason::ZoneLoss => format!(
                "the peak takes {}, and so many must be left when one of {} zones is lost",
                number::count(self.carrying),
                demand.zones
            ),
        }
    }

    /// Which of formula and queue binds, in words.
    #[must_use]
    pub fn binding_in_words(&self) -> String {
        match self.binds {
            Binding::Formula => {
                "The formula binds: the p99 is met with fewer instances than it asks for".to_owned()
            }
            Binding::Queue => {
                "The p99 binds: with the instances of the formula it is not met".to_owned()
            }
            Binding::Both => "Formula and p99 ask for the same".to_owned(),
            Binding::Unreachable => format!(
                "The p99 is not met by any number of instances: the service alone takes longer, for \
                 one in a hundred over {}",
                milliseconds(Some(self.demand.service_seconds * 100_f64.ln()))
            ),
        }
    }
}

/// `46.1 ms`; `unbounded` where a queue grows without end.
fn milliseconds(seconds: Option<f64>) -> String {
    match seconds {
        None => "unbounded".to_owned(),
        Some(seconds) => format!("{:.1} ms", 1_000.0 * seconds),
    }
}
