//! How are failed rules and possible savings told, in words and as tables?

use bursar_units::Currency;

use super::table::{Cell, Table, TableColumn, UNKNOWN};
use super::{Report, number};
use crate::{
    Basis, Effort, Estimate, ExactSum, InvariantResult, NotAdvisedCause, Opportunities,
    Opportunity, Outcome, Risk, RuleResult, Standing, Subject,
};

/// How many rules passed, failed, and could not be tested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RuleCounts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) not_testable: usize,
}

impl RuleCounts {
    pub(crate) fn of(results: &[InvariantResult]) -> RuleCounts {
        let mut counts = RuleCounts::default();
        for rule in results.iter().flat_map(|result| &result.rules) {
            match rule.outcome {
                Outcome::Passed { .. } => counts.passed += 1,
                Outcome::Failed { .. } => counts.failed += 1,
                Outcome::NotTestable { .. } => counts.not_testable += 1,
            }
        }
        counts
    }

    /// `22 passed, 2 failed, 5 not testable`.
    pub(crate) fn in_words(self) -> String {
        format!(
            "{} passed, {} failed, {} not testable",
            self.passed, self.failed, self.not_testable
        )
    }
}

/// The rules that failed, in the order of the invariants.
pub(crate) fn failed(results: &[InvariantResult]) -> impl Iterator<Item = &RuleResult> {
    let rules = results.iter().flat_map(|result| &result.rules);
    rules.filter(|rule| matches!(rule.outcome, Outcome::Failed { .. }))
}

/// `failed on 25 of 941 rows`.
pub(crate) fn extent(rule: &RuleResult) -> String {
    let subject = match rule.rule.subject() {
        Subject::Row => "row",
        Subject::Invoice => "invoice",
        Subject::Commitment => "commitment",
    };
    match &rule.outcome {
        Outcome::Passed { tested } => format!("passed on {}", number::plural(*tested, subject)),
        Outcome::Failed { tested, failed, .. } => format!(
            "failed on {} of {}",
            number::count(*failed),
            number::plural(*tested, subject)
        ),
        Outcome::NotTestable { reason } => format!("not testable: {reason}"),
    }
}

/// The first example of a failed rule.
pub(crate) fn first_example(rule: &RuleResult) -> Option<String> {
    match &rule.outcome {
        Outcome::Failed { examples, .. } => examples.first().map(ToString::to_string),
        _ => None,
    }
}

pub(crate) fn rules(results: &[InvariantResult]) -> Table {
    let columns = vec![
        TableColumn::left("invariant", "Invariant"),
        TableColumn::left("rule", "Rule"),
        TableColumn::left("outcome", "Outcome"),
        TableColumn::right("tested", "Tested"),
        TableColumn::right("failed", "Failed"),
        TableColumn::left("basis", "Basis"),
        TableColumn::left("detail", "Detail"),
    ];
    let rows = results.iter().flat_map(|result| {
        result.rules.iter().map(|rule| {
            let (outcome, detail) = match &rule.outcome {
                Outcome::Passed { .. } => ("passed", rule.notes.join("; ")),
                Outcome::Failed { .. } => ("failed", rule.notes.join("; ")),
                Outcome::NotTestable { reason } => ("not testable", reason.clone()),
            };
            vec![
                Cell::text(result.invariant.to_string()),
                Cell::text(rule.rule.name()),
                Cell::text(outcome),
                Cell::Count(rule.outcome.tested()),
                Cell::Count(rule.outcome.failed()),
                Cell::text(match rule.rule.basis() {
                    Basis::Specified => "specified",
                    Basis::Implied => "implied",
                }),
                Cell::text(detail),
            ]
        })
    });
    Table::new("invariants", "Rules of FOCUS", columns).with_rows(rows)
}

pub(crate) fn failures(results: &[InvariantResult]) -> Table {
    let columns = vec![
        TableColumn::left("rule", "Rule"),
        TableColumn::right("line", "Line"),
        TableColumn::left("provider", "Provider"),
        TableColumn::left("values", "Values"),
        TableColumn::right("difference", "Off by"),
    ];
    let rows = failed(results).flat_map(|rule| {
        let examples = match &rule.outcome {
            Outcome::Failed { examples, .. } => examples.as_slice(),
            _ => &[],
        };
        examples.iter().map(|example| {
            let values = example
                .values
                .iter()
                .map(|(name, value)| format!("{name} {value}"));
            vec![
                Cell::text(rule.rule.name()),
                example.line.map_or(Cell::Unknown, Cell::Count),
                Cell::text_or_unknown(example.provider.as_deref()),
                Cell::text(values.collect::<Vec<_>>().join(", ")),
                example
                    .difference
                    .as_ref()
                    .map_or(Cell::Nothing, |d| Cell::text(d.to_string())),
            ]
        })
    });
    Table::new("invariant_failures", "First failures of each rule", columns).with_rows(rows)
}

/// The opportunities of each currency in which something was found.
pub(crate) fn with_findings(report: &Report) -> impl Iterator<Item = &Opportunities> {
    report
        .opportunities
        .iter()
        .filter(|all| !all.found.is_empty())
}

/// Whether savings were looked for and none was found, in any currency.
pub(crate) fn none_found(report: &Report) -> bool {
    !report.opportunities.is_empty() && with_findings(report).next().is_none()
}

/// `USD 37.54 a month, of USD 127.81 that it concerns`.
pub(crate) fn potential(all: &Opportunities) -> String {
    format!(
        "{} a month, from spend of {}",
        number::money(all.total(), all.currency),
        number::money(all.touched_cost(), all.currency)
    )
}

/// `USD 35.94`, `unknown`.
pub(crate) fn saving(opportunity: &Opportunity, currency: Currency) -> String {
    let money = |sum: &ExactSum| number::money(sum, currency);
    opportunity
        .monthly_saving
        .as_ref()
        .map_or_else(|| UNKNOWN.to_owned(), money)
}

/// How sure the saving is, what it takes and what may go wrong.
pub(crate) fn terms(opportunity: &Opportunity) -> String {
    let mut terms = format!(
        "effort {}, risk {}",
        effort(opportunity.effort),
        risk(opportunity.risk)
    );
    if opportunity.monthly_saving.is_some() {
        terms.insert_str(0, &format!("{}; ", estimate(opportunity.estimate)));
    }
    if opportunity.standing != Standing::Counted {
        terms.push_str(&format!("; {}", standing(opportunity.standing)));
    }
    terms
}

pub(crate) fn estimate(estimate: Estimate) -> String {
    match estimate {
        Estimate::Computed => "computed from prices".to_owned(),
        Estimate::RuleOfThumb { rate } => {
            format!("rule of thumb, {}", number::percent(rate.to_f64() * 100.0))
        }
    }
}

fn effort(effort: Effort) -> &'static str {
    match effort {
        Effort::VeryLow => "very low",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
    }
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}

pub(crate) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Counted => "counted",
        Standing::PartlyCounted => "partly counted: for the rest something better was found",
        Standing::Alternative => "not counted: something better was found for the same spend",
        Standing::SavingUnknown => "not counted: the saving is not known",
        Standing::CostsMore => "not counted: it costs more than it saves",
    }
}

pub(crate) fn opportunities<'r>(of: impl Iterator<Item = &'r Opportunities>) -> Table {
    let columns = vec![
        TableColumn::left("opportunity", "Opportunity"),
        TableColumn::left("currency", "Currency"),
        TableColumn::right("monthly_cost", "Monthly cost"),
        TableColumn::right("monthly_saving", "Monthly saving"),
        TableColumn::right("counted_saving", "In the total"),
        TableColumn::left("estimate", "Estimate"),
        TableColumn::left("effort", "Effort"),
        TableColumn::left("risk", "Risk"),
        TableColumn::left("standing", "Standing"),
        TableColumn::right("resources", "Resources"),
        TableColumn::left("reason", "Reason"),
    ];
    let rows = of.flat_map(|all| {
        all.found.iter().map(|o| {
            let listed = o.resources.len() as u64;
            vec![
                Cell::text(o.kind.to_string()),
                Cell::text(all.currency.code()),
                Cell::amount(Some(o.monthly_cost.clone()), all.currency),
                Cell::amount(o.monthly_saving.clone(), all.currency),
                Cell::amount(Some(o.counted_saving.clone()), all.currency),
                Cell::text(estimate(o.estimate)),
                Cell::text(effort(o.effort)),
                Cell::text(risk(o.risk)),
                Cell::text(standing(o.standing)),
                Cell::Count(listed.saturating_add(o.resources_not_listed)),
                Cell::text(&o.reason),
            ]
        })
    });
    Table::new("opportunities", "Opportunities", columns).with_rows(rows)
}

pub(crate) fn resources<'r>(of: impl Iterator<Item = &'r Opportunities>) -> Table {
    let columns = vec![
        TableColumn::left("opportunity", "Opportunity"),
        TableColumn::left("resource", "Resource"),
        TableColumn::left("currency", "Currency"),
        TableColumn::right("monthly_cost", "Monthly cost"),
        TableColumn::right("monthly_saving", "Monthly saving"),
        TableColumn::left("action", "Action"),
    ];
    let rows = of.flat_map(|all| {
        all.found.iter().flat_map(move |o| {
            o.resources.iter().map(move |resource| {
                vec![
                    Cell::text(o.kind.to_string()),
                    Cell::text(&resource.id),
                    Cell::text(all.currency.code()),
                    Cell::amount(Some(resource.monthly_cost.clone()), all.currency),
                    Cell::amount(resource.monthly_saving.clone(), all.currency),
                    resource.action.as_ref().map_or(Cell::Nothing, Cell::text),
                ]
            })
        })
    });
    Table::new("opportunity_resources", "Resources concerned", columns).with_rows(rows)
}

pub(crate) fn not_advised<'r>(of: impl Iterator<Item = &'r Opportunities>) -> Table {
    let columns = vec![
        TableColumn::left("opportunity", "Opportunity"),
        TableColumn::left("currency", "Currency"),
        TableColumn::left("cause", "Cause"),
        TableColumn::left("reason", "Reason"),
    ];
    let rows = of.flat_map(|all| {
        all.not_advised.iter().map(|rule| {
            vec![
                Cell::text(rule.kind.to_string()),
                Cell::text(all.currency.code()),
                Cell::text(match rule.cause {
                    NotAdvisedCause::ConditionNotMet => "condition not met",
                    NotAdvisedCause::NotEvaluated => "not evaluated",
                }),
                Cell::text(&rule.reason),
            ]
        })
    });
    Table::new("not_advised", "Looked for and not advised", columns).with_rows(rows)
}
