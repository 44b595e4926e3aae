//! What does a provider take as a batch?

use std::collections::BTreeSet;

use super::BatchFormat;

/// How much a provider takes in one job. These are quotas that providers change and lift, so they are
/// data.
///
/// ```
/// use bursar_model_router::BatchLimits;
///
/// assert_eq!(BatchLimits::bedrock().min_records, 100);
/// assert_eq!(BatchLimits::openai().max_bytes, 200_000_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BatchLimits {
    /// The fewest records of a job.
    pub min_records: usize,
    /// The most records of a job.
    pub max_records: usize,
    /// The most bytes of a job's input file.
    pub max_bytes: u64,
    /// The most bytes of one record, if that is limited apart.
    pub max_record_bytes: Option<u64>,
    /// Where this stands, and when that was read.
    pub source: String,
}

impl BatchLimits {
    /// The quotas that most models have on Bedrock unless an account has others: at least 100 and at most
    /// 50,000 records in a job of one file of 1 GB.
    ///
    /// The size of a file is the same for all models and cannot be lifted; a job of several files, which the
    /// planner does not make, may have 5 GB for most. Both numbers of records are quotas of each model and region,
    /// and some can be lifted; ask Service Quotas for those of an account, `Minimum number of records per
    /// batch inference job` and `Records per input file per batch inference job`.
    #[must_use]
    pub fn bedrock() -> Self {
        Self {
            min_records: 100,
            max_records: 50_000,
            max_bytes: 1_000_000_000,
            max_record_bytes: None,
            source: "AWS General Reference, Amazon Bedrock endpoints and quotas, batch inference, \
                     https://docs.aws.amazon.com/general/latest/gr/bedrock.html, for the size; the numbers \
                     of records as gateways report the defaults; 2026-11-27"
                .to_owned(),
        }
    }

    /// The limits of OpenAI's Batch API: 50,000 requests in a file of 200 MB. It was 100 MB before, which
    /// endpoints that follow OpenAI may still have.
    #[must_use]
    pub fn openai() -> Self {
        Self {
            min_records: 1,
            max_records: 50_000,
            max_bytes: 200_000_000,
            max_record_bytes: None,
            source: "OpenAI API reference, create batch, \
                     https://platform.openai.com/docs/api-reference/batch/create; 2026-11-27"
                .to_owned(),
        }
    }
}

/// Whether something is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// It is.
    Supported,
    /// It is not.
    Unsupported,
}

/// How a model is offered as a batch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BatchOffer {
    /// The form of its files.
    pub format: BatchFormat,
    /// How much a job takes.
    pub limits: BatchLimits,
    /// In which regions; `None` where regions do not matter.
    pub regions: Option<BTreeSet<String>>,
    /// Whether records may have tools. Bedrock's jobs of the type Converse refuse each record that has.
    pub tools: Support,
}

impl BatchOffer {
    /// A model in these regions of Bedrock, in jobs of the type Converse.
    pub fn bedrock(regions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            format: BatchFormat::BedrockConverse,
            limits: BatchLimits::bedrock(),
            regions: Some(regions.into_iter().map(Into::into).collect()),
            tools: Support::Unsupported,
        }
    }

    /// A model of OpenAI.
    #[must_use]
    pub fn openai() -> Self {
        Self {
            format: BatchFormat::OpenAi,
            limits: BatchLimits::openai(),
            regions: None,
            tools: Support::Supported,
        }
    }

    /// With these limits, for an account whose quotas are others.
    #[must_use]
    pub fn limits(mut self, limits: BatchLimits) -> Self {
        self.limits = limits;
        self
    }
}
