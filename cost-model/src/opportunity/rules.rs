//! Which rules are applied to a bill, in which order, and what becomes of their findings?

use std::collections::BTreeMap;

use super::amount::{times, times_ratio};
use super::commitment::Grain;
use super::compatible::{Settled, settle};
use super::items::{Item, SpendClass};
use super::{
    AffectedResource, ComputeFamily, Effort, Estimate, LeftOut, NotAdvised, NotAdvisedCause,
    Opportunities, Opportunity, OpportunityError, OpportunityInputs, OpportunityKind,
    OpportunityScan, Risk, Standing, Thresholds, machines, storage,
};
use crate::report::number;
use crate::{DateRange, Exact, ExactError, ExactSum, Percent};

/// A month's cost of one resource's spend of one class, or of all that has no resource.
#[derive(Debug)]
pub(super) struct Atom<'s> {
    pub(super) class: SpendClass,
    pub(super) item: Option<&'s Item>,
    pub(super) cost: ExactSum,
}

impl Atom<'_> {
    fn id(&self) -> Option<&str> {
        self.item.map(|item| &*item.id)
    }
}

/// The monthly view of a scan, and what its rules found so far.
#[derive(Debug)]
pub(super) struct Bill<'s> {
    pub(super) scan: &'s OpportunityScan,
    pub(super) inputs: &'s OpportunityInputs,
    pub(super) month: Month,
    pub(super) atoms: Vec<Atom<'s>>,
    pub(super) drafts: Vec<Draft>,
    not_advised: Vec<NotAdvised>,
}

/// An opportunity before it is weighed against the others.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: OpportunityKind,
    pub(super) reason: String,
    pub(super) concerns: Vec<Concern>,
    /// A saving on the spend of a class as a whole.
    pub(super) on_class: Option<(SpendClass, ExactSum)>,
    /// Spend that is concerned and no resource's.
    pub(super) further_cost: ExactSum,
    pub(super) estimate: Estimate,
    pub(super) effort: Effort,
    pub(super) risk: Risk,
}

/// An atom that a draft concerns.
#[derive(Debug)]
pub(super) struct Concern {
    pub(super) atom: usize,
    pub(super) saving: Option<ExactSum>,
    pub(super) action: Option<String>,
}

/// How spend in the window becomes spend a month.
#[derive(Debug, Clone, Copy)]
pub(super) struct Month {
    numerator: Exact,
    denominator: Exact,
}

impl Month {
    fn of(window: DateRange) -> Month {
        let first = |date: jiff::civil::Date| date.first_of_month() == date;
        if first(window.start()) && first(window.end()) {
            return Month {
                numerator: Exact::from(1),
                denominator: Exact::from(window.months().count() as i64),
            };
        }
        Month {
            // 365.25 days a year.
            numerator: Exact::new(304_375, 4).expect("30.4375 is in range"),
            denominator: Exact::from(i64::from(window.day_count())),
        }
    }

    /// The sum of a month.
    pub(super) fn of_sum(self, sum: &ExactSum) -> Result<ExactSum, ExactError> {
        if self.numerator == self.denominator {
            return Ok(sum.clone());
        }
        times_ratio(sum, self.numerator, self.denominator)
    }
}

/// Applies every rule.
pub(super) fn apply(
    scan: &OpportunityScan,
    inputs: &OpportunityInputs,
) -> Result<Opportunities, OpportunityError> {
    let mut bill = Bill::new(scan, inputs)?;
    storage::unattached_volumes(&mut bill)?;
    storage::idle_addresses(&mut bill)?;
    storage::idle_balancers(&mut bill)?;
    storage::snapshots(&mut bill)?;
    storage::gp2_to_gp3(&mut bill)?;
    storage::volume_spend(&mut bill)?;
    storage::object_lifecycle(&mut bill)?;
    machines::smaller(&mut bill)?;
    machines::larger(&mut bill)?;
    llm_batch(&mut bill)?;
    llm_model_choice(&mut bill)?;
    for family in ComputeFamily::ALL {
        commitment(&mut bill, family)?;
        unused_commitment(&mut bill, family)?;
    }
    bill.settled()
}

impl<'s> Bill<'s> {
    fn new(
        scan: &'s OpportunityScan,
        inputs: &'s OpportunityInputs,
    ) -> Result<Bill<'s>, ExactError> {
        let month = Month::of(inputs.window);
        let mut atoms = Vec::new();
        for item in scan.items.iter() {
            atoms.push(Atom {
                class: item.class,
                item: Some(item),
                cost: month.of_sum(&item.cost)?,
            });
        }
        for (class, cost) in scan.items.loose() {
            atoms.push(Atom {
                class: *class,
                item: None,
                cost: month.of_sum(cost)?,
            });
        }
        // One order, whatever that of the rows.
        atoms.sort_by(|a, b| (a.class, a.id()).cmp(&(b.class, b.id())));
        Ok(Bill {
            scan,
            inputs,
            month,
            atoms,
            drafts: Vec::new(),
            not_advised: Vec::new(),
        })
    }

    /// The atoms of a kind that cost something, by number.
    pub(super) fn with(&self, class: impl Fn(SpendClass) -> bool) -> Vec<usize> {
        let costs = |cost: &ExactSum| !cost.is_zero() && !cost.is_negative();
        let wanted = |atom: &Atom<'_>| class(atom.class) && costs(&atom.cost);
        let atoms = self.atoms.iter().enumerate();
        atoms.filter(|(_, a)| wanted(a)).map(|(i, _)| i).collect()
    }

    pub(super) fn item(&self, atom: usize) -> Option<&'s Item> {
        self.atoms[atom].item
    }

    pub(super) fn cost(&self, atom: usize) -> &ExactSum {
        &self.atoms[atom].cost
    }

    /// What these atoms cost together.
    pub(super) fn cost_of(&self, atoms: &[usize]) -> Result<ExactSum, ExactError> {
        total(atoms.iter().map(|&atom| self.cost(atom)))
    }

    /// The costs of all spend of a kind, refunds included.
    pub(super) fn spend(&self, class: impl Fn(SpendClass) -> bool) -> Result<ExactSum, ExactError> {
        total(
            self.atoms
                .iter()
                .filter(|a| class(a.class))
                .map(|a| &a.cost),
        )
    }

    /// Every one of these atoms, each saving this share of its cost.
    pub(super) fn each_saving(
        &self,
        atoms: &[usize],
        rate: Exact,
    ) -> Result<Vec<Concern>, ExactError> {
        let concern = |&atom: &usize| {
            Ok(Concern {
                atom,
                saving: Some(times(self.cost(atom), rate)?),
                action: None,
            })
        };
        atoms.iter().map(concern).collect()
    }

    /// An amount as every report shows it: `USD 1,119.81`.
    pub(super) fn money(&self, amount: &ExactSum) -> String {
        number::money(amount, self.scan.currency)
    }

    /// The threshold of a rule of thumb, or a note that the currency has none.
    pub(super) fn threshold(
        &mut self,
        kind: OpportunityKind,
        which: impl Fn(&Thresholds) -> Exact,
    ) -> Option<ExactSum> {
        let thresholds = self.inputs.thresholds;
        match thresholds.or_else(|| Thresholds::of(self.scan.currency)) {
            Some(thresholds) => Some(which(&thresholds).into()),
            None => {
                let reason = format!(
                    "the rule of thumb has no threshold in {}: state one",
                    self.scan.currency
                );
                self.not_evaluated(kind, reason);
                None
            }
        }
    }

    pub(super) fn not_evaluated(&mut self, kind: OpportunityKind, reason: String) {
        self.not_advised.push(NotAdvised {
            kind,
            cause: NotAdvisedCause::NotEvaluated,
            reason,
        });
    }

    pub(super) fn condition_not_met(&mut self, kind: OpportunityKind, reason: String) {
        self.not_advised.push(NotAdvised {
            kind,
            cause: NotAdvisedCause::ConditionNotMet,
            reason,
        });
    }

    fn settled(self) -> Result<Opportunities, OpportunityError> {
        let Settled {
            counted,
            total,
            touched_cost,
        } = settle(&self.atoms, &self.drafts)?;
        let mut found = Vec::with_capacity(self.drafts.len());
        for (draft, counted) in self.drafts.iter().zip(counted) {
            found.push(self.opportunity(draft, counted)?);
        }
        found.sort_by(|a, b| {
            let by_counted = b.counted_saving.cmp(&a.counted_saving);
            by_counted.then_with(|| b.monthly_saving.cmp(&a.monthly_saving))
        });
        Ok(Opportunities {
            currency: self.scan.currency,
            window: self.inputs.window,
            found,
            not_advised: self.not_advised,
            left_out: LeftOut {
                resources_cut: self.scan.items.is_cut(),
                ..self.scan.left_out.clone()
            },
            total,
            touched_cost,
        })
    }

    fn opportunity(&self, draft: &Draft, counted: ExactSum) -> Result<Opportunity, ExactError> {
        let (resources, resources_not_listed) = self.resources(draft)?;
        let concerned: Vec<usize> = draft.concerns.iter().map(|c| c.atom).collect();
        let mut monthly_cost = self.cost_of(&concerned)?;
        monthly_cost.add_sum(&draft.further_cost)?;
        let monthly_saving = draft.saving()?;
        Ok(Opportunity {
            kind: draft.kind,
            reason: draft.reason.clone(),
            resources,
            resources_not_listed,
            monthly_cost,
            standing: standing(monthly_saving.as_ref(), &counted),
            monthly_saving,
            estimate: draft.estimate,
            effort: draft.effort,
            risk: draft.risk,
            counted_saving: counted,
        })
    }

    /// The resources that a draft concerns, dearest first, and how many are not listed.
    fn resources(&self, draft: &Draft) -> Result<(Vec<AffectedResource>, u64), ExactError> {
        let mut by_id = BTreeMap::<&str, AffectedResource>::new();
        for concern in &draft.concerns {
            let atom = &self.atoms[concern.atom];
            let Some(id) = atom.id() else { continue };
            match by_id.get_mut(id) {
                Some(resource) => {
                    resource.monthly_cost.add_sum(&atom.cost)?;
                    resource.monthly_saving =
                        both(resource.monthly_saving.take(), concern.saving.as_ref())?;
                }
                None => {
                    let resource = AffectedResource {
                        id: id.to_owned(),
                        monthly_cost: atom.cost.clone(),
                        monthly_saving: concern.saving.clone(),
                        action: concern.action.clone(),
                    };
                    by_id.insert(id, resource);
                }
            }
        }
        let mut resources: Vec<AffectedResource> = by_id.into_values().collect();
        let by_cost = |a: &AffectedResource, b: &AffectedResource| {
            let dearest = b.monthly_cost.cmp(&a.monthly_cost);
            dearest.then_with(|| a.id.cmp(&b.id))
        };
        let listed = resources.len().min(self.inputs.max_listed);
        let not_listed = resources.len() - listed;
        if not_listed > 0 {
            resources.select_nth_unstable_by(listed, by_cost);
            resources.truncate(listed);
        }
        resources.sort_by(by_cost);
        Ok((resources, not_listed as u64))
    }
}

impl Draft {
    /// What it saves by itself; `None` when that is not known of a part.
    fn saving(&self) -> Result<Option<ExactSum>, ExactError> {
        if let Some((_, saving)) = &self.on_class {
            return Ok(Some(saving.clone()));
        }
        let savings: Option<Vec<&ExactSum>> =
            self.concerns.iter().map(|c| c.saving.as_ref()).collect();
        match savings.filter(|s| !s.is_empty()) {
            Some(savings) => total(savings).map(Some),
            None => Ok(None),
        }
    }
}

fn both(a: Option<ExactSum>, b: Option<&ExactSum>) -> Result<Option<ExactSum>, ExactError> {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            a.add_sum(b)?;
            Ok(Some(a))
        }
        _ => Ok(None),
    }
}

pub(super) fn total<'a>(
    amounts: impl IntoIterator<Item = &'a ExactSum>,
) -> Result<ExactSum, ExactError> {
    crate::series::total(amounts)
}

fn standing(saving: Option<&ExactSum>, counted: &ExactSum) -> Standing {
    match saving {
        None => Standing::SavingUnknown,
        Some(saving) if saving.is_zero() || saving.is_negative() => Standing::CostsMore,
        Some(saving) if counted == saving => Standing::Counted,
        Some(_) if counted.is_zero() => Standing::Alternative,
        Some(_) => Standing::PartlyCounted,
    }
}

/// A percentage as a rate: 40 % is 0.4.
pub(super) fn rate_of(percent: Percent) -> Exact {
    let text = format!("{:.12}e-2", percent.value());
    text.parse()
        .expect("a percentage of 12 places has at most 15 digits")
}

/// The usual discount on batches, of Bedrock, OpenAI, Anthropic and Vertex AI alike.
const BATCH_RATE: (i128, u32) = (50, 2);

pub(super) fn thumb((mantissa, places): (i128, u32)) -> Exact {
    Exact::new(mantissa, places).expect("a rate of two places is in range")
}

/// Half of what is spent on calls that can wait; how many can, only their owner knows.
fn llm_batch(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let kind = OpportunityKind::LlmBatch;
    let calls = bill.with(|class| class == SpendClass::LlmOnDemand);
    if calls.is_empty() {
        return Ok(());
    }
    let rate = thumb(BATCH_RATE);
    let spend = bill.money(&bill.cost_of(&calls)?);
    let batched = bill.spend(|class| class == SpendClass::LlmBatch)?;
    let batched = if batched.is_zero() {
        "none are sent in batches".to_owned()
    } else {
        format!("{} is spent on batches", bill.money(&batched))
    };
    let share = bill.inputs.batchable_share;
    let (concerns, reason) = match share {
        Some(share) => {
            let part = times(&rate.into(), rate_of(share))?.to_exact();
            let part = part.ok_or(ExactError::SumOutOfRange)?;
            let reason = format!(
                "model calls answered at once cost {spend} a month, and {batched}; {share} of \
                 the calls can wait for a batch, which costs 50 % less"
            );
            (bill.each_saving(&calls, part)?, reason)
        }
        None => {
            let reason = format!(
                "model calls answered at once cost {spend} a month, and {batched}; a batch costs \
                 50 % less, and how many of the calls can wait for one is not in a bill"
            );
            (unknown(&calls), reason)
        }
    };
    bill.drafts.push(Draft {
        kind,
        reason,
        concerns,
        on_class: None,
        further_cost: ExactSum::ZERO,
        estimate: Estimate::RuleOfThumb { rate },
        effort: Effort::High,
        risk: Risk::Low,
    });
    Ok(())
}

/// Atoms that are concerned with a saving that nobody knows.
pub(super) fn unknown(atoms: &[usize]) -> Vec<Concern> {
    let concern = |&atom: &usize| Concern {
        atom,
        saving: None,
        action: None,
    };
    atoms.iter().map(concern).collect()
}

/// What an evaluation of models showed; without one, that the spend is worth one.
fn llm_model_choice(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let calls = bill.with(|class| matches!(class, SpendClass::LlmOnDemand | SpendClass::LlmBatch));
    if calls.is_empty() {
        return Ok(());
    }
    let spend = bill.money(&bill.cost_of(&calls)?);
    let (concerns, reason) = match bill.inputs.model_choice {
        Some(choice) => {
            let saved = Exact::from(1)
                .checked_sub(rate_of(choice.remaining_cost))
                .and_then(|saved| saved.checked_mul(rate_of(choice.movable_share)))
                .ok_or(ExactError::SumOutOfRange)?;
            let reason = format!(
                "model calls cost {spend} a month; a cheaper model answers {} of them as well, at \
                 {} of their cost",
                choice.movable_share, choice.remaining_cost
            );
            (bill.each_saving(&calls, saved)?, reason)
        }
        None => {
            let reason = format!(
                "model calls cost {spend} a month; an evaluation must show which of them a \
                 cheaper model answers as well"
            );
            (unknown(&calls), reason)
        }
    };
    bill.drafts.push(Draft {
        kind: OpportunityKind::LlmModelChoice,
        reason,
        concerns,
        on_class: None,
        further_cost: ExactSum::ZERO,
        estimate: Estimate::Computed,
        effort: Effort::High,
        risk: Risk::Medium,
    });
    Ok(())
}

/// Another commitment at the rate that is offered, or that the bill's own ones have.
fn commitment(bill: &mut Bill<'_>, family: ComputeFamily) -> Result<(), ExactError> {
    let kind = OpportunityKind::Commitment(family);
    let scan = bill.scan;
    let Some(used) = scan.commitments.get(&family) else {
        return Ok(());
    };
    let class = SpendClass::OnDemand(family);
    let atoms = bill.with(|c| c == class);
    if atoms.is_empty() {
        return Ok(());
    }
    let spend = bill.money(&bill.cost_of(&atoms)?);
    let offer = bill.inputs.commitment_offers.get(&family);
    let (rate, source) = match (offer, used.covered_rate()) {
        (Some(offer), _) => (rate_of(*offer), "the offer"),
        (None, Some(rate)) => (rate, "the covered rows of this bill"),
        (None, None) => {
            let reason = format!(
                "{spend} a month is on-demand use of {family}; the bill has no covered row whose list \
                 price shows what a commitment would cost: state an offer"
            );
            bill.not_evaluated(kind, reason);
            return Ok(());
        }
    };
    let Some(best) = used.best(rate, bill.inputs.window)? else {
        let reason = format!(
            "{spend} a month is on-demand use of {family}, and no row states its list price"
        );
        bill.not_evaluated(kind, reason);
        return Ok(());
    };
    let known = match best.grain {
        Grain::Hour => "its use by the hour",
        Grain::Day => "its use by the day, as if level within each",
        Grain::Coarse => "level use, as the rows do not tell when it was used",
    };
    let reason = format!(
        "{spend} a month is on-demand use of {family}, and commitments cover {coverage} of all its \
         use; at {rate} of the list price, as in {source}, a commitment pays if it is used more \
         than {break_even} of the time; computed from {known}",
        coverage = share(used.coverage()),
        rate = share(Some(rate.to_f64())),
        break_even = share(Some(best.break_even)),
    );
    let saving = bill.month.of_sum(&best.saving)?;
    if saving.is_zero() || saving.is_negative() {
        bill.condition_not_met(kind, reason + ", and no part of it is used so much");
        return Ok(());
    }
    let (_, unpriced) = used.on_demand();
    let reason = if unpriced.is_zero() {
        reason
    } else {
        let unpriced = bill.money(&bill.month.of_sum(unpriced)?);
        format!("{reason}; {unpriced} without a list price is left out")
    };
    bill.drafts.push(Draft {
        kind,
        reason,
        concerns: unknown(&atoms),
        on_class: Some((class, saving)),
        further_cost: ExactSum::ZERO,
        estimate: Estimate::Computed,
        effort: Effort::Medium,
        risk: Risk::Medium,
    });
    Ok(())
}

/// Commitments that are paid and not used.
fn unused_commitment(bill: &mut Bill<'_>, family: ComputeFamily) -> Result<(), ExactError> {
    let scan = bill.scan;
    let Some(used) = scan.commitments.get(&family) else {
        return Ok(());
    };
    let unused = bill.month.of_sum(used.unused())?;
    if unused.is_zero() || unused.is_negative() {
        return Ok(());
    }
    bill.drafts.push(Draft {
        kind: OpportunityKind::UnusedCommitment(family),
        reason: format!(
            "{} a month is paid for commitments to {family} that nothing used; {} of what is \
             committed to was used; move use to them, sell them or let them end, as their terms \
             allow",
            bill.money(&unused),
            share(used.utilization()),
        ),
        concerns: Vec::new(),
        on_class: None,
        further_cost: unused,
        estimate: Estimate::Computed,
        effort: Effort::Medium,
        risk: Risk::Low,
    });
    Ok(())
}

/// A share as it is shown: `63.0 %`.
fn share(share: Option<f64>) -> String {
    share.map_or("an unknown share".to_owned(), |s| {
        format!("{:.1} %", 100.0 * s)
    })
}
