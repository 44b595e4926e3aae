//! Batch jobs of Bedrock and the part of S3 that they need, in memory and in the documented formats.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use axum::http::Method;
use bursar_aws::{BedrockBatchService, BedrockBatchSettings};
use serde_json::{Value, json};

use crate::server::{Answer, Asked, Server};

const FOLDER: &str = "s3://tickets/batches";
const ROLE: &str = "arn:aws:iam::123456789012:role/batches";

#[derive(Clone, Default)]
pub(crate) struct SimulatedBedrock {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By `BUCKET/KEY`.
    objects: BTreeMap<String, Vec<u8>>,
    /// Descriptions, by ARN, in the order of creation.
    jobs: Vec<(String, Value)>,
    forgets_tokens: bool,
    loses_next: bool,
}

impl SimulatedBedrock {
    /// Lists that do not name the tokens of jobs, which are optional there.
    pub(crate) fn forgetting_tokens(self) -> Self {
        self.state.lock().unwrap().forgets_tokens = true;
        self
    }

    /// The next job is created, and the caller told of an error.
    pub(crate) fn losing_the_next_creation(&self) -> Self {
        self.state.lock().unwrap().loses_next = true;
        self.clone()
    }

    pub(crate) async fn start(&self) -> (Server, BedrockBatchService) {
        let this = self.clone();
        let server = Server::start(move |asked| this.respond(asked)).await;
        let settings = BedrockBatchSettings::new(FOLDER, ROLE).unwrap();
        let retries = RetryConfig::disabled();
        let config = server.config().into_builder().retry_config(retries).build();
        let service = BedrockBatchService::new(&config, settings);
        (server, service)
    }

    pub(crate) fn object(&self, place: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().objects.get(place).cloned()
    }

    pub(crate) fn put(&self, place: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state.lock().unwrap();
        state.objects.insert(place.to_owned(), bytes.into());
    }

    pub(crate) fn job(&self, arn: &str) -> Value {
        let state = self.state.lock().unwrap();
        let job = state.jobs.iter().find(|(known, _)| known == arn);
        job.unwrap().1.clone()
    }

    /// Changes a job's description.
    pub(crate) fn describe(&self, arn: &str, members: &Value) {
        let mut state = self.state.lock().unwrap();
        let mut jobs = state.jobs.iter_mut();
        let (_, job) = jobs.find(|(known, _)| known == arn).unwrap();
        for (name, value) in members.as_object().unwrap() {
            job[name] = value.clone();
        }
    }

    pub(crate) fn n_jobs(&self) -> usize {
        self.state.lock().unwrap().jobs.len()
    }

    fn respond(&self, asked: &Asked) -> Answer {
        let mut state = self.state.lock().unwrap();
        let path = asked.path();
        match path.strip_prefix("/model-invocation-job") {
            Some("") => state.create(asked.json()),
            Some("s") => state.list(asked),
            Some(path) => {
                let path = path.trim_start_matches('/');
                match path.strip_suffix("/stop") {
                    Some(arn) => state.stop(arn),
                    None => state.get(path),
                }
            }
            None => state.file(asked, path.trim_start_matches('/')),
        }
    }
}

fn invalid(message: &str) -> Answer {
    Answer::exception(400, "ValidationException", message)
}

impl State {
    fn create(&mut self, mut request: Value) -> Answer {
        let token = request["clientRequestToken"].clone();
        let mut jobs = self.jobs.iter();
        if let Some((arn, _)) = jobs.find(|(_, job)| job["clientRequestToken"] == token) {
            return Answer::json(&json!({"jobArn": arn}));
        }
        let number = self.jobs.len();
        let arn =
            format!("arn:aws:bedrock:eu-west-1:123456789012:model-invocation-job/{number:012}");
        request["jobArn"] = json!(arn);
        request["status"] = json!("Submitted");
        request["submitTime"] = json!("2026-11-27T20:00:00Z");
        self.jobs.push((arn.clone(), request));
        if std::mem::take(&mut self.loses_next) {
            return Answer::exception(500, "InternalServerException", "sorry");
        }
        Answer::json(&json!({"jobArn": arn}))
    }

    /// One job on each page, the latest first.
    fn list(&self, asked: &Asked) -> Answer {
        let part = asked.parameter("nameContains").unwrap_or_default();
        let next = asked.parameter("nextToken").unwrap_or_default();
        let place = next.parse().unwrap_or(0);
        let mut jobs: Vec<Value> = self.jobs.iter().rev().map(|(_, job)| job.clone()).collect();
        jobs.retain(|job| job["jobName"].as_str().unwrap().contains(&part));
        if self.forgets_tokens {
            for job in &mut jobs {
                job.as_object_mut().unwrap().remove("clientRequestToken");
            }
        }
        let page: Vec<_> = jobs.iter().skip(place).take(1).collect();
        let mut answer = json!({"invocationJobSummaries": page});
        if place + 1 < jobs.len() {
            answer["nextToken"] = json!((place + 1).to_string());
        }
        Answer::json(&answer)
    }

    fn get(&self, arn: &str) -> Answer {
        match self.jobs.iter().find(|(known, _)| known == arn) {
            Some((_, job)) => Answer::json(job),
            None => invalid("The provided ARN is invalid."),
        }
    }

    fn stop(&mut self, arn: &str) -> Answer {
        let Some((_, job)) = self.jobs.iter_mut().find(|(known, _)| known == arn) else {
            return invalid("The provided ARN is invalid.");
        };
        if job["status"] != "Submitted" && job["status"] != "InProgress" {
            return Answer::exception(400, "ConflictException", "it cannot be stopped");
        }
        job["status"] = json!("Stopping");
        Answer::json(&json!({}))
    }

    fn file(&mut self, asked: &Asked, place: &str) -> Answer {
        if asked.method == Method::PUT {
            self.objects.insert(place.to_owned(), asked.body.to_vec());
            return Answer::new(200, "").header("etag", "\"0\"");
        }
        if asked.parameter("list-type").is_some() {
            return self.list_files(asked, place.trim_end_matches('/'));
        }
        match self.objects.get(place) {
            Some(bytes) => Answer::new(200, bytes.clone()),
            None => Answer::new(
                404,
                "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>",
            ),
        }
    }

    /// One object on each page.
    fn list_files(&self, asked: &Asked, bucket: &str) -> Answer {
        let prefix = asked.parameter("prefix").unwrap_or_default();
        let after = asked.parameter("continuation-token").unwrap_or_default();
        let keys = self.objects.keys();
        let keys = keys.filter_map(|place| place.strip_prefix(bucket)?.strip_prefix('/'));
        let mut keys = keys.filter(|key| key.starts_with(&prefix) && **key > *after);
        let (first, more) = (keys.next(), keys.next().is_some());
        let contents = first.map_or_else(String::new, |key| {
            format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>")
        });
        let next = match (first, more) {
            (Some(key), true) => format!("<NextContinuationToken>{key}</NextContinuationToken>"),
            _ => String::new(),
        };
        Answer::new(
            200,
            format!(
                "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>{bucket}</Name><IsTruncated>{more}</IsTruncated>{next}{contents}\
                 </ListBucketResult>"
            ),
        )
        .header("content-type", "application/xml")
    }
}
