//! Who decides? bursar, and cel and zen-expression as their documentation has them called.
//!
//! cel: programs compiled once, the environment of the standard library shared, variables added to a
//! context. zen: expressions compiled once, one virtual machine kept, an object of variables as the
//! environment; its numbers are decimals. Both answer whether a rule holds; the points, the verdict
//! and the list of rules are added here, as their users have to.

use std::sync::Arc;

use bursar_risk::{Context, RuleSet, Signal, Verdict};
use cel::{Env, Program, Value};
use rust_decimal::Decimal;
use zen_expression::expression::Standard;
use zen_expression::variable::VariableMap;
use zen_expression::vm::VM;
use zen_expression::{Expression, Scope, Variable, compile_expression};

/// What was measured of a consumer, as every peer is handed it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) tokens_per_minute: f64,
    pub(crate) unique_ips: f64,
    pub(crate) usage_anomaly: f64,
    pub(crate) account_age_days: f64,
    pub(crate) spend_per_day: f64,
}

/// A decision with what it rests on. Each rule has a bit, in the order of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) score: u32,
    pub(crate) verdict: Verdict,
    pub(crate) triggered: u8,
}

/// Decides by the four rules of the product.
pub(crate) trait Peer {
    type Prepared;

    /// What it reads, made of the measured numbers.
    fn prepare(&self, measured: &Measured) -> Self::Prepared;

    fn decide(&mut self, prepared: &Self::Prepared) -> Outcome;
}

/// The rules as cel and zen write them, with their points.
const RULES: [(&str, &str, u32); 4] = [
    ("tokens_per_minute > 1000.0", "tokens_per_minute > 1000", 30),
    ("unique_ips > 10.0", "unique_ips > 10", 50),
    ("usage_anomaly >= 0.5", "usage_anomaly >= 0.5", 40),
    (
        "account_age_days < 7.0 && spend_per_day > 100.0",
        "account_age_days < 7 and spend_per_day > 100",
        35,
    ),
];

fn verdict(score: u32) -> Verdict {
    match score {
        70.. => Verdict::Block,
        40.. => Verdict::Review,
        _ => Verdict::Allow,
    }
}

/// Adds up what holds.
fn outcome(holds: impl IntoIterator<Item = (bool, u32)>) -> Outcome {
    let (mut score, mut triggered) = (0, 0);
    for (index, (holds, points)) in holds.into_iter().enumerate() {
        if holds {
            score += points;
            triggered |= 1 << index;
        }
    }
    Outcome {
        score,
        verdict: verdict(score),
        triggered,
    }
}

/// This crate.
pub(crate) struct Bursar(pub(crate) RuleSet);

impl Peer for Bursar {
    type Prepared = Context;

    fn prepare(&self, measured: &Measured) -> Context {
        Context::new()
            .with(Signal::TOKENS_PER_MINUTE, measured.tokens_per_minute)
            .with(Signal::UNIQUE_IPS, measured.unique_ips)
            .with(Signal::USAGE_ANOMALY, measured.usage_anomaly)
            .with(Signal::ACCOUNT_AGE_DAYS, measured.account_age_days)
            .with(Signal::SPEND_PER_DAY, measured.spend_per_day)
    }

    fn decide(&mut self, context: &Context) -> Outcome {
        let decision = self.0.evaluate(context);
        Outcome {
            score: decision.score(),
            verdict: decision.verdict(),
            triggered: decision.triggered().fold(0, |bits, rule| {
                bits | match rule.points() {
                    30 => 1,
                    50 => 2,
                    40 => 4,
                    _ => 8,
                }
            }),
        }
    }
}

/// One program a rule.
pub(crate) struct Cel {
    env: Arc<Env>,
    programs: Vec<(Program, u32)>,
}

impl Cel {
    pub(crate) fn new() -> Self {
        let env = Arc::new(Env::stdlib());
        let compile = |(rule, _, points)| (env.compile(rule).expect("it is CEL"), points);
        let programs = RULES.into_iter().map(compile).collect();
        Self { env, programs }
    }
}

impl Peer for Cel {
    type Prepared = cel::Context<'static, 'static>;

    fn prepare(&self, measured: &Measured) -> Self::Prepared {
        let mut context = cel::Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value("tokens_per_minute", measured.tokens_per_minute);
        context.add_variable_from_value("unique_ips", measured.unique_ips);
        context.add_variable_from_value("usage_anomaly", measured.usage_anomaly);
        context.add_variable_from_value("account_age_days", measured.account_age_days);
        context.add_variable_from_value("spend_per_day", measured.spend_per_day);
        context
    }

    fn decide(&mut self, context: &Self::Prepared) -> Outcome {
        outcome(self.programs.iter().map(|(program, points)| {
            let holds = program.execute(context).expect("all is known");
            (holds == Value::Bool(true), *points)
        }))
    }
}

/// One expression a rule.
pub(crate) struct Zen {
    machine: VM,
    expressions: Vec<(Expression<Standard>, u32)>,
}

impl Zen {
    pub(crate) fn new() -> Self {
        let compile = |(_, rule, points)| (compile_expression(rule).expect("it is ZEN"), points);
        Self {
            machine: VM::new(),
            expressions: RULES.into_iter().map(compile).collect(),
        }
    }
}

impl Peer for Zen {
    type Prepared = Scope;

    fn prepare(&self, measured: &Measured) -> Scope {
        let number = |value: f64| Variable::Number(Decimal::try_from(value).unwrap_or_default());
        let mut object = VariableMap::with_capacity(5);
        let mut set = |name: &'static str, value| object.insert(Variable::key(name), number(value));
        set("tokens_per_minute", measured.tokens_per_minute);
        set("unique_ips", measured.unique_ips);
        set("usage_anomaly", measured.usage_anomaly);
        set("account_age_days", measured.account_age_days);
        set("spend_per_day", measured.spend_per_day);
        Scope::new(Variable::from_object(object))
    }

    fn decide(&mut self, scope: &Scope) -> Outcome {
        let machine = &mut self.machine;
        outcome(self.expressions.iter().map(|(expression, points)| {
            let holds = expression.evaluate_with_scope(scope, machine);
            let holds = holds.expect("all is known").as_bool();
            (holds == Some(true), *points)
        }))
    }
}
