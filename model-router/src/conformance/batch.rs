//! The suites of [`BatchJournal`] and [`BatchService`].

use jiff::Timestamp;

use crate::{
    BatchFormat, BatchJob, BatchJournal, BatchRecord, BatchService, BatchStatus, ChatRequest,
    JobId, ModelId, PlannedJob, Priority, RecordCounts, RecordId, Recorded,
};

/// Shows that the journals that `make` makes, each of them empty, remember jobs.
///
/// ```
/// use bursar_model_router::{MemoryBatchJournal, conformance};
///
/// futures_executor::block_on(conformance::batch_journal(async || MemoryBatchJournal::default()));
/// ```
///
/// # Panics
/// When a journal breaks the contract of [`BatchJournal`].
pub async fn batch_journal<J: BatchJournal>(make: impl AsyncFn() -> J) {
    a_job_comes_back_as_it_was(&make().await).await;
    recording_again_changes_nothing(&make().await).await;
    the_last_update_counts(&make().await).await;
    only_recorded_jobs_are_updated(&make().await).await;
    jobs_that_have_ended_are_finished(&make().await).await;
}

async fn a_job_comes_back_as_it_was(journal: &impl BatchJournal) {
    let mut job = job("rich");
    job.input = Some("s3://bucket/“rich”.jsonl".to_owned());
    job.message = Some("\u{2028}\n".to_owned());
    job.counts = Some(RecordCounts {
        total: u64::MAX,
        succeeded: 1,
        failed: 0,
    });
    assert_eq!(record(journal, &job).await, Recorded::New);
    assert_eq!(find(journal, &job.id).await, Some(job));
}

async fn recording_again_changes_nothing(journal: &impl BatchJournal) {
    let mut job = job("again");
    assert_eq!(record(journal, &job).await, Recorded::New);
    let fresh = job.clone();
    job.service_id = Some("arn".to_owned());
    journal.update(&job).await.expect("the journal works");
    let known = Recorded::Known(Box::new(job));
    assert_eq!(record(journal, &fresh).await, known);
}

async fn the_last_update_counts(journal: &impl BatchJournal) {
    let mut job = job("updated");
    assert_eq!(record(journal, &job).await, Recorded::New);
    for status in [BatchStatus::InProgress, BatchStatus::Stopping] {
        job.status = status;
        journal.update(&job).await.expect("the journal works");
    }
    assert_eq!(find(journal, &job.id).await, Some(job));
}

async fn only_recorded_jobs_are_updated(journal: &impl BatchJournal) {
    let job = job("unknown");
    assert!(journal.update(&job).await.is_err());
    assert_eq!(find(journal, &job.id).await, None);
}

async fn jobs_that_have_ended_are_finished(journal: &impl BatchJournal) {
    let mut open = Vec::new();
    for status in BatchStatus::ALL {
        let mut job = job(&format!("job{}", status as u8));
        job.status = status;
        assert_eq!(record(journal, &job).await, Recorded::New);
        if !status.is_final() {
            open.push(job);
        }
    }
    open.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(journal.unfinished().await.expect("the journal works"), open);
}

/// Shows that the services that `make` makes run jobs. Each has no jobs of the names of this suite yet.
///
/// # Panics
/// When a service breaks the contract of [`BatchService`].
pub async fn batch_service<S: BatchService>(make: impl AsyncFn() -> S) {
    a_created_job_is_found_by_its_token(&make().await).await;
    an_unknown_job_has_no_report(&make().await).await;
    a_stopped_job_stops(&make().await).await;
}

async fn a_created_job_is_found_by_its_token(service: &impl BatchService) {
    let (mut job, planned) = (job("found"), planned());
    assert_eq!(
        service.find(&job.id).await.expect("the service works"),
        None
    );
    let input = planned.to_jsonl().expect("the records can be written");
    job.input = Some(
        service
            .upload(&job, input)
            .await
            .expect("the service works"),
    );
    let service_id = service.create(&job).await.expect("the service works");
    let found = service.find(&job.id).await.expect("the service works");
    assert_eq!(found.as_ref(), Some(&service_id));
    let report = service
        .report(&service_id)
        .await
        .expect("the service works");
    assert_ne!(report.status, BatchStatus::Stopped);
}

async fn an_unknown_job_has_no_report(service: &impl BatchService) {
    assert!(service.report("unknown").await.is_err());
}

async fn a_stopped_job_stops(service: &impl BatchService) {
    let (mut job, planned) = (job("stopped"), planned());
    let input = planned.to_jsonl().expect("the records can be written");
    job.input = Some(
        service
            .upload(&job, input)
            .await
            .expect("the service works"),
    );
    let service_id = service.create(&job).await.expect("the service works");
    for _ in 0..2 {
        service.stop(&service_id).await.expect("the service works");
    }
    let report = service
        .report(&service_id)
        .await
        .expect("the service works");
    let stops = [BatchStatus::Stopping, BatchStatus::Stopped];
    assert!(stops.contains(&report.status), "{}", report.status);
}

fn job(id: &str) -> BatchJob {
    let id = JobId::new(id).expect("it is an identity");
    BatchJob::new(id, &planned(), Timestamp::constant(1_795_176_000, 0))
}

fn planned() -> PlannedJob {
    let model = ModelId::new("amazon.nova-lite-v1:0").expect("it is a name");
    let record = |number| BatchRecord {
        id: RecordId::from_random(number),
        model: model.clone(),
        request: ChatRequest::user("Summarize this ticket."),
    };
    PlannedJob {
        format: BatchFormat::BedrockConverse,
        priority: Priority::Normal,
        records: (0..100).map(record).collect(),
        model: model.clone(),
    }
}

async fn record(journal: &impl BatchJournal, job: &BatchJob) -> Recorded {
    journal.record(job).await.expect("the journal works")
}

async fn find(journal: &impl BatchJournal, id: &JobId) -> Option<BatchJob> {
    journal.find(id).await.expect("the journal works")
}
