//! How is a storage plan written for a reader?

use super::{ArchivePlan, BucketAdvice, StoragePlan, VolumeMethod, VolumeShape};
use crate::plan_page::{PlanPage, money_cell, shown};
use crate::report::number;
use crate::{Cell, Table, TableColumn, VolumeType};

impl StoragePlan {
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
        page.title("Storage plan");
        page.paragraph(format!(
            "{} analyzed, {}, {}. Saves {} a month, {} a year; {} once.",
            number::plural(self.volumes_analyzed, "volume"),
            number::plural(self.buckets.len(), "bucket"),
            number::plural(self.logs.len(), "log folder"),
            shown(Some(self.monthly_saving)),
            shown(Some(self.annual_saving)),
            shown(Some(self.one_off_cost)),
        ));
        if self.unknown_savings > 0 {
            page.paragraph(format!(
                "The saving of {} is not known, and not in these sums.",
                number::plural(self.unknown_savings, "more action")
            ));
        }
        if self.volumes_analyzed > 0 {
            page.heading("Volumes");
            page.table(self.volume_table());
            for kept in &self.kept_volumes {
                page.item(format!("{} stays: {}", kept.id, kept.reason));
            }
            if self
                .volumes
                .iter()
                .any(|v| v.method == VolumeMethod::CopyToNew)
            {
                page.paragraph(
                    "A volume cannot shrink in place: a smaller one is a new volume to which the \
                     files are copied.",
                );
            }
        }
        for bucket in &self.buckets {
            write_bucket(&mut page, bucket);
        }
        for logs in &self.logs {
            write_logs(&mut page, logs);
        }
        page
    }

    fn volume_table(&self) -> Table {
        let columns = vec![
            TableColumn::left("volume", "Volume"),
            TableColumn::left("from", "From"),
            TableColumn::left("to", "To"),
            TableColumn::right("iops", "IOPS"),
            TableColumn::right("throughput", "MiB/s"),
            TableColumn::left("method", "By"),
            TableColumn::right("monthly_saving", "Saving"),
        ];
        let mut table = Table::new("volumes", "Volumes", columns);
        for advice in &self.volumes {
            let method = match advice.method {
                VolumeMethod::ModifyInPlace => "change",
                VolumeMethod::CopyToNew => "copy",
            };
            table.rows.push(vec![
                Cell::text(advice.id.as_str()),
                Cell::text(shape(&advice.from)),
                Cell::text(shape(&advice.to)),
                Cell::Count(advice.to.performance.iops.into()),
                Cell::Count(advice.to.performance.throughput.into()),
                Cell::text(method),
                money_cell(Some(advice.monthly_saving)),
            ]);
        }
        table
    }
}

/// `gp3 150 GiB`.
fn shape(shape: &VolumeShape) -> String {
    let name = match shape.volume_type {
        VolumeType::Gp2 => "gp2",
        VolumeType::Gp3 => "gp3",
        VolumeType::Io1 => "io1",
        VolumeType::Io2 => "io2",
        _ => "other",
    };
    format!("{name} {} GiB", number::count(shape.size_gib))
}

fn write_bucket(page: &mut PlanPage, advice: &BucketAdvice) {
    page.heading(format!("Bucket {}", advice.bucket));
    page.paragraph(format!(
        "Saves {} a month on the objects that are there; moving them costs {} once.",
        shown(Some(advice.monthly_saving)),
        shown(Some(advice.transition_cost))
    ));
    for saving in &advice.savings {
        if saving.objects == 0 {
            let saved = shown(saving.monthly_saving);
            page.item(format!("add {}: saves {saved} a month now", saving.rule));
            continue;
        }
        page.item(format!(
            "add {}: {} move, storing costs {} less, reading {} more a month",
            saving.rule,
            number::plural(saving.objects, "object"),
            shown(saving.storage_saving),
            shown(saving.retrieval_cost)
        ));
    }
    for rule in &advice.merge.already_done {
        page.item(format!("{rule}: an existing rule does it already"));
    }
    for saving in &advice.not_worthwhile {
        page.item(format!(
            "{} is not added: reading would cost more than storing saves",
            saving.rule
        ));
    }
    for conflict in &advice.merge.conflicts {
        let with = match &conflict.existing {
            Some(existing) => format!(" (existing rule {existing})"),
            None => String::new(),
        };
        page.item(format!(
            "{} is not added: {}{with}",
            conflict.wanted, conflict.reason
        ));
    }
    page.paragraph(format!(
        "Write all {} at once: the call replaces what is there.",
        number::plural(advice.merge.rules.len(), "rule")
    ));
}

fn write_logs(page: &mut PlanPage, plan: &ArchivePlan) {
    page.heading(format!("Logs in {}", plan.folder));
    page.paragraph(format!(
        "{} with {} bytes go to {}, {} stay. Saves {} a month.",
        number::plural(plan.items.len(), "file"),
        number::count(plan.bytes),
        plan.class,
        number::count(plan.skipped.len()),
        shown(plan.monthly_saving)
    ));
    page.paragraph(
        "Each file is compressed, uploaded, read back and compared, and only then removed.",
    );
}
