//! Which model answers these requests, and why?
//!
//! Five requests and four models of Amazon Bedrock at the prices of the catalog. For each request it shows the
//! model that a policy chooses, the points or costs of the others, and why a model cannot serve it.
//! `--text` routes a text of your own; `--json` prints the decisions whole.
#![expect(clippy::print_stdout, reason = "what it finds is printed")]

#[path = "route/models.rs"]
mod models;

use std::time::Duration;

use anyhow::{Context, Result};
use bursar_model_router::{
    AnswerCheck, CacheAware, Cascade, CheapestAbove, Complexity, Conditions, Decision, Learned,
    Plan, Priority, Quality, RouteRequest, Router, TaskType, WeightedScore,
};
use clap::{Parser, ValueEnum};

/// Chooses a model for each of a few requests.
#[derive(Parser)]
struct Arguments {
    /// How to choose.
    #[arg(long, value_enum, default_value = "weighted-score")]
    policy: PolicyName,

    /// A text to route in place of the five.
    #[arg(long)]
    text: Option<String>,

    /// The output tokens that are allowed, with --text.
    #[arg(long, default_value_t = 200, requires = "text")]
    max_output_tokens: u64,

    /// Print the decisions as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum PolicyName {
    /// The table of points.
    WeightedScore,
    /// The cheapest with a quality of at least 80.
    CheapestAbove,
    /// Quality less 2000 points for each dollar.
    Learned,
    /// Cheap first, better if a check fails.
    Cascade,
    /// The table of points, but a warm conversation stays where it is.
    CacheAware,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let router = router(arguments.policy)?;
    let own = arguments.text.as_deref().map(|text| {
        let request = RouteRequest::new(text).with_max_output_tokens(arguments.max_output_tokens);
        vec![("your text", request)]
    });
    let requests = own.unwrap_or_else(requests);
    let mut decisions = Vec::new();
    for (title, request) in &requests {
        let decision = router
            .route(request, &Conditions::default())
            .with_context(|| format!("{title} cannot be routed"))?;
        if !arguments.json {
            print(title, request, &decision);
        }
        decisions.push(decision);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&decisions)?);
    }
    Ok(())
}

fn router(policy: PolicyName) -> Result<Router> {
    let router = Router::new(models::four()?);
    Ok(match policy {
        PolicyName::WeightedScore => router.with_policy(WeightedScore),
        PolicyName::CheapestAbove => router.with_policy(CheapestAbove::new(Quality::new(80.0)?)),
        PolicyName::Learned => router.with_policy(Learned::new(2_000.0)),
        PolicyName::Cascade => {
            let checks = vec![AnswerCheck::NotEmpty, AnswerCheck::Complete];
            router.with_policy(Cascade::new(3, checks))
        }
        PolicyName::CacheAware => router.with_policy(CacheAware::new(WeightedScore)),
    })
}

/// As a service asks: a ticket, a program, a summary, a question that somebody waits for, and one in
/// Chinese whose task and complexity the router finds by itself.
fn requests<'a>() -> Vec<(&'static str, RouteRequest<'a>)> {
    let ticket = "Classify this ticket as billing, bug or question: I was charged twice for March.";
    let program = "Write a function in Rust that merges overlapping time windows, with tests, and explain \
                   step by step why it is correct for windows that touch.";
    let report = "Summarize the incident report below in five sentences for the management.";
    let question = "Is it cheaper to keep a t3.xlarge at 15 % CPU or to move it to Graviton?";
    let chinese = "请总结下面这份云成本报告的要点，并用一句话说明下个月应当关注什么。";
    vec![
        (
            "classify a ticket",
            RouteRequest::new(ticket)
                .with_task(TaskType::Classification)
                .with_complexity(Complexity::Simple),
        ),
        (
            "write a program",
            RouteRequest::new(program)
                .with_complexity(Complexity::Complex)
                .with_max_output_tokens(2_000),
        ),
        (
            "summarize a report",
            RouteRequest::new(report)
                .with_complexity(Complexity::Medium)
                .with_input_tokens(12_000)
                .with_max_output_tokens(400),
        ),
        (
            "answer somebody who waits",
            RouteRequest::new(question)
                .with_priority(Priority::High)
                .with_deadline(Duration::from_millis(1_500)),
        ),
        ("summarize in Chinese", RouteRequest::new(chinese)),
    ]
}

fn print(title: &str, request: &RouteRequest<'_>, decision: &Decision) {
    let tokens = decision.input_tokens;
    println!("{title}: {} {}", decision.complexity, decision.task);
    println!(
        "  {} input tokens (hardly over {}), at most {} of answer",
        tokens.expected,
        tokens.upper,
        request.max_output_tokens()
    );
    println!("  -> {} by {}", decision.model, decision.policy);
    if let Some(remark) = &decision.remark {
        println!("     {remark}");
    }
    if let Plan::Cascade(plan) = &decision.plan {
        let stages = plan.stages.iter().map(|stage| stage.model.as_str());
        println!(
            "     in stages: {}; expected {}",
            stages.collect::<Vec<_>>().join(", then "),
            plan.expected_cost
        );
    }
    for candidate in &decision.candidates {
        let parts = candidate.parts.iter();
        let parts = parts.map(|part| format!("{} {:+.1}", part.what, part.points));
        println!(
            "     {:<46} {:>7.1}  {:>14}  {}",
            candidate.model.as_str(),
            candidate.score,
            candidate.cost.expected.to_string(),
            parts.collect::<Vec<_>>().join(", ")
        );
    }
    for rejection in &decision.rejected {
        println!("     not {rejection}");
    }
    for (against, saving) in [
        ("the strongest", &decision.savings.against_strongest),
        (
            "the best single cheap model",
            &decision.savings.against_single,
        ),
    ] {
        if let Some(saving) = saving {
            println!(
                "     saves {} against {against}, {}",
                saving.saved, saving.model
            );
        }
    }
    println!();
}
