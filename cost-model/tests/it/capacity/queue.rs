//! Waiting, against exact fractions, closed formulas and simulation.

use std::num::NonZeroU32;

use bursar_cost_model::capacity::{
    Arrival, CapacityError, Queue, arrival_variation, dispersion, erlang_b, erlang_c, peakedness,
    servers_for, simulate, squared_variation,
};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use super::exponential;

fn n(servers: u32) -> NonZeroU32 {
    NonZeroU32::new(servers).unwrap()
}

fn close(value: f64, expected: f64, share: f64) {
    let off = (value - expected).abs();
    assert!(
        off <= share * expected.abs(),
        "{value} is not within {share} of {expected}"
    );
}

#[test]
fn erlangs_formulas_are_those_of_exact_fractions() {
    // Sums of powers over factorials, with fractions of whole numbers in Python.
    for (offered, servers, blocked) in [
        (1.0, 1, 0.5),
        (5.0, 10, 0.018384570336648132),
        (10.0, 15, 0.03649694547237079),
        (20.0, 30, 0.008457498340194705),
        (100.0, 117, 0.009790071125371362),
    ] {
        close(erlang_b(offered, n(servers)), blocked, 1e-13);
    }
    for (offered, servers, waiting) in [
        (0.5, 1, 0.5),
        (1.5, 2, 0.6428571428571429),
        (2.0, 3, 0.4444444444444444),
        (10.0, 11, 0.6821182046893324),
        (10.0, 14, 0.17413193359504983),
        (90.0, 100, 0.2169404809063664),
        (99.5, 100, 0.9401723348168937),
    ] {
        close(erlang_c(offered, n(servers)), waiting, 1e-12);
    }
}

#[test]
fn a_hundred_thousand_servers_wait_as_halfin_and_whitt_say() {
    // Halfin and Whitt (1981): with β = (1 − ρ)√c, C tends to 1 ÷ (1 + β·Φ(β) ÷ φ(β)).
    let servers = 100_000;
    let normal = Normal::new(0.0, 1.0).unwrap();
    for beta in [0.1, 0.5, 1.0, 2.0] {
        let offered = f64::from(servers) * (1.0 - beta / f64::from(servers).sqrt());
        let limit = 1.0 / (1.0 + beta * normal.cdf(beta) / normal.pdf(beta));
        close(erlang_c(offered, n(servers)), limit, 0.01);
    }
}

#[test]
fn loads_that_are_none_have_an_answer() {
    assert_eq!(erlang_b(0.0, n(3)), 0.0);
    assert_eq!(erlang_c(0.0, n(3)), 0.0);
    assert_eq!(erlang_c(3.0, n(3)), 1.0);
    assert_eq!(erlang_c(f64::INFINITY, n(3)), 1.0);
    assert_eq!(erlang_b(f64::INFINITY, n(3)), 1.0);
    assert_eq!(erlang_b(f64::NAN, n(3)), 0.0);
    assert_eq!(erlang_b(-1.0, n(3)), 0.0);
}

#[test]
fn one_server_answers_as_the_exponential_of_its_spare_rate() {
    for (arrivals, service) in [(0.5, 1.0), (900.0, 0.001), (0.0, 2.0)] {
        let queue = Queue::new(arrivals, service, n(1)).unwrap();
        let spare = 1.0 / service - arrivals;
        for share in [0.5, 0.9, 0.99, 0.999] {
            let expected = -(1.0_f64 - share).ln() / spare;
            close(queue.response_quantile(share).unwrap(), expected, 1e-9);
        }
    }
}

#[test]
fn a_wait_as_quick_to_end_as_a_service_is_no_special_case() {
    // c·μ − λ = μ at two servers of rate 1 and one arrival a second; beside it nothing jumps.
    let at = |arrivals: f64| Queue::new(arrivals, 1.0, n(2)).unwrap().response_tail(3.0);
    // C = 1/3; (1 − C)·e⁻³ + C·(1 + 3)·e⁻³.
    let expected = (2.0 / 3.0 + 4.0 / 3.0) * (-3.0_f64).exp();
    close(at(1.0), expected, 1e-12);
    close(at(1.0 + 1e-9), expected, 1e-8);
    close(at(1.0 - 1e-9), expected, 1e-8);
}

#[test]
fn a_queue_that_grows_without_end_has_no_times() {
    for arrivals in [2.0, 3.0] {
        let queue = Queue::new(arrivals, 1.0, n(2)).unwrap();
        assert_eq!(queue.wait_probability(), 1.0);
        assert_eq!(queue.mean_wait(), None);
        assert_eq!(queue.response_quantile(0.99), None);
        assert_eq!(queue.response_quantile_of(0.99, &[1.0]), None);
        assert_eq!(queue.response_tail(1e9), 1.0);
    }
}

#[test]
fn allen_and_cunneen_are_pollaczek_and_khinchine_for_one_server() {
    // M/G/1 has a mean wait of ρ·s·(1 + Cₛ²) ÷ (2·(1 − ρ)).
    for services in [0.0, 0.5, 1.0, 4.0] {
        let queue = Queue::new(0.8, 1.0, n(1)).unwrap();
        let wait = queue.with_variation(1.0, services).unwrap().mean_wait();
        close(wait.unwrap(), 0.8 * (1.0 + services) / 0.4, 1e-9);
    }
    let calm = Queue::new(0.8, 1.0, n(1)).unwrap().with_variation(0.0, 0.0);
    let calm = calm.unwrap();
    assert!(calm.mean_wait().unwrap() < 1e-8);
    assert!(calm.response_quantile(0.99).is_some());
}

fn poisson(seed: u64, n_requests: usize, arrivals: f64, service: f64) -> Vec<Arrival> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut at_seconds = 0.0;
    let mut requests = Vec::with_capacity(n_requests);
    for _ in 0..n_requests {
        at_seconds += exponential(&mut random, 1.0 / arrivals);
        requests.push(Arrival {
            at_seconds,
            service_seconds: exponential(&mut random, service),
        });
    }
    requests
}

#[test]
fn poisson_arrivals_wait_as_the_formulas_say() {
    for (servers, arrivals) in [(1, 0.7), (5, 4.0), (20, 17.0)] {
        let requests = poisson(7, 200_000, arrivals, 1.0);
        let run = simulate(&requests, n(servers)).unwrap();
        let queue = Queue::new(arrivals, 1.0, n(servers)).unwrap();
        close(run.waited, queue.wait_probability(), 0.05);
        close(run.mean_wait, queue.mean_wait().unwrap(), 0.1);
        close(run.utilization, queue.utilization(), 0.02);
        for share in [0.5, 0.9, 0.99] {
            let expected = queue.response_quantile(share).unwrap();
            close(run.response_quantile(share).unwrap(), expected, 0.05);
        }
        let some = requests.iter().step_by(40).map(|r| r.service_seconds);
        let services: Vec<f64> = some.collect();
        let measured = queue.response_quantile_of(0.99, &services).unwrap();
        close(measured, queue.response_quantile(0.99).unwrap(), 0.05);
        close(arrival_variation(&requests).unwrap(), 1.0, 0.03);
        close(dispersion(&requests, 10.0).unwrap(), 1.0, 0.05);
        close(peakedness(&requests).unwrap(), 1.0, 0.05);
    }
}

#[test]
fn arrivals_in_pairs_are_twice_as_dispersed() {
    let singles = poisson(3, 100_000, 1.0, 1.0);
    let pairs: Vec<Arrival> = singles.iter().flat_map(|request| [*request; 2]).collect();
    close(dispersion(&pairs, 50.0).unwrap(), 2.0, 0.1);
    // Half of the gaps are 0, the others exponential: (2·½·4 − 1) ÷ 1 = 3.
    close(arrival_variation(&pairs).unwrap(), 3.0, 0.05);
}

#[test]
fn pairs_that_come_and_go_together_wait_as_hayward_says() {
    // Two that arrive together and are served equally long keep two servers like one: with 10
    // servers this is M/M/5 of pairs, and Hayward's picture of groups is exact.
    let singles = poisson(5, 100_000, 4.0, 1.0);
    let pairs: Vec<Arrival> = singles.iter().flat_map(|request| [*request; 2]).collect();
    close(peakedness(&pairs).unwrap(), 2.0, 0.05);
    let queue = Queue::new(8.0, 1.0, n(10)).unwrap();
    let queue = queue.with_peakedness(2.0).unwrap();
    close(queue.wait_probability(), erlang_c(4.0, n(5)), 1e-12);
    let run = simulate(&pairs, n(10)).unwrap();
    close(run.waited, queue.wait_probability(), 0.05);
    close(run.mean_wait, queue.mean_wait().unwrap(), 0.1);
    let p99 = queue.response_quantile(0.99).unwrap();
    close(run.response_quantile(0.99).unwrap(), p99, 0.05);
    // The correction by variation does not see that more have to wait.
    let blind = Queue::new(8.0, 1.0, n(10)).unwrap();
    let blind = blind.with_variation(3.0, 1.0).unwrap();
    assert!(blind.wait_probability() < 0.8 * run.waited);
}

#[test]
fn no_peakedness_is_that_of_poisson() {
    let queue = Queue::new(8.0, 1.0, n(10)).unwrap();
    assert_eq!(queue.with_peakedness(1.0).unwrap(), queue);
    assert!(queue.with_peakedness(0.0).is_err());
    assert!(queue.with_peakedness(1e-300).unwrap().wait_probability() < 1e-6);
    assert_eq!(peakedness(&[]), None);
    assert_eq!(peakedness(&poisson(1, 1, 1.0, 1.0)), None);
}

#[test]
fn variation_of_too_little_is_not_known() {
    assert_eq!(squared_variation([]), None);
    assert_eq!(squared_variation([1.0]), None);
    assert_eq!(squared_variation([0.0, 0.0]), None);
    assert_eq!(squared_variation([f64::NAN, 1.0]), None);
    assert_eq!(arrival_variation(&[]), None);
    assert_eq!(dispersion(&poisson(1, 10, 1.0, 1.0), f64::NAN), None);
    assert_eq!(dispersion(&poisson(1, 10, 1.0, 1.0), 1e6), None);
    assert_eq!(dispersion(&poisson(1, 10, 1.0, 1.0), 1e-300), None);
}

#[test]
fn numbers_that_cannot_be_are_named() {
    for (made, message) in [
        (
            Queue::new(-1.0, 1.0, n(1)),
            "requests a second: -1 cannot be",
        ),
        (
            Queue::new(1.0, 0.0, n(1)),
            "seconds of service: 0 cannot be",
        ),
        (
            Queue::new(f64::NAN, 1.0, n(1)),
            "requests a second: NaN cannot be",
        ),
    ] {
        assert_eq!(made.unwrap_err().to_string(), message);
    }
    let at = |at_seconds, service_seconds| Arrival {
        at_seconds,
        service_seconds,
    };
    for (arrivals, message) in [
        (vec![], "there are no arrivals: give at least one"),
        (
            vec![at(1.0, 1.0), at(0.5, 1.0)],
            "arrival 1: it comes before the one above it",
        ),
        (vec![at(1.0, -1.0)], "arrival 0: its service is no time"),
        (vec![at(f64::NAN, 1.0)], "arrival 0: its time is no number"),
    ] {
        let error = simulate(&arrivals, n(1)).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    assert!(matches!(
        servers_for(1e12, 1.0, 0.99, 10.0),
        Err(CapacityError::TooMany { .. })
    ));
    assert!(servers_for(1.0, 1.0, 1.0, 10.0).is_err());
}

/// The same rule without a heap: the server that is free first, of all.
fn waits_one_by_one(arrivals: &[Arrival], servers: usize) -> Vec<f64> {
    let mut free = vec![f64::NEG_INFINITY; servers];
    let mut responses: Vec<f64> = arrivals
        .iter()
        .map(|arrival| {
            let next = free.iter_mut().min_by(|a, b| a.total_cmp(b)).unwrap();
            let start = next.max(arrival.at_seconds);
            *next = start + arrival.service_seconds;
            *next - arrival.at_seconds
        })
        .collect();
    responses.sort_by(f64::total_cmp);
    responses
}

fn any_arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    proptest::collection::vec((0.0..2.0, 0.0..5.0), 1..80).prop_map(|pairs| {
        let mut at_seconds = 0.0;
        let arrival = |(gap, service_seconds)| {
            at_seconds += gap;
            Arrival {
                at_seconds,
                service_seconds,
            }
        };
        pairs.into_iter().map(arrival).collect()
    })
}

proptest! {
    #[test]
    fn erlangs_formulas_stay_between_0_and_1_and_fall_with_servers(
        offered in 0.0..500.0_f64,
        more in 0.0..50.0_f64,
        servers in 1_u32..600,
    ) {
        for formula in [erlang_b, erlang_c] {
            let here = formula(offered, n(servers));
            prop_assert!((0.0..=1.0).contains(&here));
            prop_assert!(formula(offered, n(servers + 1)) <= here);
            prop_assert!(formula(offered + more, n(servers)) >= here - 1e-12);
        }
        prop_assert!(erlang_c(offered, n(servers)) >= erlang_b(offered, n(servers)) - 1e-12);
    }

    #[test]
    fn a_quantile_is_where_the_tail_is(
        arrivals in 0.0..100.0_f64,
        service in 0.001..1.0_f64,
        spare in 0.001..20.0_f64,
        share in 0.01..0.9999_f64,
    ) {
        let servers = n((arrivals * service + spare).ceil() as u32);
        let queue = Queue::new(arrivals, service, servers).unwrap();
        if queue.utilization() < 1.0 {
            let at = queue.response_quantile(share).unwrap();
            prop_assert!((queue.response_tail(at) - (1.0 - share)).abs() < 1e-6);
            let bursty = queue.with_variation(4.0, 1.0).unwrap();
            prop_assert!(bursty.response_quantile(share).unwrap() >= at - 1e-12);
            let chance = |peakedness| queue.with_peakedness(peakedness).unwrap().wait_probability();
            prop_assert!((0.0..=1.0).contains(&chance(7.3)) && chance(7.3) >= chance(1.0) - 1e-3);
        }
    }

    #[test]
    fn the_fewest_servers_are_enough_and_one_less_is_not(
        arrivals in 0.1..2_000.0_f64,
        service in 0.0005..0.5_f64,
        slack in 4.7..20.0_f64,
    ) {
        let within = service * slack;
        let found = servers_for(arrivals, service, 0.99, within).unwrap().unwrap();
        let p99 = |servers| Queue::new(arrivals, service, servers).unwrap().response_quantile(0.99);
        prop_assert!(p99(found).unwrap() <= within * (1.0 + 1e-9));
        if let Some(fewer) = NonZeroU32::new(found.get() - 1) {
            prop_assert!(p99(fewer).is_none_or(|p99| p99 > within * (1.0 - 1e-9)));
        }
    }

    #[test]
    fn a_simulation_is_what_asking_every_server_gives(arrivals in any_arrivals(), servers in 1_usize..6) {
        let run = simulate(&arrivals, n(servers as u32)).unwrap();
        let expected = waits_one_by_one(&arrivals, servers);
        prop_assert_eq!(run.responses().len(), expected.len());
        for (got, expected) in run.responses().iter().zip(&expected) {
            prop_assert!((got - expected).abs() < 1e-9);
        }
        prop_assert!((0.0..=1.0 + 1e-9).contains(&run.utilization));
        let more = simulate(&arrivals, n(servers as u32 + 1)).unwrap();
        prop_assert!(more.mean_wait <= run.mean_wait + 1e-9);
    }
}
