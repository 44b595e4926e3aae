//! Batch jobs from the first record to the last result.

use std::sync::Arc;

use bursar_aws::{BedrockBatchService, BedrockBatchSettings};
use bursar_model_router::{
    BatchError, BatchFormat, BatchJob, BatchJournal, BatchRecord, BatchRunner, BatchService,
    BatchServiceError, BatchStatus, ChatRequest, JobId, MemoryBatchJournal, ModelId, PlannedJob,
    Priority, RecordCounts, RecordId, Recorded, Recovered, conformance,
};
use jiff::Timestamp;
use serde_json::json;

use crate::server::{Answer, Server, config};
use crate::simulated_bedrock::SimulatedBedrock;

const NOW: Timestamp = Timestamp::constant(1_795_176_000, 0);

pub(crate) fn planned() -> PlannedJob {
    let model = ModelId::new("eu.amazon.nova-lite-v1:0").unwrap();
    let record = |number: u128| BatchRecord {
        id: RecordId::from_random(number),
        model: model.clone(),
        request: ChatRequest::user(format!("Summarize ticket {number}.")),
    };
    PlannedJob {
        format: BatchFormat::BedrockConverse,
        priority: Priority::Normal,
        records: (0..3).map(record).collect(),
        model: model.clone(),
    }
}

pub(crate) fn job(id: &str) -> BatchJob {
    BatchJob::new(JobId::new(id).unwrap(), &planned(), NOW)
}

fn settings() -> BedrockBatchSettings {
    BedrockBatchSettings::new("s3://tickets", "arn:aws:iam::123456789012:role/batches").unwrap()
}

/// A line as Bedrock writes it.
fn result(number: u128, text: &str) -> String {
    let line = json!({
        "recordId": RecordId::from_random(number),
        "modelInput": {},
        "modelOutput": {
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11},
        },
    });
    line.to_string()
}

fn failure(number: u128, code: u16) -> String {
    let error = json!({"errorCode": code, "errorMessage": "too busy"});
    json!({"recordId": RecordId::from_random(number), "modelInput": {}, "error": error}).to_string()
}

#[tokio::test]
async fn the_service_keeps_the_contract_of_its_port() {
    conformance::batch_service(async || SimulatedBedrock::default().start().await.1).await;
    let forgetful = async || {
        let bedrock = SimulatedBedrock::default().forgetting_tokens();
        bedrock.start().await.1
    };
    conformance::batch_service(forgetful).await;
}

#[tokio::test]
async fn a_job_goes_from_its_records_to_its_results() {
    let bedrock = SimulatedBedrock::default();
    let (_server, service) = bedrock.start().await;
    let journal = Arc::new(MemoryBatchJournal::default());
    let runner = BatchRunner::new(Arc::new(service), journal);
    let planned = planned();
    let id = JobId::new("tickets1").unwrap();
    let mut job = runner.submit(&planned, id, NOW).await.unwrap();

    let input = bedrock.object("tickets/batches/tickets1/input/tickets1.jsonl");
    assert_eq!(input, Some(planned.to_jsonl().unwrap()));
    let arn = job.service_id.clone().unwrap();
    let mut created = bedrock.job(&arn);
    for name in ["jobArn", "status", "submitTime"] {
        created.as_object_mut().unwrap().remove(name);
    }
    let expected = json!({
        "jobName": "bursar-tickets1",
        "clientRequestToken": "tickets1",
        "roleArn": "arn:aws:iam::123456789012:role/batches",
        "modelId": "eu.amazon.nova-lite-v1:0",
        "modelInvocationType": "Converse",
        "timeoutDurationInHours": 24,
        "inputDataConfig": {"s3InputDataConfig": {
            "s3InputFormat": "JSONL",
            "s3Uri": "s3://tickets/batches/tickets1/input/tickets1.jsonl",
        }},
        "outputDataConfig": {"s3OutputDataConfig": {
            "s3Uri": "s3://tickets/batches/tickets1/output/",
        }},
    });
    assert_eq!(created, expected);

    let progress = json!({
        "status": "PartiallyCompleted", "message": "one record failed",
        "totalRecordCount": 3, "processedRecordCount": 2,
        "successRecordCount": 1, "errorRecordCount": 1,
    });
    bedrock.describe(&arn, &progress);
    let status = runner.poll(&mut job).await.unwrap();
    assert_eq!(status, BatchStatus::PartiallyCompleted);
    let counts = RecordCounts {
        total: 3,
        succeeded: 1,
        failed: 1,
    };
    assert_eq!(job.counts, Some(counts));
    assert_eq!(job.message.as_deref(), Some("one record failed"));

    let folder = "tickets/batches/tickets1/output/000000000000";
    let out = |name: &str| format!("{folder}/{name}");
    // Out of order, in two files of which the first lacks the end of its line.
    bedrock.put(&out("tickets1.jsonl.out"), failure(2, 503));
    bedrock.put(&out("tickets2.jsonl.out"), result(0, "Printer."));
    bedrock.put(&out("manifest.json.out"), r#"{"totalRecordCount":3}"#);
    bedrock.put(
        "tickets/batches/tickets10/output/1/x.jsonl.out",
        "another job's",
    );
    let collected = runner.collect(&job, &planned).await.unwrap();
    assert_eq!(collected.unread, []);
    let rest: Vec<_> = collected
        .rest(&planned)
        .into_iter()
        .map(|it| it.id)
        .collect();
    assert_eq!(rest, [RecordId::from_random(1), RecordId::from_random(2)]);
}

/// Each end that a job may have, with what it has written until then.
#[tokio::test]
async fn every_end_of_a_job_gives_what_it_has_and_the_rest_again() {
    let record = RecordId::from_random;
    for (end, lines, answered, rest) in [
        (
            "Completed",
            vec![result(2, "C"), result(0, "A"), result(1, "B")],
            vec![0, 1, 2],
            vec![],
        ),
        (
            "PartiallyCompleted",
            vec![failure(1, 429), result(0, "A"), failure(2, 400)],
            vec![0],
            vec![1],
        ),
        ("Expired", vec![result(1, "B")], vec![1], vec![0, 2]),
        ("Stopped", vec![result(2, "C")], vec![2], vec![0, 1]),
        ("Failed", vec![], vec![], vec![0, 1, 2]),
    ] {
        let bedrock = SimulatedBedrock::default();
        let (_server, service) = bedrock.start().await;
        let runner = BatchRunner::new(Arc::new(service), Arc::new(MemoryBatchJournal::default()));
        let planned = planned();
        let id = JobId::new("ends").unwrap();
        let mut job = runner.submit(&planned, id, NOW).await.unwrap();
        let arn = job.service_id.clone().unwrap();
        bedrock.describe(&arn, &json!({"status": end}));
        runner.poll(&mut job).await.unwrap();
        if !lines.is_empty() {
            let place = "tickets/batches/ends/output/000000000000/ends.jsonl.out";
            bedrock.put(place, lines.join("\n"));
        }
        let collected = runner.collect(&job, &planned).await.unwrap();
        let ids: Vec<_> = collected.answers.keys().cloned().collect();
        let expected: Vec<_> = answered.into_iter().map(record).collect();
        assert_eq!(ids, expected, "{end}");
        let again = collected.rest(&planned).into_iter().map(|record| record.id);
        let expected: Vec<_> = rest.into_iter().map(record).collect();
        assert_eq!(again.collect::<Vec<_>>(), expected, "{end}");
        assert!(collected.unread.is_empty() && collected.foreign.is_empty());
    }
}

/// The process dies when Bedrock has the job and the journal has not heard of it.
#[tokio::test]
async fn a_crash_between_create_and_save_creates_no_second_job() {
    for bedrock in [
        SimulatedBedrock::default(),
        SimulatedBedrock::default().forgetting_tokens(),
    ] {
        let (_server, service) = bedrock.start().await;
        let service = Arc::new(service);
        let journal = Arc::new(MemoryBatchJournal::default());
        let mut job = job("crashed");
        assert_eq!(journal.record(&job).await.unwrap(), Recorded::New);
        let input = planned().to_jsonl().unwrap();
        job.input = Some(service.upload(&job, input).await.unwrap());
        journal.update(&job).await.unwrap();
        let arn = service.create(&job).await.unwrap();

        let runner = BatchRunner::new(service, journal.clone());
        let recovered = runner.recover().await.unwrap();
        let [Recovered::Found(found)] = recovered.as_slice() else {
            panic!("{recovered:?}");
        };
        assert_eq!(found.service_id.as_deref(), Some(arn.as_str()));
        let submitted = runner.submit(&planned(), job.id, NOW).await.unwrap();
        assert_eq!(submitted.service_id.as_deref(), Some(arn.as_str()));
        assert_eq!(bedrock.n_jobs(), 1);
        assert!(runner.recover().await.unwrap().is_empty());
    }
}

/// The answer to the creation is lost on its way, and the SDK does not ask again.
#[tokio::test]
async fn a_creation_that_may_have_been_done_is_found_out_later() {
    let bedrock = SimulatedBedrock::default();
    let (_server, service) = bedrock.losing_the_next_creation().start().await;
    let journal = Arc::new(MemoryBatchJournal::default());
    let runner = BatchRunner::new(Arc::new(service), journal);
    let id = JobId::new("lost").unwrap();
    let lost = runner.submit(&planned(), id.clone(), NOW).await;
    let unclear = matches!(
        lost,
        Err(BatchError::Service(BatchServiceError::Unclear { .. }))
    );
    assert!(unclear, "{lost:?}");
    let job = runner.submit(&planned(), id, NOW).await.unwrap();
    assert!(job.service_id.is_some());
    assert_eq!(bedrock.n_jobs(), 1);
}

#[tokio::test]
async fn a_job_that_has_ended_stays_as_it_is_when_it_is_stopped() {
    let bedrock = SimulatedBedrock::default();
    let (_server, service) = bedrock.start().await;
    let mut job = job("ended");
    job.input = Some("s3://tickets/x.jsonl".to_owned());
    let arn = service.create(&job).await.unwrap();
    bedrock.describe(&arn, &json!({"status": "Completed"}));
    service.stop(&arn).await.unwrap();
    assert_eq!(bedrock.job(&arn)["status"], "Completed");
    let unknown = service.stop("unknown").await;
    assert!(
        matches!(unknown, Err(BatchServiceError::Refused { .. })),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn creating_twice_makes_one_job() {
    let bedrock = SimulatedBedrock::default();
    let (_server, service) = bedrock.start().await;
    let mut job = job("twice");
    job.input = Some("s3://tickets/batches/twice/input/twice.jsonl".to_owned());
    let first = service.create(&job).await.unwrap();
    assert_eq!(service.create(&job).await.unwrap(), first);
    assert_eq!(bedrock.n_jobs(), 1);
}

#[tokio::test]
async fn a_job_is_found_among_those_with_longer_names() {
    let bedrock = SimulatedBedrock::default().forgetting_tokens();
    let (_server, service) = bedrock.start().await;
    let mut arns = Vec::new();
    for id in ["a", "ab", "abc"] {
        let mut job = job(id);
        job.input = Some("s3://tickets/x.jsonl".to_owned());
        arns.push(service.create(&job).await.unwrap());
    }
    for (id, arn) in ["a", "ab", "abc"].into_iter().zip(arns) {
        let found = service.find(&JobId::new(id).unwrap()).await.unwrap();
        assert_eq!(found, Some(arn), "{id}");
    }
    assert_eq!(service.find(&JobId::new("b").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn every_state_of_bedrock_is_reported_and_an_unknown_one_is_no_state() {
    let bedrock = SimulatedBedrock::default();
    let (_server, service) = bedrock.start().await;
    let mut job = job("states");
    job.input = Some("s3://tickets/x.jsonl".to_owned());
    let arn = service.create(&job).await.unwrap();
    for name in [
        "Submitted",
        "Validating",
        "Scheduled",
        "InProgress",
        "Completed",
        "PartiallyCompleted",
        "Failed",
        "Stopping",
        "Stopped",
        "Expired",
    ] {
        bedrock.describe(&arn, &json!({"status": name}));
        let report = service.report(&arn).await.unwrap();
        assert_eq!(Ok(report.status), BatchStatus::from_bedrock(name));
        assert_eq!(report.counts, None);
    }
    bedrock.describe(&arn, &json!({"status": "Bored"}));
    let unknown = service.report(&arn).await.unwrap_err();
    assert!(unknown.to_string().contains("`Bored`"), "{unknown}");
}

#[tokio::test]
async fn a_job_that_has_written_nothing_has_no_results() {
    let (_server, service) = SimulatedBedrock::default().start().await;
    assert_eq!(service.results(&job("silent")).await.unwrap(), b"");
}

#[tokio::test]
async fn what_bedrock_cannot_run_is_refused_before_it_is_asked() {
    let bedrock = SimulatedBedrock::default();
    let (server, service) = bedrock.start().await;
    let ready = || {
        let mut job = job("ready");
        job.input = Some("s3://tickets/x.jsonl".to_owned());
        job
    };
    let mut other_form = ready();
    other_form.format = BatchFormat::OpenAi;
    for job in [
        job("empty"),
        ready().timeout_hours(23),
        ready().timeout_hours(169),
        other_form,
    ] {
        let refused = service.create(&job).await;
        assert!(
            matches!(refused, Err(BatchServiceError::Refused { .. })),
            "{refused:?}"
        );
    }
    assert!(server.asked().is_empty());
    assert!(service.create(&ready().timeout_hours(168)).await.is_ok());
}

#[tokio::test]
async fn what_may_pass_is_unclear_and_what_will_not_is_refused() {
    for (status, name, is_refused) in [
        (400, "ValidationException", true),
        (403, "AccessDeniedException", true),
        (404, "ResourceNotFoundException", true),
        (400, "ConflictException", false),
        (400, "ServiceQuotaExceededException", false),
        (429, "ThrottlingException", false),
        (403, "ExpiredTokenException", false),
        (500, "InternalServerException", false),
    ] {
        let server = Server::saying(Answer::exception(status, name, "said why")).await;
        let retries = aws_config::retry::RetryConfig::disabled();
        let config = server.config().into_builder().retry_config(retries).build();
        let service = BedrockBatchService::new(&config, settings());
        let error = service.report("arn").await.unwrap_err();
        let refused = matches!(&error, BatchServiceError::Refused { message } if message.contains("said why"));
        assert_eq!(refused, is_refused, "{name}: {error:?}");
    }
    let service = BedrockBatchService::new(&config("http://127.0.0.1:1"), settings());
    let error = service.upload(&job("lost"), Vec::new()).await.unwrap_err();
    assert!(
        matches!(error, BatchServiceError::Unclear { .. }),
        "{error:?}"
    );
}
