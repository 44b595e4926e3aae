//! Is a request signed as it is sent, with what was written into its body?
//!
//! Signature Version 4 as the IAM user guide describes it, "Create a signed AWS API request", over what the
//! server has received. A stand-in for AWS checks no signatures.

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bursar_model_router::BatchService;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::batch::job;
use crate::server::Asked;
use crate::simulated_bedrock::SimulatedBedrock;

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn header<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.headers[name].to_str().unwrap()
}

/// The signature that the request should have.
fn signature(asked: &Asked, names: &str) -> String {
    let headers = names.split(';');
    let headers: String = headers
        .map(|name| format!("{name}:{}\n", header(asked, name).trim()))
        .collect();
    let (path, hashed) = (asked.uri.path(), hash(&asked.body));
    let canonical = format!("{}\n{path}\n\n{headers}\n{names}\n{hashed}", asked.method);

    let moment = header(asked, "x-amz-date");
    let (day, _) = moment.split_once('T').unwrap();
    let scope = format!("{day}/eu-west-1/bedrock/aws4_request");
    let hashed = hash(canonical.as_bytes());
    let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}");
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", moment).unwrap();
    let time = TimeZone::UTC.to_timestamp(time).unwrap().into();
    let key = generate_signing_key("secret", time, "eu-west-1", "bedrock");
    calculate_signature(key, to_sign.as_bytes())
}

#[tokio::test]
async fn the_type_of_a_job_is_a_part_of_what_is_signed() {
    let bedrock = SimulatedBedrock::default();
    let (server, service) = bedrock.start().await;
    let mut job = job("signed");
    job.input = Some("s3://tickets/x.jsonl".to_owned());
    service.create(&job).await.unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.json()["modelInvocationType"], "Converse");

    let authorization = header(&asked, "authorization");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(name).unwrap();
        rest.split(',').next().unwrap()
    };
    let names = part("SignedHeaders=");
    assert_eq!(part("Signature="), signature(&asked, names));
}
