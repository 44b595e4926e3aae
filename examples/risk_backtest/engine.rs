//! What does the full engine say? A model learned from generated worlds, read by rules as a signal.

use anyhow::Context as _;
use bursar_risk::{
    Action, Backtest, Confusion, Context, Example, Model, Monitor, Recorded, Rule, RuleSet, Signal,
    Verdict, threshold_at,
};

use crate::events::History;

/// The worlds to learn from, and those that set the thresholds.
pub(crate) struct Training {
    learn: Vec<u64>,
    choose: Vec<u64>,
    accounts: u32,
}

/// Seeds from here on are for training, so that those a user tries are not.
const FIRST_SEED: u64 = 0x5eed_0000;

impl Training {
    /// Eight worlds to learn from and four to choose thresholds by, none of them the judged one.
    pub(crate) fn apart_from(seed: u64, accounts: u32) -> Self {
        let seeds: Vec<u64> = (FIRST_SEED..)
            .filter(|&other| other != seed)
            .take(12)
            .collect();
        Self {
            learn: seeds[..8].to_vec(),
            choose: seeds[8..].to_vec(),
            accounts,
        }
    }
}

pub(crate) struct Engine {
    pub(crate) model: Model,
    pub(crate) rules: RuleSet,
    pub(crate) points: RuleSet,
}

/// The worst moment of one account by a way of scoring.
#[derive(Clone)]
pub(crate) struct Worst {
    pub(crate) score: f64,
    pub(crate) verdict: Verdict,
    pub(crate) context: Context,
}

/// What came out for every account.
pub(crate) struct Judged {
    pub(crate) points: Vec<Worst>,
    pub(crate) engine: Vec<Worst>,
    pub(crate) candidate: Option<Vec<Worst>>,
    pub(crate) comparison: Backtest,
}

/// So many moments of an account are kept for learning.
const MOMENTS: usize = 60;

/// At most this part of the good accounts of the choosing worlds is blocked, or reviewed.
const BLOCK_RATE: f64 = 0.01;
const REVIEW_RATE: f64 = 0.03;

impl Engine {
    /// Learns in rounds: first from moments throughout, then from the worst moment of each account by
    /// the model so far, since that is the moment that decides about an account.
    pub(crate) fn learn(training: &Training) -> anyhow::Result<Self> {
        let mut accounts = Vec::new();
        for &seed in &training.learn {
            accounts.extend(moments(&History::generate(seed, training.accounts))?);
        }
        let mut model = Model::train(1, &throughout(&accounts))?;
        for _ in 0..4 {
            model = Model::train(1, &worst(&accounts, &model))?;
        }
        let mut scored = Vec::new();
        for &seed in &training.choose {
            let history = History::generate(seed, training.accounts);
            let mut worst = vec![Worst::default(); history.accounts.len()];
            observe(&history, |number, _, context| {
                let odds = model.log_odds(&context);
                worst[number as usize].note(odds, Verdict::Allow, &context);
            })?;
            let labels = history
                .accounts
                .iter()
                .map(|account| account.is_abused == Some(true));
            scored.extend(worst.iter().map(|worst| worst.score).zip(labels));
        }
        let rules = engine_rules(&scored)?;
        Ok(Self {
            model,
            rules,
            points: RuleSet::standard(),
        })
    }

    pub(crate) fn judge(
        &self,
        history: &History,
        candidate: Option<&RuleSet>,
    ) -> anyhow::Result<Judged> {
        let blank = vec![Worst::default(); history.accounts.len()];
        let (mut points, mut engine) = (blank.clone(), blank.clone());
        let mut second = candidate.map(|_| blank);
        observe(history, |number, _, context| {
            let index = number as usize;
            let mut known = context;
            self.model.annotate(&mut known);
            points[index].note_rules(&self.points, &known);
            engine[index].note(
                self.model.log_odds(&context),
                self.rules.evaluate(&known).verdict(),
                &known,
            );
            if let (Some(worst), Some(rules)) = (&mut second, candidate) {
                worst[index].note_rules(rules, &known);
            }
        })?;
        let pairs = engine.iter().zip(&history.accounts);
        let recorded: Vec<Recorded> = pairs
            .map(|(worst, account)| Recorded {
                account: account.name.clone(),
                context: worst.context,
                is_abused: account.is_abused,
            })
            .collect();
        let other = candidate.unwrap_or(&self.rules);
        Ok(Judged {
            comparison: Backtest::run(&self.points, other, &recorded),
            points,
            engine,
            candidate: second,
        })
    }
}

impl Default for Worst {
    fn default() -> Self {
        Self {
            score: f64::NEG_INFINITY,
            verdict: Verdict::Allow,
            context: Context::new(),
        }
    }
}

impl Worst {
    fn note(&mut self, score: f64, verdict: Verdict, context: &Context) {
        self.verdict = self.verdict.max(verdict);
        if score > self.score {
            self.score = score;
            self.context = *context;
        }
    }

    fn note_rules(&mut self, rules: &RuleSet, context: &Context) {
        let decision = rules.evaluate(context);
        self.note(f64::from(decision.score()), decision.verdict(), context);
    }
}

/// Rules that read the model: block and review from where the choosing worlds allow it.
fn engine_rules(scored: &[(f64, bool)]) -> anyhow::Result<RuleSet> {
    let probability = |rate| {
        let odds = threshold_at(scored, rate).context("a world without abuse")?;
        anyhow::Ok(1.0 / (1.0 + (-odds).exp()))
    };
    let learned = |name: &str, from: f64, points, action| {
        Rule::new(name, Signal::LEARNED_RISK.at_least(from), points, action)
            .reason("learned risk {learned_risk}, from {threshold} on")
    };
    let rules = [
        learned(
            "learned_review",
            probability(REVIEW_RATE)?,
            40,
            Action::Review,
        ),
        learned("learned_block", probability(BLOCK_RATE)?, 30, Action::Block),
    ];
    Ok(RuleSet::new("engine", 1, rules)?)
}

/// Streams the history through a monitor, as a service would see it.
fn observe(
    history: &History,
    mut visit: impl FnMut(u32, &bursar_risk::Event, Context),
) -> anyhow::Result<()> {
    let mut monitor = Monitor::new(history.accounts.len());
    for (number, event) in &history.events {
        let name = &history.accounts[*number as usize].name;
        monitor.observe(name, event)?;
        if let Some(context) = monitor.context(name, event.at) {
            visit(*number, event, context);
        }
    }
    Ok(())
}

struct Moments {
    is_abused: bool,
    /// A sample of contexts, each with whether the abuse had begun.
    moments: Vec<(Context, bool)>,
}

fn moments(history: &History) -> anyhow::Result<Vec<Moments>> {
    let mut counts = vec![0_usize; history.accounts.len()];
    for (number, _) in &history.events {
        counts[*number as usize] += 1;
    }
    let start = |account: &crate::events::Account| Moments {
        is_abused: account.is_abused == Some(true),
        moments: Vec::new(),
    };
    let mut accounts: Vec<Moments> = history.accounts.iter().map(start).collect();
    let mut seen = vec![0_usize; accounts.len()];
    observe(history, |number, event, context| {
        let index = number as usize;
        let every = counts[index].div_ceil(MOMENTS);
        seen[index] += 1;
        if seen[index].is_multiple_of(every) || seen[index] == counts[index] {
            let from = history.accounts[index].abuse_from;
            let is_abuse = from.is_some_and(|from| event.at >= from);
            accounts[index].moments.push((context, is_abuse));
        }
    })?;
    accounts.retain(|account| !account.moments.is_empty());
    Ok(accounts)
}

fn throughout(accounts: &[Moments]) -> Vec<Example> {
    let mut examples = Vec::new();
    for account in accounts {
        let weight = 1.0 / account.moments.len() as f64;
        examples.extend(account.moments.iter().map(|(context, is_abused)| Example {
            context: *context,
            is_abused: *is_abused,
            weight,
        }));
    }
    examples
}

fn worst(accounts: &[Moments], model: &Model) -> Vec<Example> {
    let of_account = |account: &Moments| {
        let score = |moment: &&(Context, bool)| model.log_odds(&moment.0);
        let worst = account
            .moments
            .iter()
            .max_by(|one, other| score(one).total_cmp(&score(other)));
        worst.map(|(context, _)| Example {
            context: *context,
            is_abused: account.is_abused,
            weight: 1.0,
        })
    };
    accounts.iter().filter_map(of_account).collect()
}

/// Blocks against labels.
pub(crate) fn confusion(history: &History, worst: &[Worst]) -> Confusion {
    let mut confusion = Confusion::default();
    for (account, worst) in history.accounts.iter().zip(worst) {
        if let Some(is_abused) = account.is_abused {
            confusion.add(worst.verdict == Verdict::Block, is_abused);
        }
    }
    confusion
}

/// Scores with labels, where these are known.
pub(crate) fn scored(history: &History, worst: &[Worst]) -> Vec<(f64, bool)> {
    let pairs = history.accounts.iter().zip(worst);
    pairs
        .filter_map(|(account, worst)| Some((worst.score, account.is_abused?)))
        .collect()
}

/// From which score on an account is caught when at most `rate` of the good are.
pub(crate) fn cut(history: &History, worst: &[Worst], rate: f64) -> f64 {
    threshold_at(&scored(history, worst), rate).unwrap_or(f64::INFINITY)
}
