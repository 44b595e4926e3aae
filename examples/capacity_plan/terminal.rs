//! The stages and the comparison for a terminal.

use std::fmt::Write as _;

use bursar_cost_model::capacity::{CapacityPlan, CapacityPrices};
use bursar_units::{Money, Quantum, Rounding};

use crate::comparison::{Comparison, MODELS};

/// The stages of growth, one a line, and why so many.
pub(crate) fn stages(instance: &str, prices: &CapacityPrices, plans: &[CapacityPlan]) -> String {
    let mut text = String::new();
    let hour = prices
        .instance_hour
        .map_or("unknown".to_owned(), |m| m.to_string());
    let _ = writeln!(
        text,
        "Instances of {instance} at {hour} an hour, us-east-1\n"
    );
    let _ = writeln!(
        text,
        "stage  requests/s  formula  table   p99 needs  N+1  zone loss  advised  p99, ms  zone lost, ms"
    );
    for plan in plans {
        let listed = plan
            .listed
            .map_or("–".to_owned(), |listed| match listed.most {
                Some(most) if most == listed.least => most.to_string(),
                Some(most) => format!("{}-{most}", listed.least),
                None => format!("{}+", listed.least),
            });
        let _ = writeln!(
            text,
            "{:<5}  {:>10}  {:>7}  {:>5}  {:>10}  {:>3}  {:>9}  {:>7}  {:>7}  {:>13}",
            plan.stage.map_or("–", |stage| stage.name),
            plan.demand.peak_qps,
            plan.formula,
            listed,
            plan.queue.map_or("none".to_owned(), |n| n.to_string()),
            plan.n_plus_one,
            plan.zone_loss.map_or("–".to_owned(), |n| n.to_string()),
            plan.advised,
            milliseconds(plan.p99_seconds),
            milliseconds(plan.p99_seconds_after_loss),
        );
    }
    let _ = writeln!(
        text,
        "\nstage   instances/month       Redis    database       total"
    );
    for plan in plans {
        let _ = writeln!(
            text,
            "{:<5}  {:>16}  {:>10}  {:>10}  {:>10}",
            plan.stage.map_or("–", |stage| stage.name),
            money(plan.cost.instances),
            money(plan.cost.redis),
            money(plan.cost.database),
            money(plan.cost.total),
        );
    }
    text.push('\n');
    for plan in plans {
        let name = plan.stage.map_or("over the table", |stage| stage.name);
        let _ = writeln!(
            text,
            "{name}: {} because {}.\n    {}.",
            plan.advised,
            plan.reason_in_words(),
            plan.binding_in_words()
        );
    }
    text
}

/// The p99 of formulas and simulation side by side.
pub(crate) fn comparison(comparison: &Comparison) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}\n{} requests in {:.0} s: {:.2} a second of {:.2} s (p99 {:.2} s) keep {:.1} servers busy.",
        comparison.name,
        comparison.requests,
        comparison.seconds,
        comparison.requests_per_second,
        comparison.mean_service_seconds,
        comparison.p99_service_seconds,
        comparison.offered
    );
    let _ = writeln!(
        text,
        "Squared variation: services {:.2}, gaps between arrivals {:.2}; counts in windows of {:.0} s\n\
         are {:.1} times as dispersed as Poisson's; peakedness {:.2}.\n",
        comparison.service_variation,
        comparison.arrival_variation,
        comparison.window_seconds,
        comparison.dispersion,
        comparison.peakedness
    );
    let _ = write!(text, "p99, s   servers   busy  simulated");
    for model in MODELS {
        let _ = write!(text, "  {model:>13}");
    }
    text.push('\n');
    for row in &comparison.rows {
        let busy = 100.0 * row.utilization;
        let _ = write!(
            text,
            "{:>16}  {busy:>3.0} %  {:>9.2}",
            row.servers, row.simulated
        );
        for p99 in row.predicted {
            let shown = p99.map_or("unbounded".to_owned(), |p99| format!("{p99:.2}"));
            let _ = write!(text, "  {shown:>13}");
        }
        text.push('\n');
    }
    let needed = &comparison.needed;
    let shown = |n: Option<u32>| n.map_or("none".to_owned(), |n| n.to_string());
    let _ = write!(
        text,
        "\nwithin {:>6.2} s         {:>9}",
        comparison.target_seconds,
        shown(needed.simulated)
    );
    for n in needed.predicted {
        let _ = write!(text, "  {:>13}", shown(n));
    }
    text.push_str("  servers\n\n");
    for accuracy in &comparison.accuracy {
        let _ = writeln!(
            text,
            "{:<13}  off by a factor of {:.2} where requests wait, too low in {} of {}{}",
            accuracy.model,
            accuracy.mean_factor,
            accuracy.too_low,
            accuracy.rows,
            if accuracy.nearest { "  <- nearest" } else { "" }
        );
    }
    text
}

fn milliseconds(seconds: Option<f64>) -> String {
    seconds.map_or("–".to_owned(), |seconds| {
        format!("{:.1}", 1_000.0 * seconds)
    })
}

fn money(money: Option<Money>) -> String {
    let cents = |money: Money| money.round_to(Quantum::MINOR_UNIT, Rounding::HalfEven).ok();
    money
        .and_then(cents)
        .map_or("unknown".to_owned(), |m| m.to_string())
}
