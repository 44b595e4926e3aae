//! What does a file say about an account?

use std::path::Path;

use anyhow::Context as _;
use bursar_cost_model::storage::{
    Bucket, LifecycleRule, LogFolder, ObjectGroup, StorageInputs, Volume,
};
use bursar_cost_model::{Percent, VolumeInventory, VolumePerformance, VolumeType};
use jiff::civil::Date;
use serde::Deserialize;

/// The account without a file.
const SHIPPED: &str = include_str!("../data/storage_account.json");

/// An account as a file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    #[serde(default)]
    volumes: Vec<DescribedVolume>,
    #[serde(default)]
    buckets: Vec<DescribedBucket>,
    #[serde(default)]
    log_folders: Vec<LogFolder>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribedVolume {
    id: String,
    #[serde(rename = "type")]
    volume_type: VolumeType,
    size_gib: u32,
    /// In percent, by the agent's metrics.
    used: Option<f64>,
    provisioned: Option<VolumePerformance>,
    attached: Option<bool>,
    #[serde(default)]
    modifications_in_24h: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribedBucket {
    name: String,
    #[serde(default)]
    lifecycle: Vec<LifecycleRule>,
    #[serde(default)]
    groups: Vec<ObjectGroup>,
    incomplete_upload_bytes: Option<u64>,
}

impl Account {
    /// The account that comes with this example.
    pub(crate) fn shipped() -> anyhow::Result<Self> {
        serde_json::from_str(SHIPPED).context("the account of the example")
    }

    /// The account in a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} describes no account"))
    }

    /// What a plan is made of, at the prices of us-east-1.
    pub(crate) fn inputs(self, today: Date) -> anyhow::Result<StorageInputs> {
        let mut inputs = StorageInputs::new(today);
        for volume in self.volumes {
            inputs.volumes.push(volume.volume()?);
        }
        inputs.buckets = self
            .buckets
            .into_iter()
            .map(DescribedBucket::bucket)
            .collect();
        inputs.log_folders = self.log_folders;
        Ok(inputs)
    }
}

impl DescribedVolume {
    fn volume(self) -> anyhow::Result<Volume> {
        let mut inventory = VolumeInventory::new(self.volume_type, self.size_gib);
        inventory.attached = self.attached;
        let used = self.used.map(Percent::new).transpose();
        let used = used.with_context(|| format!("the used share of volume `{}`", self.id))?;
        let mut volume = Volume::new(self.id, inventory);
        volume.used = used;
        volume.provisioned = self.provisioned;
        volume.modifications_in_24h = self.modifications_in_24h;
        Ok(volume)
    }
}

impl DescribedBucket {
    fn bucket(self) -> Bucket {
        let mut bucket = Bucket::new(self.name);
        bucket.lifecycle = self.lifecycle;
        bucket.groups = self.groups;
        bucket.incomplete_upload_bytes = self.incomplete_upload_bytes;
        bucket
    }
}
