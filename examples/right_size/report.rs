//! What is told of an answer?

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use bursar_cost_model::fit::{Candidate, Decision, Recommendation, Rejection, Resource, Workload};
use bursar_cost_model::instances::{CreditMode, InstanceCatalog};
use bursar_units::{Money, Quantum, Rounding};
use serde_json::{Value, json};

/// An answer with what it is about.
pub(crate) struct Report<'a> {
    pub(crate) catalog: &'a InstanceCatalog,
    pub(crate) workload: &'a Workload,
    pub(crate) answer: &'a Recommendation,
    pub(crate) top: usize,
    pub(crate) why: &'a [String],
}

impl Report<'_> {
    pub(crate) fn json(&self) -> serde_json::Result<Value> {
        let answer = self.answer;
        let ranked: Vec<&Candidate> = answer.ranked.iter().take(self.top).collect();
        let why = self
            .why
            .iter()
            .map(|name| (name.clone(), self.reason(name)));
        Ok(json!({
            "present": self.workload.source().name,
            "tolerance": self.workload.tolerance().to_string(),
            "decision": answer.decision,
            "verdict": answer.decision.to_string(),
            "present_candidate": answer.present,
            "ranked": ranked,
            "n_ranked": answer.ranked.len(),
            "pareto": answer.pareto,
            "rejected": answer.rejected,
            "notes": answer.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "why": why.collect::<BTreeMap<String, String>>(),
        }))
    }

    pub(crate) fn text(&self, drawn: Option<&Path>) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let t = &mut text;
        self.write_workload(t)?;
        self.write_decision(t)?;
        self.write_ranked(t)?;
        self.write_front(t)?;
        self.write_rejected(t)?;
        for name in self.why {
            writeln!(t, "\nWhy {name}? {}", self.reason(name))?;
        }
        if !self.answer.notes.is_empty() {
            writeln!(t, "\nTo know:")?;
        }
        for note in &self.answer.notes {
            writeln!(t, "- {note}")?;
        }
        if let Some(file) = drawn {
            writeln!(t, "\nCost against risk is drawn in {}", file.display())?;
        }
        Ok(text)
    }

    fn write_workload(&self, t: &mut String) -> fmt::Result {
        let (source, tolerance) = (self.workload.source(), self.workload.tolerance());
        writeln!(
            t,
            "Runs on {} ({} vCPU, {} MiB); may be too small in {} % of the time ({tolerance} tolerance).",
            source.name,
            source.vcpus,
            source.memory_mib,
            tolerance.budget() * 100.0
        )?;
        for resource in Resource::ALL {
            let Some(usage) = self.workload.usage(resource) else {
                continue;
            };
            let (average, maximum, unit) = (usage.average(), usage.maximum(), resource.unit());
            writeln!(
                t,
                "  {resource}: {average:.1} {unit} on average, {maximum:.1} at most"
            )?;
        }
        Ok(())
    }

    fn write_decision(&self, t: &mut String) -> fmt::Result {
        match (&self.answer.decision, self.answer.best()) {
            (Decision::Move { monthly_saving }, Some(best)) => {
                let (name, cost) = (&best.instance, cents(best.monthly.total));
                writeln!(t, "\nMove to {name}, {}: {cost} a month.", best.purchase)?;
                if let Some(saving) = monthly_saving {
                    writeln!(t, "That saves {} a month.", cents(*saving))?;
                }
            }
            (decision, _) => writeln!(t, "\n{decision}.")?,
        }
        if let Some(present) = &self.answer.present {
            writeln!(
                t,
                "The present machine costs {}.",
                cents(present.monthly.total)
            )?;
        }
        Ok(())
    }

    fn write_ranked(&self, t: &mut String) -> fmt::Result {
        if self.answer.ranked.is_empty() {
            return Ok(());
        }
        let n = self.answer.ranked.len();
        writeln!(t, "\n{} of {n} that hold it:", self.top.min(n))?;
        writeln!(
            t,
            "{:<14} {:<7} {:>4} {:>8} {:<20} {:>13} {:>10} {:>9} {:>9}  pays",
            "type",
            "",
            "vCPU",
            "MiB",
            "too small (at most)",
            "a month",
            "points",
            "CPU mean",
            "CPU max"
        )?;
        for candidate in self.answer.ranked.iter().take(self.top) {
            self.write_candidate(t, candidate)?;
        }
        Ok(())
    }

    fn write_candidate(&self, t: &mut String, candidate: &Candidate) -> fmt::Result {
        let name = &candidate.instance;
        let kind = self.catalog.get(name);
        let architecture = kind.map_or(String::new(), |it| it.architecture.to_string());
        let vcpus = kind.map_or(0, |it| it.vcpus.get());
        let memory = kind.map_or(0, |it| it.usable_memory_mib.unwrap_or(it.memory_mib));
        let risk = candidate.risk.as_ref();
        let risk = risk.map_or("unknown".to_owned(), |risk| {
            format!("{} ({})", percent(risk.expected), percent(risk.at_most))
        });
        let points = candidate
            .score
            .map_or(String::new(), |it| format!("{it:.1}"));
        let cpu = candidate
            .projected
            .iter()
            .find(|it| it.resource == Resource::Cpu);
        let cpu = |of: fn(&_) -> f64| cpu.map_or(String::new(), |it| format!("{:.0} %", of(it)));
        let mode = match candidate.credit_mode {
            None => "",
            Some(CreditMode::Standard) => ", credits in standard mode",
            Some(CreditMode::Unlimited) => ", credits in unlimited mode",
        };
        writeln!(
            t,
            "{name:<14} {architecture:<7} {vcpus:>4} {memory:>8} {risk:<20} {:>13} {points:>10} {:>9} {:>9}  {}{mode}",
            cents(candidate.monthly.total),
            cpu(|it| it.average_percent),
            cpu(|it| it.maximum_percent),
            candidate.purchase,
        )
    }

    fn write_front(&self, t: &mut String) -> fmt::Result {
        if self.answer.pareto.is_empty() {
            return Ok(());
        }
        writeln!(
            t,
            "\nFrom the cheapest to the safest, what nothing beats in both:"
        )?;
        for candidate in &self.answer.pareto {
            let Some(risk) = &candidate.risk else {
                continue;
            };
            let (name, cost) = (&candidate.instance, cents(candidate.monthly.total));
            let (at_most, binding) = (percent(risk.at_most), risk.binding);
            writeln!(
                t,
                "  {name:<14} {cost:>12}  too small in at most {at_most:>8}, by {binding}"
            )?;
        }
        Ok(())
    }

    fn write_rejected(&self, t: &mut String) -> fmt::Result {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for rejected in &self.answer.rejected {
            *counts.entry(kind_of(&rejected.reason)).or_default() += 1;
        }
        if counts.is_empty() {
            return Ok(());
        }
        writeln!(t, "\n{} are not recommended:", self.answer.rejected.len())?;
        for (reason, n) in counts {
            writeln!(t, "  {n:>5}  {reason}")?;
        }
        Ok(())
    }

    /// Why a type is, or is not, the answer.
    fn reason(&self, name: &str) -> String {
        if self.catalog.get(name).is_none() {
            return "the catalog does not have it".to_owned();
        }
        let mut reasons = Vec::new();
        let rejected = self
            .answer
            .rejected
            .iter()
            .filter(|it| &*it.instance == name);
        reasons.extend(rejected.map(|it| it.reason.to_string()));
        let held = self.answer.ranked.iter().enumerate();
        let held = held.filter(|(_, it)| &*it.instance == name);
        reasons.extend(held.map(|(place, candidate)| self.place(place, candidate)));
        if reasons.is_empty() {
            return "nothing is said of it".to_owned();
        }
        reasons.join("; ")
    }

    fn place(&self, place: usize, candidate: &Candidate) -> String {
        let risk = candidate.risk.as_ref().map_or(String::new(), |risk| {
            format!(
                ", too small in at most {} of the time",
                percent(risk.at_most)
            )
        });
        let (cost, purchase) = (cents(candidate.monthly.total), candidate.purchase);
        let surplus = candidate.monthly.surplus_credits;
        let surplus = surplus.filter(|it| !it.is_zero());
        let surplus = surplus.map_or(String::new(), |it| {
            format!(", of it {} for CPU above its credits", cents(it))
        });
        let best = match self.answer.best() {
            Some(best) if place > 0 => best,
            _ => return format!("it is the best: {cost} a month {purchase}{surplus}{risk}"),
        };
        let more = candidate.monthly.total.checked_sub(best.monthly.total);
        let more = more.map_or(String::new(), cents);
        format!(
            "it holds, at place {}: {cost} a month {purchase}{surplus}{risk}; {} costs {more} less",
            place + 1,
            best.instance
        )
    }
}

fn kind_of(reason: &Rejection) -> &'static str {
    match reason {
        Rejection::Architecture { .. } => "other instruction set",
        Rejection::Accelerated => "accelerators that nobody asked for",
        Rejection::PreviousGeneration => "previous generation",
        Rejection::NoPrice => "price unknown",
        Rejection::CpuScoreUnknown => "CPU score unknown",
        Rejection::MemoryTooSmall { .. } => "too little memory",
        Rejection::OverBudget { .. } => "too small too often",
        Rejection::LimitUnknown { .. } => "a limit that matters is unknown",
        Rejection::LowScore { .. } => "too few points",
        _ => "other reasons",
    }
}

fn cents(money: Money) -> String {
    let rounded = money.round_to(Quantum::MINOR_UNIT, Rounding::HalfEven);
    rounded.unwrap_or(money).to_string()
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let places = if percent < 9.995 { 2 } else { 1 };
    format!("{percent:.places$} %")
}
