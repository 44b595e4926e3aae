//! What is shown of a back-test? A table by kind, the rules behind it, and the figures.

use bursar_risk::{Verdict, recall_at};
use serde_json::{Value, json};

use crate::engine::{Engine, Judged, Worst, confusion, scored};
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
    println!(
        "{:<22} {:>8}   {:>16}   {:>16}",
        "blocked / reviewed", "accounts", "four rules", "full engine"
    );
    for ((is_abused, label), accounts) in history.labels() {
        let count = |worst: &[Worst]| {
            let of = |verdict| {
                let pairs = history.accounts.iter().zip(worst);
                let same = pairs.filter(|(account, worst)| {
                    let same_abuse = (account.is_abused == Some(true)) == is_abused;
                    account.label == label && same_abuse && worst.verdict == verdict
                });
                same.count()
            };
            format!("{} / {}", of(Verdict::Block), of(Verdict::Review))
        };
        let mark = if is_abused { "! " } else { "  " };
        let label = format!(
            "{mark}{}",
            if label.is_empty() {
                "(no label)"
            } else {
                &label
            }
        );
        println!(
            "{label:<22} {accounts:>8}   {:>16}   {:>16}",
            count(&judged.points),
            count(&judged.engine)
        );
    }
    println!("  ! is abuse\n");
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
            percent(recall_at(&scored(history, worst), 0.01)),
            percent(figures.false_positive_rate()),
        );
    }
    if let Some(recall) = at_the_same_rate(history, judged) {
        println!(
            "\nat the rate of wrong blocks of the four rules, the engine would catch {}",
            percent(Some(recall))
        );
    }
    print_rules(judged);
    print_reasons(engine, history, judged);
    Ok(())
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
    println!(
        "  {} accounts change sides",
        judged.comparison.changes.len()
    );
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
    });
    for (name, worst) in sets(judged) {
        report[name] = figures(history, worst);
    }
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn figures(history: &History, worst: &[Worst]) -> Value {
    let figures = confusion(history, worst);
    json!({
        "precision": figures.precision(),
        "recall": figures.recall(),
        "recall_at_1pct_fpr": recall_at(&scored(history, worst), 0.01),
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
