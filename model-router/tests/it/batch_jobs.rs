//! A job is created once whatever happens, and brings what it has done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bursar_model_router::conformance::{self, SimulatedBatchService};
use bursar_model_router::{
    BatchError, BatchFormat, BatchJob, BatchJournal, BatchRecord, BatchRunner, BatchService,
    BatchServiceError, BatchStatus, ChatRequest, Collected, JobId, JobReport, JournalError,
    MemoryBatchJournal, ModelId, PlannedJob, Priority, RecordId, Recorded, Recovered,
};
use futures_executor::block_on;
use jiff::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn planned(count: u128, format: BatchFormat) -> PlannedJob {
    let model = ModelId::new("us.amazon.nova-lite-v1:0").unwrap();
    let record = |number| BatchRecord {
        id: RecordId::from_random(number),
        model: model.clone(),
        request: ChatRequest::user(format!("Summarize ticket {number}.")),
    };
    PlannedJob {
        format,
        priority: Priority::High,
        records: (0..count).map(record).collect(),
        model: model.clone(),
    }
}

fn id(text: &str) -> JobId {
    JobId::new(text).unwrap()
}

/// Jobs in a file that is replaced as a whole: what a service without a database would do.
#[derive(Debug, Clone)]
struct FileJournal(PathBuf);

impl FileJournal {
    fn in_folder(folder: &Path) -> Self {
        Self(folder.join("jobs.json"))
    }

    fn load(&self) -> BTreeMap<JobId, BatchJob> {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Err(_) => BTreeMap::new(),
        }
    }

    fn save(&self, jobs: &BTreeMap<JobId, BatchJob>) {
        let fresh = self.0.with_extension("new");
        std::fs::write(&fresh, serde_json::to_vec(jobs).unwrap()).unwrap();
        std::fs::rename(fresh, &self.0).unwrap();
    }
}

#[async_trait]
impl BatchJournal for FileJournal {
    async fn record(&self, job: &BatchJob) -> Result<Recorded, JournalError> {
        let mut jobs = self.load();
        if let Some(known) = jobs.get(&job.id) {
            return Ok(Recorded::Known(Box::new(known.clone())));
        }
        jobs.insert(job.id.clone(), job.clone());
        self.save(&jobs);
        Ok(Recorded::New)
    }

    async fn update(&self, job: &BatchJob) -> Result<(), JournalError> {
        let mut jobs = self.load();
        let known = jobs.get_mut(&job.id);
        *known.ok_or_else(|| JournalError::new("not recorded"))? = job.clone();
        self.save(&jobs);
        Ok(())
    }

    async fn find(&self, id: &JobId) -> Result<Option<BatchJob>, JournalError> {
        Ok(self.load().remove(id))
    }

    async fn unfinished(&self) -> Result<Vec<BatchJob>, JournalError> {
        let jobs = self.load().into_values();
        Ok(jobs.filter(|job| !job.status.is_final()).collect())
    }
}

#[test]
fn journals_keep_the_contract() {
    block_on(conformance::batch_journal(async || {
        MemoryBatchJournal::default()
    }));
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    block_on(conformance::batch_journal(async || {
        number.set(number.get() + 1);
        FileJournal(folder.path().join(number.get().to_string()))
    }));
}

#[test]
fn services_keep_the_contract() {
    block_on(conformance::batch_service(async || {
        SimulatedBatchService::default()
    }));
    block_on(conformance::batch_service(async || {
        SimulatedBatchService::ignoring_tokens()
    }));
}

/// A port that stops before and after each call, so that the program can be killed there.
#[derive(Debug, Clone)]
struct Stepwise<P>(P);

async fn step() {
    let mut has_waited = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut has_waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

macro_rules! stepwise {
    ($call:expr) => {{
        step().await;
        let result = $call.await;
        step().await;
        result
    }};
}

#[async_trait]
impl<J: BatchJournal> BatchJournal for Stepwise<J> {
    async fn record(&self, job: &BatchJob) -> Result<Recorded, JournalError> {
        stepwise!(self.0.record(job))
    }

    async fn update(&self, job: &BatchJob) -> Result<(), JournalError> {
        stepwise!(self.0.update(job))
    }

    async fn find(&self, id: &JobId) -> Result<Option<BatchJob>, JournalError> {
        stepwise!(self.0.find(id))
    }

    async fn unfinished(&self) -> Result<Vec<BatchJob>, JournalError> {
        stepwise!(self.0.unfinished())
    }
}

#[async_trait]
impl<S: BatchService> BatchService for Stepwise<S> {
    async fn upload(&self, job: &BatchJob, input: Vec<u8>) -> Result<String, BatchServiceError> {
        stepwise!(self.0.upload(job, input))
    }

    async fn create(&self, job: &BatchJob) -> Result<String, BatchServiceError> {
        stepwise!(self.0.create(job))
    }

    async fn find(&self, token: &JobId) -> Result<Option<String>, BatchServiceError> {
        stepwise!(self.0.find(token))
    }

    async fn report(&self, service_id: &str) -> Result<JobReport, BatchServiceError> {
        stepwise!(self.0.report(service_id))
    }

    async fn stop(&self, service_id: &str) -> Result<(), BatchServiceError> {
        stepwise!(self.0.stop(service_id))
    }

    async fn results(&self, job: &BatchJob) -> Result<Vec<u8>, BatchServiceError> {
        stepwise!(self.0.results(job))
    }
}

/// Runs a future until it is done or has stopped so often, and then drops it: the program is killed.
fn killed_after<T>(steps: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..steps {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return Some(result);
        }
    }
    None
}

#[test]
fn a_crash_at_any_point_leaves_one_job() {
    let services: [fn() -> SimulatedBatchService; 2] = [
        SimulatedBatchService::default,
        SimulatedBatchService::ignoring_tokens,
    ];
    for make in services {
        // Five calls stop twice each, and the eleventh poll ends it.
        let (mut outcomes, mut killed) = (Vec::new(), 0);
        for (first, second) in (1..=11).flat_map(|first| (1..=9).map(move |second| (first, second)))
        {
            let folder = tempfile::tempdir().unwrap();
            let (service, journal) = (make(), FileJournal::in_folder(folder.path()));
            let planned = planned(3, BatchFormat::BedrockConverse);
            let stepwise = BatchRunner::new(
                Arc::new(Stepwise(service.clone())),
                Arc::new(Stepwise(journal.clone())),
            );
            let done = killed_after(first, stepwise.submit(&planned, id("job1"), NOW));
            killed += usize::from(done.is_none());
            // The recovery is killed too, and then another one runs to its end.
            let _ = killed_after(second, stepwise.recover());
            let runner = BatchRunner::new(Arc::new(service.clone()), Arc::new(journal.clone()));
            outcomes.extend(block_on(runner.recover()).unwrap());
            // Whoever wanted the job submits it again, not knowing what has become of it.
            let job = block_on(runner.submit(&planned, id("job1"), NOW)).unwrap();
            assert_eq!(
                service.n_jobs(),
                1,
                "killed after {first} and {second} steps"
            );
            let service_id = job.service_id.clone().unwrap();
            assert_eq!(
                service.input(&service_id),
                Some(planned.to_jsonl().unwrap())
            );
            assert_eq!(journal.load().into_values().collect::<Vec<_>>(), [job]);
        }
        assert_eq!(killed, 90);
        let has = |is: fn(&Recovered) -> bool| outcomes.iter().any(is);
        assert!(has(|it| matches!(it, Recovered::Found(_))));
        assert!(has(|it| matches!(it, Recovered::Created(_))));
        assert!(has(|it| matches!(it, Recovered::NeedsInput(_))));
    }
}

fn world() -> (SimulatedBatchService, BatchRunner) {
    let service = SimulatedBatchService::ignoring_tokens();
    let journal = MemoryBatchJournal::default();
    let runner = BatchRunner::new(Arc::new(service.clone()), Arc::new(journal));
    (service, runner)
}

#[test]
fn a_creation_whose_answer_was_lost_is_found_again() {
    let (service, runner) = world();
    let planned = planned(100, BatchFormat::BedrockConverse);
    service.lose_next_creation();
    let lost = block_on(runner.submit(&planned, id("job1"), NOW));
    let unclear = matches!(
        lost,
        Err(BatchError::Service(BatchServiceError::Unclear { .. }))
    );
    assert!(unclear, "{lost:?}");
    let job = block_on(runner.submit(&planned, id("job1"), NOW)).unwrap();
    assert_eq!(
        (service.n_jobs(), job.service_id.as_deref()),
        (1, Some("batch-0"))
    );
    assert_eq!(
        (job.n_records, job.priority, job.timeout_hours),
        (100, Priority::High, 24)
    );
}

#[test]
fn a_refused_job_has_failed_and_is_not_created_by_recovering() {
    let (service, runner) = world();
    let planned = planned(100, BatchFormat::BedrockConverse);
    service.refuse("the role cannot be passed");
    assert!(block_on(runner.submit(&planned, id("job1"), NOW)).is_err());
    assert_eq!(block_on(runner.recover()).unwrap(), []);
    let job = block_on(runner.submit(&planned, id("job1"), NOW)).unwrap();
    assert_eq!(job.status, BatchStatus::Failed);
    assert_eq!(job.message.as_deref(), Some("the role cannot be passed"));
    let collected = block_on(runner.collect(&job, &planned)).unwrap();
    assert_eq!(collected.rest(&planned), planned.records);
}

#[test]
fn an_identity_stands_for_the_same_records() {
    let (_, runner) = world();
    let submit = |count| {
        let planned = planned(count, BatchFormat::BedrockConverse);
        block_on(runner.submit(&planned, id("job1"), NOW))
    };
    submit(100).unwrap();
    assert!(matches!(
        submit(101),
        Err(BatchError::OtherJob { recorded: 100, .. })
    ));
}

fn answered(number: u128) -> Value {
    json!({
        "recordId": RecordId::from_random(number),
        "modelInput": {"messages": []},
        "modelOutput": {
            "output": {"message": {"role": "assistant", "content": [{"text": format!("Ticket {number}.")}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 10, "outputTokens": number as u64, "totalTokens": 0},
        },
    })
}

fn failed(number: u128, code: Value) -> Value {
    json!({
        "recordId": RecordId::from_random(number),
        "modelInput": {"messages": []},
        "error": {"errorCode": code, "errorMessage": "it failed"},
    })
}

fn file(lines: impl IntoIterator<Item = Value>) -> Vec<u8> {
    lines
        .into_iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .into_bytes()
}

/// What a job of so many records brings that ends like this.
fn collected(count: u128, status: BatchStatus, results: &[u8]) -> (Collected, PlannedJob) {
    let (service, runner) = world();
    let planned = planned(count, BatchFormat::BedrockConverse);
    let mut job = block_on(runner.submit(&planned, id("job1"), NOW)).unwrap();
    service.come_to("batch-0", BatchStatus::InProgress, "");
    assert_eq!(
        block_on(runner.poll(&mut job)).unwrap(),
        BatchStatus::InProgress
    );
    let early = block_on(runner.collect(&job, &planned));
    assert!(matches!(early, Err(BatchError::NotFinal(_))));
    service.come_to("batch-0", status, results);
    assert_eq!(block_on(runner.poll(&mut job)).unwrap(), status);
    assert_eq!(block_on(runner.recover()).unwrap(), []);
    (block_on(runner.collect(&job, &planned)).unwrap(), planned)
}

#[test]
fn results_in_any_order_find_their_records() {
    let order = (0..100).map(|place| (place * 37 + 11) % 100);
    let (collected, planned) = collected(100, BatchStatus::Completed, &file(order.map(answered)));
    assert_eq!(collected.answers.len(), 100);
    for number in 0..100 {
        let answer = &collected.answers[&RecordId::from_random(number)];
        assert_eq!(answer.text(), format!("Ticket {number}."));
        assert_eq!(answer.batch_job, Some(id("job1")));
    }
    assert_eq!(
        (collected.rest(&planned), collected.missing),
        (vec![], vec![])
    );
}

#[test]
fn jobs_that_ended_early_give_what_they_have_and_the_rest_again() {
    for status in [
        BatchStatus::PartiallyCompleted,
        BatchStatus::Expired,
        BatchStatus::Stopped,
        BatchStatus::Failed,
    ] {
        let mut results = file((0..30).rev().map(answered));
        // The service was writing the next line when the job ended.
        results.extend_from_slice(&file([answered(30)])[..40]);
        let (collected, planned) = collected(100, status, &results);
        assert_eq!(collected.answers.len(), 30);
        assert_eq!(collected.unread.len(), 1);
        assert_eq!(collected.unread[0].line, 31);
        assert_eq!(collected.rest(&planned), planned.records[30..]);
        assert_eq!(collected.missing.len(), 70);
    }
    let (nothing, planned) = collected(100, BatchStatus::Failed, b"");
    assert_eq!(nothing.rest(&planned), planned.records);
}

#[test]
fn records_that_failed_say_why_and_go_again_if_that_may_help() {
    let results = file([
        answered(0),
        failed(1, json!(400)),
        failed(2, json!(429)),
        failed(3, json!("503")),
        failed(4, json!("AccessDenied")),
        answered(200),
        failed(5, json!(500)),
        answered(5),
        answered(0),
    ]);
    let (collected, planned) = collected(6, BatchStatus::Completed, &results);
    let codes: Vec<_> = collected
        .errors
        .values()
        .map(|error| error.code.as_str())
        .collect();
    assert_eq!(codes, ["400", "429", "503", "AccessDenied"]);
    assert_eq!(collected.rest(&planned), planned.records[2..4]);
    assert_eq!(collected.foreign, [RecordId::from_random(200)]);
    let repeated: Vec<_> = collected.repeated.into_iter().collect();
    assert_eq!(repeated, [0, 5].map(RecordId::from_random));
    assert!(collected.answers.contains_key(&RecordId::from_random(5)));
}

// The lines of OpenAI's guide to its Batch API, output and error file one after the other.
#[test]
fn results_of_openai_are_read() {
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5.6-mini-2026-08-01",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 22, "completion_tokens": 2, "total_tokens": 24},
    });
    let line = |number: u128, response: Value, error: Value| {
        let custom_id = RecordId::from_random(number);
        json!({"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": error})
    };
    let refused =
        json!({"error": {"message": "The model does not exist.", "code": "model_not_found"}});
    let expired = json!({"code": "batch_expired", "message": "The time was over."});
    let results = file([
        line(
            1,
            json!({"status_code": 404, "request_id": "r", "body": refused}),
            Value::Null,
        ),
        line(
            0,
            json!({"status_code": 200, "request_id": "r", "body": body}),
            Value::Null,
        ),
        line(2, Value::Null, expired),
    ]);
    let planned = planned(3, BatchFormat::OpenAi);
    let mut job = BatchJob::new(id("job1"), &planned, NOW);
    job.status = BatchStatus::from_openai("expired").unwrap();
    let collected = Collected::new(&job, &planned, &results).unwrap();
    assert_eq!(
        collected.answers[&RecordId::from_random(0)].text(),
        "Hello."
    );
    let error = &collected.errors[&RecordId::from_random(1)];
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("404", "The model does not exist.")
    );
    assert_eq!(collected.rest(&planned), planned.records[2..]);
}

#[test]
fn a_report_from_before_changes_nothing() {
    let planned = planned(100, BatchFormat::BedrockConverse);
    let mut job = BatchJob::new(id("job1"), &planned, NOW);
    let report = |status| JobReport {
        status,
        counts: None,
        message: Some(format!("it is {status}")),
    };
    let _ = job.advance(report(BatchStatus::Completed));
    let known = job.clone();
    let _ = job.advance(report(BatchStatus::InProgress));
    let _ = job.advance(report(BatchStatus::Stopped));
    assert_eq!(job, known);
}

#[test]
fn a_damaged_job_is_an_error_when_it_is_loaded() {
    let job = BatchJob::new(id("job1"), &planned(1, BatchFormat::OpenAi), NOW);
    let json = serde_json::to_value(&job).unwrap();
    let load = |json: Value| serde_json::from_value::<BatchJob>(json);
    assert_eq!(load(json.clone()).unwrap(), job);
    for (field, value) in [
        ("format_version", json!(2)),
        ("id", json!("no-id")),
        ("status", json!("COMPLETED")),
        ("model", json!("")),
    ] {
        let mut damaged = json.clone();
        damaged[field] = value;
        assert!(load(damaged).is_err(), "{field}");
    }
}
