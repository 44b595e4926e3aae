//! How is a batch job run on Bedrock?

mod error;
mod settings;
mod wire;

use async_trait::async_trait;
use aws_sdk_bedrock::Client as Jobs;
use aws_sdk_bedrock::operation::list_model_invocation_jobs::ListModelInvocationJobsOutput;
use aws_sdk_bedrock::types::{
    ModelInvocationJobInputDataConfig as Input, ModelInvocationJobOutputDataConfig as Output,
    ModelInvocationJobS3InputDataConfig, ModelInvocationJobS3OutputDataConfig,
    ModelInvocationJobSummary, S3InputFormat, SortJobsBy, SortOrder,
};
use aws_sdk_s3::Client as Files;
use aws_sdk_s3::primitives::ByteStream;
use bursar_model_router::{
    BatchFormat, BatchJob, BatchService, BatchServiceError, BatchStatus, JobId, JobReport,
};

pub use self::settings::{BatchSettingsError, BedrockBatchSettings};
use self::wire::{Counts, as_converse};
use crate::SdkConfig;

/// Runs batch jobs on Amazon Bedrock, in the form of Converse, with their files on S3.
///
/// Each job has a folder of its own under the one of the settings: `JOB/input/JOB.jsonl` goes in, and
/// Bedrock writes into `JOB/output/`. Nothing is deleted; a lifecycle rule of the bucket does that.
///
/// Failures that may pass, such as throttling, are [`BatchServiceError::Unclear`], so that
/// [`BatchRunner::recover`](bursar_model_router::BatchRunner::recover) tries again. Creating is repeated
/// by the SDK as the configuration says; the token makes one job of it.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use bursar_aws::{BedrockBatchService, BedrockBatchSettings, load_config};
/// use bursar_model_router::{BatchRunner, MemoryBatchJournal};
///
/// # async fn begin() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = BedrockBatchSettings::new(
///     "s3://tickets/batches",
///     "arn:aws:iam::123456789012:role/batches",
/// )?;
/// let service = BedrockBatchService::new(&load_config().await, settings);
/// // A journal that outlives the process belongs here.
/// let journal = MemoryBatchJournal::default();
/// let runner = BatchRunner::new(Arc::new(service), Arc::new(journal));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BedrockBatchService {
    jobs: Jobs,
    files: Files,
    settings: BedrockBatchSettings,
}

impl BedrockBatchService {
    /// A service in the account and region of this configuration, where the bucket has to be too. Nothing
    /// is sent.
    #[must_use]
    pub fn new(config: &SdkConfig, settings: BedrockBatchSettings) -> Self {
        Self {
            jobs: Jobs::new(config),
            files: Files::new(config),
            settings,
        }
    }

    fn input_key(&self, id: &JobId) -> String {
        self.settings.key(&format!("{id}/input/{id}.jsonl"))
    }

    fn output_key(&self, id: &JobId) -> String {
        self.settings.key(&format!("{id}/output/"))
    }

    fn output(&self, id: &JobId) -> Result<Output, BatchServiceError> {
        let place = self.settings.uri(&self.output_key(id));
        let config = ModelInvocationJobS3OutputDataConfig::builder()
            .s3_uri(place)
            .set_s3_encryption_key_id(self.settings.encryption_key.clone())
            .set_s3_bucket_owner(self.settings.bucket_owner.clone());
        let config = config.build().map_err(BatchServiceError::unclear)?;
        Ok(Output::S3OutputDataConfig(config))
    }

    fn input(&self, place: &str) -> Result<Input, BatchServiceError> {
        let config = ModelInvocationJobS3InputDataConfig::builder()
            .s3_uri(place)
            .s3_input_format(S3InputFormat::Jsonl)
            .set_s3_bucket_owner(self.settings.bucket_owner.clone());
        let config = config.build().map_err(BatchServiceError::unclear)?;
        Ok(Input::S3InputDataConfig(config))
    }

    /// The names of the files of results: Bedrock makes a folder for each job, with one `.jsonl.out` for
    /// each input file and a manifest beside it.
    async fn result_keys(&self, id: &JobId) -> Result<Vec<String>, BatchServiceError> {
        let list = self.files.list_objects_v2().bucket(&self.settings.bucket);
        let list = list
            .prefix(self.output_key(id))
            .set_expected_bucket_owner(self.settings.bucket_owner.clone());
        let mut objects = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = objects.next().await {
            let page = page.map_err(error::of)?;
            let found = page.contents.unwrap_or_default().into_iter();
            let found = found.filter_map(|object| object.key);
            keys.extend(found.filter(|key| key.ends_with(".jsonl.out")));
        }
        keys.sort();
        Ok(keys)
    }

    async fn read(&self, key: &str) -> Result<Vec<u8>, BatchServiceError> {
        let get = self.files.get_object().bucket(&self.settings.bucket);
        let get = get
            .key(key)
            .set_expected_bucket_owner(self.settings.bucket_owner.clone());
        let object = get.send().await.map_err(error::of)?;
        let body = object.body.collect().await;
        Ok(body.map_err(BatchServiceError::unclear)?.to_vec())
    }

    async fn latest(
        &self,
        name: &str,
        next: Option<String>,
    ) -> Result<ListModelInvocationJobsOutput, BatchServiceError> {
        let list = self.jobs.list_model_invocation_jobs().name_contains(name);
        let list = list
            .sort_by(SortJobsBy::CreationTime)
            .sort_order(SortOrder::Descending)
            .set_next_token(next);
        list.send().await.map_err(error::of)
    }
}

#[async_trait]
impl BatchService for BedrockBatchService {
    async fn upload(&self, job: &BatchJob, input: Vec<u8>) -> Result<String, BatchServiceError> {
        let key = self.input_key(&job.id);
        let put = self.files.put_object().bucket(&self.settings.bucket);
        let put = put
            .key(&key)
            .content_type("application/jsonl")
            .set_expected_bucket_owner(self.settings.bucket_owner.clone())
            .body(ByteStream::from(input));
        put.send().await.map_err(error::of)?;
        Ok(self.settings.uri(&key))
    }

    async fn create(&self, job: &BatchJob) -> Result<String, BatchServiceError> {
        let place = checked(job)?;
        let hours = i32::try_from(job.timeout_hours).unwrap_or(i32::MAX);
        let create = self.jobs.create_model_invocation_job();
        let create = create
            .job_name(job_name(&job.id))
            .client_request_token(job.id.as_str())
            .role_arn(&self.settings.role_arn)
            .model_id(job.model.as_str())
            .input_data_config(self.input(place)?)
            .output_data_config(self.output(&job.id)?)
            .timeout_duration_in_hours(hours);
        let sent = create.customize().map_request(as_converse).send().await;
        Ok(sent.map_err(error::of)?.job_arn)
    }

    async fn find(&self, token: &JobId) -> Result<Option<String>, BatchServiceError> {
        let name = job_name(token);
        let mut next = None;
        loop {
            let page = self.latest(&name, next).await?;
            let jobs = page.invocation_job_summaries.unwrap_or_default();
            if let Some(job) = jobs.into_iter().find(|job| is_of(job, token, &name)) {
                return Ok(Some(job.job_arn));
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    async fn report(&self, service_id: &str) -> Result<JobReport, BatchServiceError> {
        let counts = Counts::default();
        let get = self.jobs.get_model_invocation_job();
        let get = get.job_identifier(service_id).customize();
        let sent = get.interceptor(counts.clone()).send().await;
        let job = sent.map_err(error::of)?;
        let status = job.status.as_ref().map_or("", |status| status.as_str());
        Ok(JobReport {
            status: BatchStatus::from_bedrock(status).map_err(BatchServiceError::unclear)?,
            counts: counts.read(),
            message: job.message,
        })
    }

    async fn stop(&self, service_id: &str) -> Result<(), BatchServiceError> {
        let stop = self.jobs.stop_model_invocation_job();
        let Err(error) = stop.job_identifier(service_id).send().await else {
            return Ok(());
        };
        // A job that has ended cannot be stopped, which Bedrock says as a ConflictException or as a
        // ValidationException (apache/airflow#48964); what the job is tells more than either.
        match self.report(service_id).await {
            Ok(job) if job.status.is_final() || job.status == BatchStatus::Stopping => Ok(()),
            _ => Err(error::of(error)),
        }
    }

    async fn results(&self, job: &BatchJob) -> Result<Vec<u8>, BatchServiceError> {
        let mut results = Vec::new();
        for key in self.result_keys(&job.id).await? {
            results.append(&mut self.read(&key).await?);
            // A file may end without the end of its last line.
            if results.last().is_some_and(|byte| *byte != b'\n') {
                results.push(b'\n');
            }
        }
        Ok(results)
    }
}

/// The hours that Bedrock takes: `ModelInvocationJobTimeoutDurationInHours`, botocore 1.44.5, read
/// 2026-11-27.
const HOURS: std::ops::RangeInclusive<u32> = 24..=168;

/// Where the job's input is, if the job can be created at all.
fn checked(job: &BatchJob) -> Result<&str, BatchServiceError> {
    let refused = |message: String| Err(BatchServiceError::refused(message));
    if job.format != BatchFormat::BedrockConverse {
        return refused(format!(
            "the job `{}` is not in the form of Bedrock; plan it with `BatchOffer::bedrock`",
            job.id
        ));
    }
    if !HOURS.contains(&job.timeout_hours) {
        return refused(format!(
            "a job cannot time out after {} hours; 24 to 168 will do",
            job.timeout_hours
        ));
    }
    match job.input.as_deref() {
        Some(place) => Ok(place),
        None => refused(format!(
            "the job `{}` has no input; upload it first",
            job.id
        )),
    }
}

/// What a job is called in the console and in lists: at most 63 characters, of which the first few say
/// whose it is.
fn job_name(id: &JobId) -> String {
    format!("bursar-{id:.56}")
}

/// Lists name the token; where one does not, the name has to tell, if the whole identity is in it.
fn is_of(job: &ModelInvocationJobSummary, token: &JobId, name: &str) -> bool {
    match job.client_request_token.as_deref() {
        Some(known) => known == token.as_str(),
        None => job.job_name == name && name.ends_with(token.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_what_bedrock_takes() {
        let long = JobId::new("a".repeat(64)).unwrap();
        assert_eq!(job_name(&long).len(), 63);
        let usual = JobId::from_random(7);
        assert_eq!(job_name(&usual), format!("bursar-{usual}"));
    }
}
