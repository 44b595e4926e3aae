//! Files on the S3 and roles of the STS of `moto`, which knows more of their rules than ours does.
//!
//! `BURSAR_MOTO_URL` says where it runs, `http://127.0.0.1:5000`; without it the tests say that they were
//! skipped.

use std::fs;
use std::path::Path;
use std::process::Command;

use aws_config::BehaviorVersion;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use bursar_aws::{BedrockBatchService, BedrockBatchSettings, SdkConfig, http_client, load_config};
use bursar_model_router::{BatchService, JobId};

use crate::batch::{job, planned};
use crate::server::config;

const ROLE: &str = "arn:aws:iam::123456789012:role/batches";

/// Names the bucket to the test that is run in an environment of its own.
const BUCKET: &str = "BURSAR_TEST_BUCKET";

fn moto() -> Option<String> {
    match std::env::var("BURSAR_MOTO_URL") {
        Ok(url) if !url.is_empty() => Some(url),
        _ => {
            use std::io::Write as _;
            let message = b"SKIPPED: set BURSAR_MOTO_URL to the address of a moto server\n";
            // Straight to the terminal: the harness keeps what a passing test prints to itself.
            std::io::stderr().write_all(message).unwrap();
            None
        }
    }
}

/// A bucket of this name and process.
async fn bucket(config: &SdkConfig, name: &str) -> String {
    let bucket = format!("bursar-{name}-{}", std::process::id());
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    let create = Client::new(config).create_bucket().bucket(&bucket);
    let create = create.create_bucket_configuration(place);
    create.send().await.unwrap();
    bucket
}

fn service(config: &SdkConfig, bucket: &str) -> BedrockBatchService {
    let settings = BedrockBatchSettings::new(format!("s3://{bucket}/batches"), ROLE).unwrap();
    BedrockBatchService::new(config, settings)
}

async fn object(config: &SdkConfig, bucket: &str, key: &str) -> Vec<u8> {
    let get = Client::new(config).get_object().bucket(bucket).key(key);
    let body = get.send().await.unwrap().body.collect().await.unwrap();
    body.to_vec()
}

/// Where credentials of STS begin, and those of users do not.
async fn is_temporary(config: &SdkConfig) -> bool {
    let provider = config.credentials_provider().unwrap();
    let credentials = provider.provide_credentials().await.unwrap();
    credentials.access_key_id().starts_with("ASIA") && credentials.session_token().is_some()
}

#[tokio::test]
async fn files_go_to_s3_and_come_back() {
    let Some(url) = moto() else { return };
    let config = config(&url);
    let bucket = bucket(&config, "files").await;
    let service = service(&config, &bucket);
    let job = job(JobId::from_random(7).as_str());
    let input = planned().to_jsonl().unwrap();
    let uploaded = service.upload(&job, input.clone()).await.unwrap();
    let key = uploaded.strip_prefix(&format!("s3://{bucket}/")).unwrap();
    assert_eq!(object(&config, &bucket, key).await, input);

    assert_eq!(service.results(&job).await.unwrap(), b"");
    for (name, text) in [
        ("b.jsonl.out", "2\n"),
        ("a.jsonl.out", "1"),
        ("manifest.json.out", "0"),
    ] {
        let key = format!("batches/{}/output/abc/{name}", job.id);
        let put = Client::new(&config).put_object().bucket(&bucket).key(key);
        let put = put.body(text.as_bytes().to_vec().into());
        put.send().await.unwrap();
    }
    assert_eq!(service.results(&job).await.unwrap(), b"1\n2\n");
}

#[tokio::test]
async fn a_bucket_that_is_missing_is_a_refusal_that_names_it() {
    let Some(url) = moto() else { return };
    let service = service(&config(&url), "bursar-nowhere");
    let error = service.upload(&job("lost"), Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    let error = service.results(&job("lost")).await.unwrap_err();
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
}

#[tokio::test]
async fn a_role_of_another_account_may_be_taken_on() {
    let Some(url) = moto() else { return };
    // What has a clock, which credentials that expire need.
    let given = config(&url);
    let own = aws_config::defaults(BehaviorVersion::latest())
        .region(given.region().cloned())
        .endpoint_url(url)
        .credentials_provider(given.credentials_provider().unwrap())
        .http_client(http_client())
        .load()
        .await;
    let provider = AssumeRoleProvider::builder("arn:aws:iam::111122223333:role/uploads")
        .configure(&own)
        .session_name("bursar")
        .build()
        .await;
    let provider = SharedCredentialsProvider::new(provider);
    let taken_on = own.into_builder().credentials_provider(provider).build();
    assert!(is_temporary(&taken_on).await);
    let bucket = bucket(&taken_on, "role").await;
    let (service, job) = (service(&taken_on, &bucket), job("role"));
    let uploaded = service.upload(&job, b"{}".to_vec()).await.unwrap();
    let place = format!("s3://{bucket}/batches/role/input/role.jsonl");
    assert_eq!(uploaded, place);
}

/// As a pod of Kubernetes has them: a token in a file, a role, a region, and here the stand-in's address.
#[tokio::test]
async fn the_environment_says_who_and_where() {
    let Some(url) = moto() else { return };
    let config = config(&url);
    let bucket = bucket(&config, "environment").await;
    let token = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{bucket}-token"));
    fs::write(&token, "a token of whoever vouches for us").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "moto::as_the_environment_says", "--ignored"])
        .env_clear()
        .env("AWS_ENDPOINT_URL", &url)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .env(BUCKET, &bucket);
    let output = tokio::task::spawn_blocking(move || child.output()).await;
    let output = output.unwrap().unwrap();
    fs::remove_file(token).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    let key = "batches/environment/input/environment.jsonl";
    assert_eq!(object(&config, &bucket, key).await, b"{}");
}

#[tokio::test]
#[ignore = "the test above runs it, in an environment of its own"]
async fn as_the_environment_says() {
    let Ok(bucket) = std::env::var(BUCKET) else {
        return;
    };
    let config = load_config().await;
    assert!(is_temporary(&config).await);
    let service = service(&config, &bucket);
    let uploaded = service.upload(&job("environment"), b"{}".to_vec()).await;
    uploaded.unwrap();
}
