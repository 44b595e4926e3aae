//! Records become jobs that a provider takes, and those that it does not take say why.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use bursar_model_router::{
    BatchLimits, BatchOffer, BatchPlan, BatchPlanner, BatchRecord, BatchSaving, ChatRequest, Image,
    ImageSource, ImageType, Ineligibility, Message, ModelId, PlannedJob, Priority, RecordId,
    SavingError, TokenRates, Tool, Usage, UsageKind, WireError, answer_each,
};
use bursar_units::{Currency, Money, UnitRate};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOVA: &str = "us.amazon.nova-lite-v1:0";
const HAIKU: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const GPT: &str = "gpt-5.6-mini";
const OPUS: &str = "us.anthropic.claude-opus-4-8";
const FAR: &str = "eu.amazon.nova-pro-v1:0";

fn model(name: &str) -> ModelId {
    ModelId::new(name).unwrap()
}

fn record(number: u128, name: &str) -> BatchRecord {
    BatchRecord {
        id: RecordId::from_random(number),
        model: model(name),
        request: ChatRequest::user(format!("Summarize ticket {number}.")),
    }
}

fn planner() -> BatchPlanner {
    BatchPlanner::new("us-east-1")
        .offer(model(NOVA), BatchOffer::bedrock(["us-east-1", "us-west-2"]))
        .offer(model(HAIKU), BatchOffer::bedrock(["us-east-1"]))
        .offer(model(FAR), BatchOffer::bedrock(["eu-west-1"]))
        .offer(model(GPT), BatchOffer::openai())
}

fn lines(job: &PlannedJob) -> Vec<Value> {
    let file = String::from_utf8(job.to_jsonl().unwrap()).unwrap();
    file.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn mixed_records_become_a_job_for_each_model_and_the_rest_says_why() {
    // Nova and Haiku in turn, as they come in; then some of each other kind.
    let mut records: Vec<_> = (0..240)
        .map(|number| record(number, if number % 2 == 0 { NOVA } else { HAIKU }))
        .collect();
    records.extend((240..243).map(|number| record(number, GPT)));
    records.push(record(300, OPUS));
    records.push(record(301, FAR));
    let mut with_tool = record(302, NOVA);
    with_tool.request = with_tool.request.tool(Tool {
        name: "look_up".to_owned(),
        description: None,
        input_schema: json!({}),
    });
    records.push(with_tool);
    records.push(record(0, HAIKU));
    let mut far_image = record(303, NOVA);
    let uri = "https://example.com/a.png".to_owned();
    far_image.request = far_image.request.message(Message::user([Image {
        image_type: ImageType::Png,
        source: ImageSource::Uri(uri.clone()),
    }]));
    records.push(far_image);

    let BatchPlan { jobs, ineligible } = planner().plan(records, Priority::High);
    let shape: Vec<_> = jobs
        .iter()
        .map(|job| (job.model.as_str(), job.records.len()))
        .collect();
    assert_eq!(shape, [(GPT, 3), (NOVA, 120), (HAIKU, 120)]);
    assert!(jobs.iter().all(|job| job.priority == Priority::High));
    let region = "us-east-1".to_owned();
    let reasons: Vec<_> = ineligible.into_iter().map(|it| it.reason).collect();
    assert_eq!(
        reasons,
        [
            Ineligibility::NoBatch { model: model(OPUS) },
            Ineligibility::Region {
                model: model(FAR),
                region
            },
            Ineligibility::Tools { model: model(NOVA) },
            Ineligibility::DuplicateId {
                id: RecordId::from_random(0)
            },
            Ineligibility::Wire(WireError::ImageUri { uri }),
        ]
    );
}

#[test]
fn files_are_in_the_form_of_their_provider_whatever_the_model_is() {
    let records = (0..200).map(|number| record(number, if number < 100 { NOVA } else { HAIKU }));
    let mut records: Vec<_> = records.collect();
    records.push(record(200, GPT));
    records[0].request = records[0].request.clone().metadata("team", "billing");
    let jobs = planner().plan(records, Priority::Normal).jobs;
    for job in &jobs[1..] {
        for (line, record) in lines(job).iter().zip(&job.records) {
            // The body of Converse alone: neither Anthropic's `anthropic_version` nor what belongs to
            // the operation.
            let keys: Vec<_> = line["modelInput"].as_object().unwrap().keys().collect();
            assert_eq!(keys, ["inferenceConfig", "messages"]);
            assert_eq!(line["recordId"], record.id.as_str());
        }
    }
    let expected = json!({
        "custom_id": RecordId::from_random(200).as_str(),
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": GPT,
            "messages": [{"role": "user", "content": "Summarize ticket 200."}],
            "max_completion_tokens": 200,
            "temperature": 0.1,
        },
    });
    assert_eq!(lines(&jobs[0]), [expected]);
}

#[test]
fn twenty_requests_are_too_few_for_bedrock() {
    let records: Vec<_> = (0..20).map(|number| record(number, NOVA)).collect();
    let plan = planner().plan(records.clone(), Priority::Normal);
    assert!(plan.jobs.is_empty());
    assert_eq!(plan.ineligible.len(), 20);
    for (it, record) in plan.ineligible.iter().zip(&records) {
        let (records, minimum) = (20, 100);
        assert_eq!(it.reason, Ineligibility::TooFewRecords { records, minimum });
        assert_eq!(&it.record, record);
    }
}

fn limited(min_records: usize, max_records: usize, max_bytes: u64) -> BatchPlanner {
    let limits = BatchLimits {
        min_records,
        max_records,
        max_bytes,
        ..BatchLimits::bedrock()
    };
    let offer = BatchOffer::bedrock(["here"]).limits(limits);
    BatchPlanner::new("here").offer(model(NOVA), offer)
}

fn counts(plan: &BatchPlan) -> Vec<usize> {
    plan.jobs.iter().map(|job| job.records.len()).collect()
}

#[test]
fn a_last_part_that_is_too_small_takes_from_the_one_before() {
    let records = |count| (0..count).map(|number| record(number, NOVA)).collect();
    let planner = limited(100, 1_000, u64::MAX);
    let plan = |count| planner.plan(records(count), Priority::Normal);
    assert_eq!(counts(&plan(1_000)), [1_000]);
    assert_eq!(counts(&plan(2_030)), [1_000, 930, 100]);
    let plan = plan(2_030);
    let ids = plan
        .jobs
        .iter()
        .flat_map(|job| job.records.iter().map(|record| &record.id));
    let given: Vec<_> = (0..2_030).map(RecordId::from_random).collect();
    assert!(ids.eq(&given));
    // With a most of less than twice the fewest there may be nothing to take.
    let narrow = limited(100, 150, u64::MAX).plan(records(160), Priority::Normal);
    assert_eq!((counts(&narrow), narrow.ineligible.len()), (vec![150], 10));
}

#[test]
fn a_record_larger_than_a_file_is_in_none() {
    let mut large = record(0, NOVA);
    large.request = ChatRequest::user("a".repeat(10_000));
    let plan = limited(1, 10, 5_000).plan(vec![large, record(1, NOVA)], Priority::Normal);
    assert_eq!(counts(&plan), [1]);
    assert!(matches!(
        plan.ineligible[0].reason,
        Ineligibility::TooLarge { limit: 5_000, bytes } if bytes > 10_000
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_is_in_one_job_within_the_limits_or_says_why(
        sizes in proptest::collection::vec(0_usize..2_000, 0..120),
        min_records in 1_usize..20,
        span in 0_usize..30,
        max_bytes in 500_u64..20_000,
    ) {
        let max_records = min_records + span;
        let records = sizes.iter().zip(0..).map(|(size, number)| BatchRecord {
            request: ChatRequest::user("a".repeat(*size)),
            ..record(number, NOVA)
        });
        let records: Vec<_> = records.collect();
        let plan = limited(min_records, max_records, max_bytes).plan(records.clone(), Priority::Low);
        for job in &plan.jobs {
            prop_assert!((min_records..=max_records).contains(&job.records.len()));
            prop_assert!(job.to_jsonl().unwrap().len() as u64 <= max_bytes);
        }
        let planned = plan.jobs.iter().flat_map(|job| &job.records);
        let left = plan.ineligible.iter().map(|it| &it.record);
        let mut all: Vec<_> = planned.chain(left).map(|it| it.id.clone()).collect();
        all.sort();
        let mut given: Vec<_> = records.iter().map(|it| it.id.clone()).collect();
        given.sort();
        prop_assert_eq!(all, given);
    }
}

fn rates(input: &str, output: &str, read: Option<&str>) -> TokenRates {
    let rate = |text: &str| UnitRate::per_million(Money::parse(text, Currency::USD).unwrap());
    TokenRates {
        input: rate(input),
        output: rate(output),
        cache_read: read.map(rate),
        cache_write: None,
    }
}

fn usage(input: u64, output: u64) -> Usage {
    Usage::new()
        .with(UsageKind::InputTokens, input)
        .with(UsageKind::OutputTokens, output)
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

// Claude Haiku 4.5, 2026-11-20: 1 and 5 USD per million, 0.10 for cached input, half of it as a batch.
#[test]
fn a_saving_is_computed_from_usage_at_the_models_own_prices() {
    let usages = [
        usage(1_000, 200).with(UsageKind::CacheReadTokens, 400),
        usage(3_333, 1),
    ];
    let (standard, batch) = (
        rates("1", "5", Some("0.10")),
        rates("0.5", "2.5", Some("0.05")),
    );
    let saving = BatchSaving::of(&usages, &standard, Some(&batch)).unwrap();
    // 3,933 × 1 + 201 × 5 + 400 × 0.10 = 4,978 per million.
    assert_eq!(
        saving,
        BatchSaving::Saved {
            standard_cost: usd("0.004978"),
            batch_cost: usd("0.002489"),
            saved: usd("0.002489"),
        }
    );
}

#[test]
fn without_a_batch_price_nothing_is_said_to_be_saved() {
    let standard_cost = usd("0.0015");
    let saving = BatchSaving::of([&usage(1_000, 100)], &rates("1", "5", None), None).unwrap();
    assert_eq!(saving, BatchSaving::NoBatchPrice { standard_cost });
}

#[test]
fn what_is_not_known_is_an_error_and_not_zero() {
    let standard = rates("1", "5", None);
    let of = |usage: Usage| BatchSaving::of([&usage], &standard, None);
    let kind = UsageKind::OutputTokens;
    let silent = of(Usage::new().with(UsageKind::InputTokens, 1));
    assert_eq!(silent, Err(SavingError::UnknownUsage { kind }));
    let (kind, count) = (UsageKind::CacheReadTokens, 400);
    let cached = of(usage(1_000, 1).with(kind, count));
    assert_eq!(cached, Err(SavingError::NoRate { kind, count }));
    let torn = of(usage(100, 1).with(UsageKind::CacheWriteTokens, 101));
    assert_eq!(torn, Err(SavingError::PartsExceedWhole));
}

#[test]
fn many_at_once_are_answered_in_order_with_a_bound() {
    let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ask = async |number: u32| {
        let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        // Later ones take fewer turns, so that they are done before earlier ones.
        for _ in 0..100 - number {
            let mut has_waited = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                match std::mem::replace(&mut has_waited, true) {
                    true => std::task::Poll::Ready(()),
                    false => std::task::Poll::Pending,
                }
            })
            .await;
        }
        under_way.fetch_sub(1, Ordering::SeqCst);
        if number % 7 == 3 {
            Err(number)
        } else {
            Ok(number)
        }
    };
    let requests = (0..100).map(|number| (format!("request {number}"), number));
    let eight = NonZeroUsize::new(8).unwrap();
    let answered = futures_executor::block_on(answer_each(requests, eight, ask));
    assert_eq!(most.load(Ordering::SeqCst), 8);
    assert_eq!(answered.len(), 100);
    for (answered, number) in answered.into_iter().zip(0..) {
        assert_eq!(answered.id, format!("request {number}"));
        let expected = if number % 7 == 3 {
            Err(number)
        } else {
            Ok(number)
        };
        assert_eq!(answered.result, expected);
    }
}
