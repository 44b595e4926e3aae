//! How did each rule's machines fare on what came?

use anyhow::{Context, ensure};
use bursar_cost_model::fit::{CostUnderRisk, Tolerance};
use bursar_cost_model::instances::{InstanceCatalog, InstanceType};
use bursar_cost_model::synthetic_machines::Habit;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::calibration::{self, Pair};
use crate::physics::{Fared, Machine, Series};
use crate::rules::{Choice, Market, Rule};
use crate::traces::{Trace, Traces};

/// Samples of a day: a part with less says nothing.
const DAY: usize = 288;

/// A catalog and a present machine, ready to judge.
pub(crate) struct Backtest<'a> {
    market: Market<'a>,
}

/// What came out.
pub(crate) struct Outcome {
    pub(crate) source: String,
    pub(crate) instance: String,
    pub(crate) n_types: usize,
    pub(crate) tolerance: Tolerance,
    pub(crate) fraction: f64,
    pub(crate) machines: Vec<Judged>,
    /// Machines with less than a day on either side.
    pub(crate) too_short: Vec<String>,
    pub(crate) rejected_lines: usize,
}

/// One machine under all rules, in the order of [`Rule::ALL`].
pub(crate) struct Judged {
    pub(crate) name: String,
    pub(crate) habit: Option<Habit>,
    pub(crate) fared: Vec<(String, Fared)>,
    /// Stated and true probabilities.
    pub(crate) pairs: Vec<Pair>,
}

impl<'a> Backtest<'a> {
    pub(crate) fn new(
        catalog: &'a InstanceCatalog,
        instance: &str,
        tolerance: Tolerance,
        confidence: Option<f64>,
    ) -> anyhow::Result<Backtest<'a>> {
        let present = catalog
            .get(instance)
            .with_context(|| format!("the catalog has no type {instance:?}"))?;
        let score = present.cpu_score.with_context(|| {
            format!("the CPU of {instance} was never measured: it cannot be compared with others")
        })?;
        let memory = present.usable_memory_mib.unwrap_or(present.memory_mib);
        let fits = |it: &&_| is_comparable(it, memory) || it.name == present.name;
        let mut machines: Vec<Machine<'_>> = catalog
            .iter()
            .filter(fits)
            .filter_map(|kind| Machine::new(kind, score))
            .collect();
        machines.sort_by(|a, b| {
            let price = a.month.amount().cmp(&b.month.amount());
            price.then_with(|| a.kind.name.cmp(&b.kind.name))
        });
        ensure!(
            machines.iter().any(|it| it.kind.name == present.name),
            "no price of {instance} is known"
        );
        let kinds = machines.iter().map(|it| it.kind.clone()).collect();
        let names = machines.iter().map(|it| it.kind.name.clone());
        let places = names.zip(0..).collect();
        let present = present.clone();
        let mut scorer = CostUnderRisk::default();
        scorer.confidence = confidence.unwrap_or(scorer.confidence);
        Ok(Backtest {
            market: Market {
                machines,
                places,
                kinds,
                ladder: calibration::ladder(&present),
                present,
                scorer,
                tolerance,
            },
        })
    }

    /// Judges all machines on all cores.
    pub(crate) fn run(&self, traces: &Traces, fraction: f64) -> anyhow::Result<Outcome> {
        let (long, short): (Vec<&Trace>, Vec<&Trace>) = traces
            .machines
            .iter()
            .partition(|trace| is_long_enough(trace, fraction));
        ensure!(!long.is_empty(), "no machine has a day on each side");
        let style = ProgressStyle::with_template("{pos}/{len} machines {wide_bar} {eta}")?;
        let progress = ProgressBar::new(long.len() as u64).with_style(style);
        let machines = long
            .into_par_iter()
            .map(|trace| {
                let judged = self.judge(trace, fraction);
                progress.inc(1);
                judged.with_context(|| format!("machine {}", trace.name))
            })
            .collect::<anyhow::Result<Vec<Judged>>>()?;
        progress.finish_and_clear();
        Ok(Outcome {
            source: traces.source.clone(),
            instance: self.market.present.name.to_string(),
            n_types: self.market.machines.len(),
            tolerance: self.market.tolerance,
            fraction,
            machines,
            too_short: short.into_iter().map(|trace| trace.name.clone()).collect(),
            rejected_lines: traces.problems.len(),
        })
    }

    fn judge(&self, trace: &Trace, fraction: f64) -> anyhow::Result<Judged> {
        let (past, future) = trace.cpu_percent.split_at(cut(trace, fraction));
        let (past, future) = (Series::new(past), Series::new(future));
        let mut judged = Judged {
            name: trace.name.clone(),
            habit: trace.habit(),
            fared: Vec::new(),
            pairs: Vec::new(),
        };
        let ladder = &self.market.ladder;
        let steps = self.market.ask(Rule::CostUnderRisk, &past, ladder)?;
        judged.pairs = calibration::pairs(&steps, trace, &future);
        for rule in Rule::ALL {
            let choice = match rule {
                Rule::Oracle => self.market.by_oracle(&future),
                Rule::CostUnderRisk | Rule::WeightedFit => {
                    let answer = self.market.ask(rule, &past, &self.market.kinds)?;
                    self.market.chosen(&answer)
                }
                _ => self.market.by_percentile(rule, &past),
            };
            let choice = choice.or_else(|| self.market.stay());
            let fared = choice.and_then(|choice| self.play(choice, &future));
            judged
                .fared
                .push(fared.context("the present machine has a price")?);
        }
        Ok(judged)
    }

    fn play(&self, choice: Choice, future: &Series) -> Option<(String, Fared)> {
        let machine = self.market.machines.get(choice.machine)?;
        let fared = machine.play(choice.mode, future)?;
        Some((machine.kind.name.to_string(), fared))
    }
}

/// Types that every rule may take. A flex type is not among them: when it is slowed down is not
/// published, so that nobody can tell how it would have fared.
fn is_comparable(kind: &InstanceType, memory: u64) -> bool {
    let usable = kind.usable_memory_mib.unwrap_or(kind.memory_mib);
    kind.current_generation && !kind.accelerated && !kind.flex && usable >= memory
}

fn cut(trace: &Trace, fraction: f64) -> usize {
    (trace.cpu_percent.len() as f64 * fraction) as usize
}

fn is_long_enough(trace: &Trace, fraction: f64) -> bool {
    let (past, future) = trace.cpu_percent.split_at(cut(trace, fraction));
    let present = |part: &[f64]| part.iter().filter(|it| !it.is_nan()).count();
    present(past) >= DAY && present(future) >= DAY
}
