//! Which machines are too large, and which too small?

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};

use super::amount::times;
use super::rules::{Bill, Concern, Draft, thumb};
use super::{Effort, Estimate, InstanceMeasurement, OpportunityKind, Risk};
use crate::{Efficiency, ExactError, ExactSum, Percent, Side, Utilization};

/// What a smaller machine is usually found to save.
const SMALLER_RATE: (i128, u32) = (30, 2);

/// The next size of a family has twice the capacity at twice the price, as EC2's sizes go.
const LARGER_RATE: (i128, u32) = (-100, 2);

/// A score under which a machine is worth changing.
const LOW_SCORE: f64 = 50.0;

/// A machine that was this busy at some time may be missed by a smaller one.
const BUSY: f64 = 80.0;

/// Machines on fewer than their spend would pay for: by what was measured, or, with nothing
/// measured, by the rule of thumb on all of them.
pub(super) fn smaller(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let kind = OpportunityKind::SmallerInstances;
    let all = bill.spend(|class| class.is_machine())?;
    if all.is_zero() || all.is_negative() {
        return Ok(());
    }
    let Some(threshold) = bill.threshold(kind, |t| t.compute) else {
        return Ok(());
    };
    if all <= threshold {
        let reason = format!(
            "compute instances cost {} a month; smaller ones are looked for above {}",
            bill.money(&all),
            bill.money(&threshold)
        );
        bill.condition_not_met(kind, reason);
        return Ok(());
    }
    if bill.inputs.instances.is_empty() {
        smaller_by_spend(bill, &all, &threshold)
    } else {
        smaller_by_use(bill, &all)
    }
}

fn smaller_by_spend(
    bill: &mut Bill<'_>,
    all: &ExactSum,
    threshold: &ExactSum,
) -> Result<(), ExactError> {
    let atoms = bill.with(|class| class.is_uncovered_machine());
    if atoms.is_empty() {
        return Ok(());
    }
    let rate = thumb(SMALLER_RATE);
    let uncovered = bill.cost_of(&atoms)?;
    let part = if uncovered == *all {
        "it"
    } else {
        "the part that no commitment covers"
    };
    let covered = if uncovered == *all {
        String::new()
    } else {
        format!(
            ", {} of it not covered by commitments",
            bill.money(&uncovered)
        )
    };
    let reason = format!(
        "compute instances cost {} a month{covered}; above {}, smaller ones usually save 30 % of \
         {part}; a bill does not say how busy they are, so this holds only if they have capacity \
         to spare",
        bill.money(all),
        bill.money(threshold),
    );
    let concerns = bill.each_saving(&atoms, rate)?;
    bill.drafts.push(Draft {
        kind: OpportunityKind::SmallerInstances,
        reason,
        concerns,
        on_class: None,
        further_cost: ExactSum::ZERO,
        estimate: Estimate::RuleOfThumb { rate },
        effort: Effort::Medium,
        risk: Risk::Medium,
    });
    Ok(())
}

fn smaller_by_use(bill: &mut Bill<'_>, all: &ExactSum) -> Result<(), ExactError> {
    let kind = OpportunityKind::SmallerInstances;
    let machines = Machines::of(bill);
    let low = machines.scored(Side::Below);
    if low.is_empty() {
        let reason = format!(
            "of {} a month on compute instances none that was measured scores under 50 below its \
             expected range; {}",
            bill.money(all),
            machines.coverage(bill)?
        );
        bill.condition_not_met(kind, reason);
        return Ok(());
    }
    let (fitted, others): (Vec<&Machine<'_>>, Vec<&Machine<'_>>) = low
        .into_iter()
        .partition(|m| m.measured.target_monthly_cost.is_some());
    let coverage = machines.coverage(bill)?;
    for (group, estimate) in [
        (fitted, Estimate::Computed),
        (
            others,
            Estimate::RuleOfThumb {
                rate: thumb(SMALLER_RATE),
            },
        ),
    ] {
        if let Some(draft) = smaller_draft(bill, &group, estimate, &coverage)? {
            bill.drafts.push(draft);
        }
    }
    Ok(())
}

fn smaller_draft(
    bill: &Bill<'_>,
    group: &[&Machine<'_>],
    estimate: Estimate,
    coverage: &str,
) -> Result<Option<Draft>, ExactError> {
    let mut concerns = Vec::new();
    let mut risk = Risk::Low;
    let mut uncovered = ExactSum::ZERO;
    let mut covered = ExactSum::ZERO;
    for machine in group {
        let (paid, bound) = machine.by_commitment(bill);
        uncovered.add_sum(&bill.cost_of(&paid)?)?;
        covered.add_sum(&bill.cost_of(&bound)?)?;
        if machine.measured.utilization.cpu_maximum.value() > BUSY {
            risk = Risk::Medium;
        }
        concerns.extend(machine.smaller(bill, &paid)?);
    }
    if concerns.is_empty() {
        return Ok(None);
    }
    let how = match estimate {
        Estimate::Computed => "the machine that fits each costs less",
        Estimate::RuleOfThumb { .. } => "a smaller one usually saves 30 %",
    };
    let also = if covered.is_zero() {
        String::new()
    } else {
        let covered = bill.money(&covered);
        format!("; {covered} more is covered by commitments and would be freed, not saved")
    };
    Ok(Some(Draft {
        kind: OpportunityKind::SmallerInstances,
        reason: format!(
            "{} at {} a month score under 50 below their expected range, and {how}{also}; \
             {coverage}",
            counted(group.len(), "instance"),
            bill.money(&uncovered),
        ),
        concerns,
        on_class: None,
        further_cost: ExactSum::ZERO,
        estimate,
        effort: Effort::Medium,
        risk,
    }))
}

/// Machines that are too small: they cost no less when mended, but they are no saving to keep.
pub(super) fn larger(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let machines = Machines::of(bill);
    let high = machines.scored(Side::Above);
    if high.is_empty() {
        return Ok(());
    }
    let rate = thumb(LARGER_RATE);
    let mut concerns = Vec::new();
    for machine in &high {
        for mut concern in bill.each_saving(&machine.atoms, rate)? {
            concern.action = Some(machine.described());
            concerns.push(concern);
        }
    }
    let count = counted(high.len(), "instance");
    let atoms: Vec<usize> = concerns.iter().map(|c| c.atom).collect();
    let reason = format!(
        "{count} at {} a month score under 50 above their expected range; the next size has twice \
         the capacity at about twice the price",
        bill.money(&bill.cost_of(&atoms)?),
    );
    bill.drafts.push(Draft {
        kind: OpportunityKind::LargerInstances,
        reason,
        concerns,
        on_class: None,
        further_cost: ExactSum::ZERO,
        estimate: Estimate::RuleOfThumb { rate },
        effort: Effort::Medium,
        risk: Risk::Low,
    });
    Ok(())
}

/// The machines of a bill that were measured.
struct Machines<'i> {
    measured: Vec<Machine<'i>>,
    /// Machines in the bill that were not measured for long enough, or not at all.
    unmeasured: Vec<usize>,
}

/// A machine with what it costs and how it is used.
struct Machine<'i> {
    atoms: Vec<usize>,
    measured: &'i InstanceMeasurement,
    efficiency: Efficiency,
}

impl<'s> Machines<'s> {
    fn of(bill: &Bill<'s>) -> Machines<'s> {
        let inputs = bill.inputs;
        let ids = Ids::new(inputs.instances.keys());
        let mut atoms_of = BTreeMap::<&str, Vec<usize>>::new();
        let mut unmeasured = Vec::new();
        for atom in bill.with(|class| class.is_machine()) {
            match bill.item(atom).and_then(|item| ids.find(&item.id)) {
                Some(id) => atoms_of.entry(id).or_default().push(atom),
                None => unmeasured.push(atom),
            }
        }
        let mut measured = Vec::new();
        for (id, atoms) in atoms_of {
            let Some(of_id) = inputs.instances.get(id) else {
                continue;
            };
            if of_id.utilization.hours < Utilization::HOURS_FOR_RECOMMENDATION {
                unmeasured.extend(atoms);
                continue;
            }
            let average = of_id.utilization.cpu_average;
            measured.push(Machine {
                atoms,
                measured: of_id,
                efficiency: inputs.efficiency_curve.score(&of_id.instance_type, average),
            });
        }
        Machines {
            measured,
            unmeasured,
        }
    }

    fn scored(&self, side: Side) -> Vec<&Machine<'s>> {
        let low = |m: &&Machine<'_>| m.efficiency.side == side && m.efficiency.score < LOW_SCORE;
        self.measured.iter().filter(low).collect()
    }

    /// What was measured and what was not, in words.
    fn coverage(&self, bill: &Bill<'_>) -> Result<String, ExactError> {
        let unmeasured = bill.money(&bill.cost_of(&self.unmeasured)?);
        Ok(format!(
            "{} measured over 14 days, {unmeasured} a month is of instances that were not",
            counted(self.measured.len(), "instance")
        ))
    }
}

impl Machine<'_> {
    /// Its atoms that go with it, and those that a commitment pays.
    fn by_commitment(&self, bill: &Bill<'_>) -> (Vec<usize>, Vec<usize>) {
        let goes = |atom: &usize| bill.atoms[*atom].class.is_uncovered_machine();
        self.atoms.iter().copied().partition(goes)
    }

    /// What a smaller machine saves on what is paid for this one.
    fn smaller(&self, bill: &Bill<'_>, paid: &[usize]) -> Result<Vec<Concern>, ExactError> {
        let mut concerns = match self.measured.target_monthly_cost {
            None => bill.each_saving(paid, thumb(SMALLER_RATE))?,
            Some(target) => {
                let all = bill.cost_of(&self.atoms)?;
                let saving = all.minus(&target.into())?;
                spread(bill, paid, saving)?
            }
        };
        for concern in &mut concerns {
            concern.action = Some(self.described());
        }
        Ok(concerns)
    }

    fn described(&self) -> String {
        let Efficiency {
            score, low, high, ..
        } = self.efficiency;
        let Utilization {
            cpu_average,
            cpu_maximum,
            ..
        } = self.measured.utilization;
        let one = |percent: Percent| format!("{:.1} %", percent.value());
        format!(
            "{} at {} CPU on average and {} at most, {score:.0} of 100 points, expected {low:.1} \
             to {high:.1} %",
            self.measured.instance_type,
            one(cpu_average),
            one(cpu_maximum),
        )
    }
}

/// A saving taken from these atoms in turn, and from each no more than it costs.
fn spread(
    bill: &Bill<'_>,
    atoms: &[usize],
    mut saving: ExactSum,
) -> Result<Vec<Concern>, ExactError> {
    let mut concerns = Vec::new();
    for &atom in atoms {
        if saving.is_zero() || saving.is_negative() {
            break;
        }
        let part = (&saving).min(bill.cost(atom)).clone();
        saving = saving.minus(&part)?;
        concerns.push(Concern {
            atom,
            saving: Some(times(&part, 1.into())?),
            action: None,
        });
    }
    Ok(concerns)
}

/// Ids as users and bills write them: whole, or the last part of an ARN or path.
pub(super) struct Ids<'i> {
    /// By the whole id and by its last part; `None` where two ids end alike.
    names: HashMap<&'i str, Option<&'i str>>,
}

impl<'i> Ids<'i> {
    pub(super) fn new(ids: impl IntoIterator<Item = &'i String>) -> Ids<'i> {
        let mut names = HashMap::<&str, Option<&str>>::new();
        let ids: Vec<&str> = ids.into_iter().map(String::as_str).collect();
        for id in &ids {
            let short = last_part(id);
            let ambiguous = names.contains_key(short);
            names.insert(short, if ambiguous { None } else { Some(id) });
        }
        // A whole id is never ambiguous.
        for id in ids {
            names.insert(id, Some(id));
        }
        Ids { names }
    }

    /// The id, as it was given, of what a bill calls `id`.
    pub(super) fn find(&self, id: &str) -> Option<&'i str> {
        let whole = self.names.get(id).copied().flatten();
        whole.or_else(|| {
            let short = last_part(id);
            // A bill's ARN finds a short id; two different ARNs never find each other.
            self.names
                .get(short)
                .copied()
                .flatten()
                .filter(|found| *found == short)
        })
    }
}

/// What comes after the last `/` or `:`.
fn last_part(id: &str) -> &str {
    id.rsplit(['/', ':']).next().unwrap_or(id)
}

/// `1 instance`, `2 instances`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    let plural = if plural == "s" && noun.ends_with("ss") {
        "es"
    } else {
        plural
    };
    format!("{count} {noun}{plural}")
}
