//! Real arrivals, and how near the formulas come to them.

use std::num::NonZeroU32;

use bursar_cost_model::capacity::{
    Arrival, Queue, TokenSpeed, arrival_variation, dispersion, read_token_requests, simulate,
    squared_variation,
};

use crate::development_data;

#[test]
fn traces_that_cannot_be_read_say_where() {
    for (csv, message) in [
        (
            "TIMESTAMP,ContextTokens\n",
            "the header has no column `GeneratedTokens`: a trace has `TIMESTAMP`, `ContextTokens` and `GeneratedTokens`",
        ),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\nsoon,1,2\n",
            "line 2, column `TIMESTAMP`: `soon` is no time",
        ),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,1,-2\n",
            "line 2, column `GeneratedTokens`: `-2` is no number of tokens",
        ),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,1,2\n2023-11-16 18:17:02,1,2\n",
            "line 3: the request comes before the one above it: sort the trace by time",
        ),
    ] {
        let error = read_token_requests(csv.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

fn real_arrivals(name: &str) -> Option<Vec<Arrival>> {
    let path = development_data(&format!("llm-traces/{name}"))?;
    let requests = read_token_requests(std::fs::File::open(path).unwrap()).unwrap();
    Some(TokenSpeed::new(5_000.0, 30.0).unwrap().arrivals(&requests))
}

#[test]
fn real_arrivals_are_burstier_than_poisson_and_wait_longer_than_it_says() {
    for (name, n_requests, factor) in [
        // Conversations come nearly as Poisson says, code completions in bursts.
        ("AzureLLMInferenceTrace_conv.csv", 19_366, 1.0),
        ("AzureLLMInferenceTrace_code.csv", 8_819, 1.5),
    ] {
        let Some(arrivals) = real_arrivals(name) else {
            return;
        };
        assert_eq!(arrivals.len(), n_requests);
        assert!(arrival_variation(&arrivals).unwrap() > 1.1, "{name}");
        assert!(dispersion(&arrivals, 60.0).unwrap() > 10.0, "{name}");
        let services: Vec<f64> = arrivals.iter().map(|a| a.service_seconds).collect();
        let service = services.iter().sum::<f64>() / services.len() as f64;
        let seconds = arrivals.last().unwrap().at_seconds;
        let rate = arrivals.len() as f64 / seconds;
        // A fifth more than are busy.
        let servers = NonZeroU32::new((1.2 * rate * service).ceil() as u32).unwrap();
        let run = simulate(&arrivals, servers).unwrap();
        let queue = Queue::new(rate, service, servers).unwrap();
        let poisson = queue.response_quantile_of(0.99, &services).unwrap();
        let simulated = run.response_quantile(0.99).unwrap();
        assert!(
            simulated > factor * poisson,
            "{name}: {simulated} against {poisson}"
        );
        let spread = squared_variation(services.iter().copied()).unwrap();
        assert!(spread > 0.0);
    }
}
