//! What is shown of a back-test? A table by kind, the rules behind it, and the figures.

use bursar_risk::{Verdict, recall_at};
use serde_json::{Value, json};

use crate::engine::{Engine, Judged, Worst, confusion, cut, scored};
use crate::events::History;

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
pub(crate) fn print_text(
    engine: &Engine,
    history: &History,
    judged: &Judged,
) -> anyhow::Result<()> {
    println!(
        "{}: {} requests of {} accounts\n",
        history.source,
        history.events.len(),
        history.accounts.len()
    );
    print_kinds(history, judged);
    println!(
        "{:<14} {:>9} {:>9} {:>22} {:>22}",
        "", "precision", "recall", "recall at 1 % wrong", "wrongly blocked"
    );
    for (name, worst) in sets(judged) {
        let figures = confusion(history, worst);
        println!(
            "{name:<14} {:>9} {:>9} {:>22} {:>22}",
            percent(figures.precision()),
            percent(figures.recall()),
            percent(recall_at(&scored(history, worst), FEW)),
            percent(figures.false_positive_rate()),
        );
    }
    print_rules(judged);
    print_reasons(engine, history, judged);
    Ok(())
}

/// Where few of the good may be blocked.
const FEW: f64 = 0.01;

/// Blocked accounts of one label.
struct Kind {
    is_abused: bool,
    label: String,
    accounts: usize,
    /// By the rules and the engine as they are.
    points: usize,
    engine: usize,
    /// By the engine when it blocks as large a part of the good as the points do.
    engine_at_points: usize,
    /// When each blocks at most one in a hundred of the good.
    points_at_few: usize,
    engine_at_few: usize,
}

fn kinds(history: &History, judged: &Judged) -> Vec<Kind> {
    let rate = confusion(history, &judged.points).false_positive_rate();
    let same = cut(history, &judged.engine, rate.unwrap_or(0.0));
    let few = |worst: &[Worst]| cut(history, worst, FEW);
    let (points_few, engine_few) = (few(&judged.points), few(&judged.engine));
    let labels = history.labels().into_iter();
    labels
        .map(|((is_abused, label), accounts)| {
            let count = |worst: &[Worst], is_caught: &dyn Fn(&Worst) -> bool| {
                let pairs = history.accounts.iter().zip(worst);
                let caught = pairs.filter(|(account, worst)| {
                    let is_same = (account.is_abused == Some(true)) == is_abused;
                    account.label == label && is_same && is_caught(worst)
                });
                caught.count()
            };
            let is_blocked = |worst: &Worst| worst.verdict == Verdict::Block;
            let from = |cut: f64| move |worst: &Worst| worst.score >= cut;
            Kind {
                is_abused,
                accounts,
                points: count(&judged.points, &is_blocked),
                engine: count(&judged.engine, &is_blocked),
                engine_at_points: count(&judged.engine, &from(same)),
                points_at_few: count(&judged.points, &from(points_few)),
                engine_at_few: count(&judged.engine, &from(engine_few)),
                label,
            }
        })
        .collect()
}

/// Who is blocked at the same rate of wrong blocks: two sets are compared fairly only there.
#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn print_kinds(history: &History, judged: &Judged) {
    let rate = confusion(history, &judged.points).false_positive_rate();
    println!(
        "{:<20} {:>8} | {:^21} | {:^19} | {:^8}",
        "",
        "",
        format!("{} wrongly", percent(rate)),
        "at most 1 % wrongly",
        "as set"
    );
    println!(
        "{:<20} {:>8} | {:>10} {:>10} | {:>10} {:>8} | {:>8}",
        "blocked of", "accounts", "four rules", "engine", "four rules", "engine", "engine"
    );
    for kind in kinds(history, judged) {
        let label = match kind.label.as_str() {
            "" => "(no label)",
            label => label,
        };
        let mark = if kind.is_abused { '!' } else { ' ' };
        println!(
            "{mark} {label:<18} {:>8} | {:>10} {:>10} | {:>10} {:>8} | {:>8}",
            kind.accounts,
            kind.points,
            kind.engine_at_points,
            kind.points_at_few,
            kind.engine_at_few,
            kind.engine
        );
    }
    println!("! is abuse\n");
}

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn print_rules(judged: &Judged) {
    println!(
        "\nat the worst moment of each account (1: four rules, 2: the set compared with them)"
    );
    for ((set, rule), accounts) in &judged.comparison.triggered {
        println!("  {} {rule:<24} triggers for {accounts}", set + 1);
    }
    for ((set, rule), accounts) in &judged.comparison.not_evaluable {
        println!("  {} {rule:<24} not evaluable for {accounts}", set + 1);
    }
    let changes = &judged.comparison.changes;
    println!("  {} accounts change sides", changes.len());
    for change in changes.iter().take(3) {
        println!(
            "    {} from {} to {}",
            change.account, change.before, change.after
        );
    }
}

/// The three blocked accounts of the highest score, with what speaks against them.
#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn print_reasons(engine: &Engine, history: &History, judged: &Judged) {
    let mut blocked: Vec<(&str, &str, &Worst)> = history
        .accounts
        .iter()
        .zip(&judged.engine)
        .filter(|(_, worst)| worst.verdict == Verdict::Block)
        .map(|(account, worst)| (account.name.as_str(), account.label.as_str(), worst))
        .collect();
    blocked.sort_by(|one, other| {
        other
            .2
            .score
            .total_cmp(&one.2.score)
            .then(one.0.cmp(other.0))
    });
    println!("\nblocked first, with the log-odds that each observation adds");
    for (name, label, worst) in blocked.into_iter().take(3) {
        let mut parts: Vec<_> = engine.model.contributions(&worst.context).collect();
        parts.sort_by(|one, other| other.1.total_cmp(&one.1));
        let parts: Vec<String> = parts
            .iter()
            .take(4)
            .map(|(feature, part)| format!("{feature} {part:+.1}"))
            .collect();
        println!(
            "  {name} ({label}) {:.1}: {}",
            worst.score,
            parts.join(", ")
        );
    }
}

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
pub(crate) fn print_json(
    engine: &Engine,
    history: &History,
    judged: &Judged,
) -> anyhow::Result<()> {
    let mut report = json!({
        "source": history.source,
        "accounts": history.accounts.len(),
        "events": history.events.len(),
        "model_version": engine.model.version(),
        "engine_recall_at_points_fpr": at_the_same_rate(history, judged),
        "changes": judged.comparison.changes.len(),
        "by_kind": kinds(history, judged).iter().map(kind_json).collect::<Vec<_>>(),
    });
    for (name, worst) in sets(judged) {
        report[name] = figures(history, worst);
    }
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn kind_json(kind: &Kind) -> Value {
    json!({
        "kind": kind.label,
        "is_abuse": kind.is_abused,
        "accounts": kind.accounts,
        "points_blocked": kind.points,
        "engine_blocked": kind.engine,
        "engine_blocked_at_points_fpr": kind.engine_at_points,
        "points_blocked_at_1pct_fpr": kind.points_at_few,
        "engine_blocked_at_1pct_fpr": kind.engine_at_few,
    })
}

fn figures(history: &History, worst: &[Worst]) -> Value {
    let figures = confusion(history, worst);
    json!({
        "precision": figures.precision(),
        "recall": figures.recall(),
        "recall_at_1pct_fpr": recall_at(&scored(history, worst), FEW),
        "false_positive_rate": figures.false_positive_rate(),
        "blocked": history
            .accounts
            .iter()
            .zip(worst)
            .filter(|(_, worst)| worst.verdict == Verdict::Block)
            .map(|(account, _)| account.name.as_str())
            .collect::<Vec<_>>(),
    })
}

fn sets(judged: &Judged) -> Vec<(&'static str, &Vec<Worst>)> {
    let mut sets = vec![("points", &judged.points), ("engine", &judged.engine)];
    sets.extend(judged.candidate.as_ref().map(|worst| ("candidate", worst)));
    sets
}

fn at_the_same_rate(history: &History, judged: &Judged) -> Option<f64> {
    let rate = confusion(history, &judged.points).false_positive_rate()?;
    recall_at(&scored(history, &judged.engine), rate)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "unknown".to_owned(),
        |share| format!("{:.1} %", share * 100.0),
    )
}
