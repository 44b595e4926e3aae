//! Which savings can be had together, so that none is counted twice?
//!
//! A saving is claimed from the cost of one resource's spend of one class. For each such cost
//! the largest claim is counted. A saving on a class as a whole, a commitment, excludes claims
//! on the parts of that class, so there the larger of the two is counted. No choice bears on
//! another, so the sum is the largest that any compatible set has.

use foldhash::{HashMap, HashMapExt};

use super::items::SpendClass;
use super::rules::{Atom, Draft};
use crate::{ExactError, ExactSum};

/// What is counted.
#[derive(Debug)]
pub(super) struct Settled {
    /// For each draft, how much of its saving.
    pub(super) counted: Vec<ExactSum>,
    pub(super) total: ExactSum,
    /// What the spend costs from which it is saved.
    pub(super) touched_cost: ExactSum,
}

/// The claim that is counted on one atom.
struct Best {
    draft: usize,
    saving: ExactSum,
}

pub(super) fn settle(atoms: &[Atom<'_>], drafts: &[Draft]) -> Result<Settled, ExactError> {
    let mut best = best_by_atom(atoms, drafts);
    let mut settled = Settled {
        counted: vec![ExactSum::ZERO; drafts.len()],
        total: ExactSum::ZERO,
        touched_cost: ExactSum::ZERO,
    };
    for (at, draft) in drafts.iter().enumerate() {
        let Some((class, saving)) = &draft.on_class else {
            continue;
        };
        let cost = class_sum(atoms, *class, |_, atom| Some(&atom.cost))?;
        let parts = class_sum(atoms, *class, |i, _| best.get(&i).map(|b| &b.saving))?;
        let saving = saving.min(&cost);
        if *saving > parts {
            best.retain(|i, _| atoms[*i].class != *class);
            settled.count(at, saving, &cost)?;
        }
    }
    let mut in_order: Vec<(usize, Best)> = best.into_iter().collect();
    in_order.sort_by_key(|(atom, _)| *atom);
    for (atom, best) in in_order {
        settled.count(best.draft, &best.saving, &atoms[atom].cost)?;
    }
    Ok(settled)
}

impl Settled {
    fn count(
        &mut self,
        draft: usize,
        saving: &ExactSum,
        cost: &ExactSum,
    ) -> Result<(), ExactError> {
        self.counted[draft].add_sum(saving)?;
        self.total.add_sum(saving)?;
        self.touched_cost.add_sum(cost)
    }
}

/// The largest claim on each atom, of equal ones the earliest; never more than it costs.
fn best_by_atom(atoms: &[Atom<'_>], drafts: &[Draft]) -> HashMap<usize, Best> {
    let mut best = HashMap::<usize, Best>::new();
    for (draft, concerned) in drafts.iter().enumerate() {
        for concern in &concerned.concerns {
            let Some(saving) = &concern.saving else {
                continue;
            };
            let saving = saving.min(&atoms[concern.atom].cost);
            let beaten = best
                .get(&concern.atom)
                .map_or(&ExactSum::ZERO, |b| &b.saving);
            if saving > beaten {
                let saving = saving.clone();
                best.insert(concern.atom, Best { draft, saving });
            }
        }
    }
    best
}

fn class_sum<'a>(
    atoms: &'a [Atom<'a>],
    class: SpendClass,
    amount: impl Fn(usize, &'a Atom<'a>) -> Option<&'a ExactSum>,
) -> Result<ExactSum, ExactError> {
    let mut sum = ExactSum::ZERO;
    for (i, atom) in atoms.iter().enumerate().filter(|(_, a)| a.class == class) {
        if let Some(amount) = amount(i, atom) {
            sum.add_sum(amount)?;
        }
    }
    Ok(sum)
}
