//! Conversations and the prompt caches of their providers.

use bursar_model_router::{
    CacheAware, CheapestAbove, Conditions, Decision, ModelEntry, ModelId, Quality, RouteRequest,
    Router, WarmCache,
};
use bursar_units::Money;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rust_decimal::prelude::ToPrimitive;

use crate::models::{id, provider, rates};

fn entry(name: &str, input: &str, output: &str, cache: Option<(&str, &str)>) -> ModelEntry {
    let mut entry = ModelEntry::new(provider("aws"), id(name));
    entry.rates = Some(rates(input, output, cache));
    entry.quality = Some(Quality::new(80.0).unwrap());
    entry
}

/// Warm at a tenth of its price, A reads for 0.3; B costs 1 without a cache.
fn two() -> Vec<ModelEntry> {
    vec![
        entry("a", "3", "15", Some(("0.3", "3.75"))),
        entry("b", "1", "5", None),
    ]
}

fn cheapest() -> CheapestAbove {
    CheapestAbove::new(Quality::new(0.0).unwrap())
}

fn route(policy: CacheAware<CheapestAbove>, cached_tokens: u64, output_tokens: u64) -> Decision {
    let a = id("a");
    let request = RouteRequest::new("")
        .with_input_tokens(10_000)
        .with_max_output_tokens(output_tokens)
        .with_expected_output_tokens(output_tokens)
        .with_warm_cache(WarmCache {
            model: &a,
            cached_tokens,
        });
    let router = Router::new(two()).with_policy(policy);
    router.route(&request, &Conditions::default()).unwrap()
}

#[test]
fn a_warm_conversation_stays_though_another_model_is_cheaper_per_token() {
    // A: 9,900 at 0.3 and 100 at 3 and 10 at 15 make 0.00342; B: 10,000 at 1 and 10 at 5 make 0.01005.
    let decision = route(CacheAware::new(cheapest()), 9_900, 10);
    assert_eq!(decision.model, id("a"));
    assert_eq!(
        decision.chosen().unwrap().cost.expected,
        "0.00342 USD".parse().unwrap()
    );
}

#[test]
fn it_leaves_when_that_saves_more_than_the_cache_is_worth() {
    // Answers of 1,000 tokens. A reads 9,900 and writes 100, then reads 10,000 twice: 0.009345 and three
    // answers at 0.015. B reads nothing from a cache: three times 0.01 and three answers at 0.005.
    let decision = route(CacheAware::new(cheapest()), 9_900, 1_000);
    assert_eq!(decision.model, id("b"));
    let remark = decision.remark.unwrap();
    assert_eq!(
        remark,
        "leaves the warm prompt cache of a: 0.045 USD in place of 0.054345 USD over 3 turns"
    );
}

#[test]
fn a_better_answer_is_worth_a_cache_if_it_is_better_by_enough() {
    let mut entries = two();
    entries[1].quality = Some(Quality::new(95.0).unwrap());
    let a = id("a");
    let request = RouteRequest::new("")
        .with_input_tokens(10_000)
        .with_warm_cache(WarmCache {
            model: &a,
            cached_tokens: 9_900,
        });
    let bar = CheapestAbove::new(Quality::new(90.0).unwrap());
    let choice = |upgrade| {
        let policy = CacheAware::new(bar).with_upgrade(upgrade);
        let router = Router::new(entries.clone()).with_policy(policy);
        router
            .route(&request, &Conditions::default())
            .unwrap()
            .model
    };
    assert_eq!(choice(15.0), id("b"));
    assert_eq!(choice(15.1), id("a"));
}

/// The bill of a conversation whose turns add so many tokens each, where a cache that is read or written
/// stays warm for the next turn.
fn bill(
    entries: &[ModelEntry],
    turns: &[(u64, u64)],
    mut choose: impl FnMut(u64, u64, Option<(&ModelId, u64)>) -> ModelId,
) -> Money {
    let mut total: Money = "0 USD".parse().unwrap();
    let mut warm: Option<(ModelId, u64)> = None;
    let mut history = 0;
    for (asked, answered) in turns {
        let input_tokens = history + asked;
        let chosen = choose(
            input_tokens,
            *answered,
            warm.as_ref().map(|it| (&it.0, it.1)),
        );
        let read = warm.filter(|it| it.0 == chosen).map_or(0, |it| it.1);
        let rates = entries
            .iter()
            .find(|it| it.id == chosen)
            .unwrap()
            .rates
            .clone()
            .unwrap();
        let shape = bursar_model_router::CallShape {
            input_tokens,
            cache_read_tokens: read,
            cache_write_tokens: if rates.has_prompt_cache() {
                input_tokens - read
            } else {
                0
            },
            output_tokens: *answered,
        };
        total = total.checked_add(rates.cost(shape).unwrap()).unwrap();
        warm = rates.has_prompt_cache().then_some((chosen, input_tokens));
        history = input_tokens + answered;
    }
    total
}

/// What a conversation costs with each model alone, with a router that does not know of caches, and with one
/// that does.
fn bills(turns: &[(u64, u64)]) -> (Money, Money, Money) {
    let entries = vec![
        entry("sonnet", "3", "15", Some(("0.3", "3.75"))),
        entry("haiku", "1", "5", Some(("0.1", "1.25"))),
        entry("plain", "0.8", "6", None),
    ];
    let naive = Router::new(entries.clone()).with_policy(cheapest());
    let aware = Router::new(entries.clone()).with_policy(CacheAware::new(cheapest()));
    let ask = |router: &Router, input, output, warm: Option<(&ModelId, u64)>| {
        let mut request = RouteRequest::new("")
            .with_input_tokens(input)
            .with_max_output_tokens(output)
            .with_expected_output_tokens(output);
        if let Some((model, cached_tokens)) = warm {
            request = request.with_warm_cache(WarmCache {
                model,
                cached_tokens,
            });
        }
        router
            .route(&request, &Conditions::default())
            .unwrap()
            .model
    };
    let single = |name: &str| bill(&entries, turns, |_, _, _| id(name));
    let singles = ["sonnet", "haiku", "plain"].map(single);
    let best = singles.into_iter().min_by_key(Money::amount).unwrap();
    (
        best,
        bill(&entries, turns, |input, output, _| {
            ask(&naive, input, output, None)
        }),
        bill(&entries, turns, |input, output, warm| {
            ask(&aware, input, output, warm)
        }),
    )
}

#[test]
fn conversations_cost_no_more_than_with_the_best_model_alone() {
    let (mut of_best, mut of_naive, mut of_aware) = (0.0, 0.0, 0.0);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..300 {
        let length = random.random_range(2..20);
        let turn = |random: &mut ChaCha8Rng| {
            (
                random.random_range(20..4_000),
                random.random_range(10..1_000),
            )
        };
        let turns: Vec<(u64, u64)> = (0..length).map(|_| turn(&mut random)).collect();
        let [best, naive, aware] =
            <[Money; 3]>::from(bills(&turns)).map(|it| it.amount().to_f64().unwrap());
        assert!(
            aware <= 1.3 * best.min(naive),
            "{aware} {best} {naive}: {turns:?}"
        );
        (of_best, of_naive, of_aware) = (of_best + best, of_naive + naive, of_aware + aware);
    }
    assert!(
        of_aware <= 1.02 * of_best,
        "{of_aware} {of_best} {of_naive}"
    );
    assert!(
        of_aware <= 0.5 * of_naive,
        "{of_aware} {of_best} {of_naive}"
    );
}
