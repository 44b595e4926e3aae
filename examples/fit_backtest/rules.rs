//! How much CPU does each rule ask for?

use std::collections::HashMap;

use bursar_cost_model::fit::{
    CostUnderRisk, Decision, FitOptions, FitScorer, PurchaseOption, Recommendation, Resource,
    SampleStep, Tolerance, Usage, WeightedFit, Workload,
};
use bursar_cost_model::instances::{CreditMode, InstanceType};

use crate::physics::{Fared, Machine, Series};

/// A rule that chooses a machine by its past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The default of this crate.
    CostUnderRisk,
    /// Points.
    WeightedFit,
    /// P99.5 + 20 %, the defaults of AWS Compute Optimizer.
    ComputeOptimizer,
    /// P90 + 15 %, the target of the Kubernetes vertical pod autoscaler.
    Vpa,
    /// P95, the simple strategy of Robusta KRR.
    Krr,
    /// As many vCPUs as P99 uses to 80 %, an even number: Hystax OptScale.
    Optscale,
    /// The cheapest machine that breaches within the tolerance on what comes: it sees the future.
    Oracle,
}

impl Rule {
    pub(crate) const ALL: [Rule; 7] = [
        Rule::CostUnderRisk,
        Rule::WeightedFit,
        Rule::ComputeOptimizer,
        Rule::Vpa,
        Rule::Krr,
        Rule::Optscale,
        Rule::Oracle,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Rule::CostUnderRisk => "cost_under_risk",
            Rule::WeightedFit => "weighted_fit",
            Rule::ComputeOptimizer => "compute_optimizer",
            Rule::Vpa => "vpa",
            Rule::Krr => "krr",
            Rule::Optscale => "optscale",
            Rule::Oracle => "oracle",
        }
    }

    /// The share of time in which a rule lets its machine be too small: what its percentile leaves
    /// out. The points scorer states none; it is held to the tolerance that it was given.
    pub(crate) fn promise(self, tolerance: Tolerance) -> f64 {
        match self {
            Rule::CostUnderRisk | Rule::WeightedFit | Rule::Oracle => tolerance.budget(),
            Rule::ComputeOptimizer => 0.005,
            Rule::Vpa => 0.10,
            Rule::Krr => 0.05,
            Rule::Optscale => 0.01,
        }
    }

    /// What a percentile rule needs, in percent of the present machine; `None` for the others.
    fn need(self, past: &Series, present: &InstanceType) -> Option<Need> {
        match self {
            Rule::ComputeOptimizer => Some(Need::Capacity(past.quantile(0.995) * 1.2)),
            Rule::Vpa => Some(Need::Capacity(past.quantile(0.90) * 1.15)),
            Rule::Krr => Some(Need::Capacity(past.quantile(0.95))),
            Rule::Optscale => {
                let vcpus = f64::from(present.vcpus.get());
                let needed = (vcpus / 0.80 * past.quantile(0.99) / 100.0).ceil().max(1.0);
                Some(Need::Vcpus((needed / 2.0).ceil() as u32 * 2))
            }
            Rule::CostUnderRisk | Rule::WeightedFit | Rule::Oracle => None,
        }
    }
}

/// What a machine must have at least.
#[derive(Clone, Copy)]
enum Need {
    /// In percent of the present machine's CPU. Translated by measured score: more than the rules
    /// of others know, in their favor.
    Capacity(f64),
    /// OptScale counts vCPUs.
    Vcpus(u32),
}

impl Need {
    fn holds(self, machine: &Machine<'_>) -> bool {
        match self {
            Need::Capacity(percent) => machine.lasting_capacity() >= percent,
            Need::Vcpus(vcpus) => machine.kind.vcpus.get() >= vcpus,
        }
    }
}

/// What all rules choose from, and what the present machine is.
pub(crate) struct Market<'a> {
    pub(crate) machines: Vec<Machine<'a>>,
    /// Where each is among them, by its name.
    pub(crate) places: HashMap<Box<str>, usize>,
    /// The same types, for scorers.
    pub(crate) kinds: Vec<InstanceType>,
    /// Machines of all speeds, to ask for probabilities.
    pub(crate) ladder: Vec<InstanceType>,
    pub(crate) present: InstanceType,
    pub(crate) scorer: CostUnderRisk,
    pub(crate) tolerance: Tolerance,
}

/// A machine, by its place, and how its credits are spent.
#[derive(Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) machine: usize,
    pub(crate) mode: Option<CreditMode>,
}

impl Market<'_> {
    /// The cheapest machine that holds the need, surplus credits as they were in the past included.
    pub(crate) fn by_percentile(&self, rule: Rule, past: &Series) -> Option<Choice> {
        let need = rule.need(past, &self.present)?;
        self.cheapest(past, |machine, _| need.holds(machine))
    }

    /// The cheapest machine that does not breach in the future.
    pub(crate) fn by_oracle(&self, future: &Series) -> Option<Choice> {
        let budget = self.tolerance.budget();
        self.cheapest(future, |_, fared| fared.breach <= budget)
    }

    fn cheapest(
        &self,
        load: &Series,
        holds: impl Fn(&Machine<'_>, &Fared) -> bool,
    ) -> Option<Choice> {
        let mut best: Option<(Choice, Fared)> = None;
        for (place, machine) in self.machines.iter().enumerate() {
            let dearer = |best: &Fared| machine.month.amount() >= best.monthly.amount();
            if best.as_ref().is_some_and(|(_, best)| dearer(best)) {
                // They are sorted by price, to which surplus is only added.
                break;
            }
            let mode = machine.default_mode();
            let Some(fared) = machine.play(mode, load) else {
                continue;
            };
            let cheaper = best
                .as_ref()
                .is_none_or(|(_, best)| fared.monthly.amount() < best.monthly.amount());
            if holds(machine, &fared) && cheaper {
                let machine = place;
                best = Some((Choice { machine, mode }, fared));
            }
        }
        best.map(|(choice, _)| choice)
    }

    /// What a scorer answers.
    pub(crate) fn ask(
        &self,
        rule: Rule,
        past: &Series,
        kinds: &[InstanceType],
    ) -> anyhow::Result<Recommendation> {
        let samples = past
            .values()
            .iter()
            .map(|cpu| (!cpu.is_nan()).then_some(*cpu));
        let usage = Usage::samples(SampleStep::FIVE_MINUTES, samples)?;
        let workload = Workload::new(self.present.clone())
            .with_tolerance(self.tolerance)
            .with_usage(Resource::Cpu, usage)?;
        let mut options = FitOptions::default();
        options.purchase = Some(vec![PurchaseOption::OnDemand]);
        let answer = match rule {
            Rule::WeightedFit => WeightedFit::default().recommend(&workload, kinds, &options),
            _ => self.scorer.recommend(&workload, kinds, &options),
        };
        Ok(answer?)
    }

    /// The machine of an answer; the present one where the answer is to stay.
    pub(crate) fn chosen(&self, answer: &Recommendation) -> Option<Choice> {
        let best = match &answer.decision {
            Decision::Move { .. } => answer.best()?,
            _ => return None,
        };
        Some(Choice {
            machine: self.place(&best.instance)?,
            mode: best.credit_mode,
        })
    }

    /// The present machine, which is kept where a rule finds none.
    pub(crate) fn stay(&self) -> Option<Choice> {
        Some(Choice {
            machine: self.place(&self.present.name)?,
            mode: None,
        })
    }

    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}
