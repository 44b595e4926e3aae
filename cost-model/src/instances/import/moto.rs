//! Which types does EC2 have, and how large are they?

use std::borrow::Cow;
use std::num::NonZeroU32;

use serde_json::Value;

use super::ImportError;
use crate::instances::{Architecture, EbsLimits, InstanceType, NetworkLimits, aws_burst_credits};

/// The types of a list, and those that are not taken.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MotoTypes {
    /// Sizes and credits; prices and measurements are in other lists.
    pub instances: Vec<InstanceType>,
    /// What is not taken, and why.
    pub left_out: Vec<LeftOut>,
}

/// A type of a list that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Its name.
    pub instance: Box<str>,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why a type of a list is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftOutReason {
    /// It runs macOS on hosts that are let by the day.
    #[error("its architecture is neither x86_64 nor arm64")]
    Architecture,
    /// It is of a T family whose credits nobody has published in the table of AWS, so that what it
    /// can do all day is not known.
    #[error("its CPU is rationed, and its credits are not known")]
    UnknownCredits,
}

/// Reads `instance_types.json` or `instance_types.json.gz` of moto's folder `ec2/resources`: the
/// answers of EC2's `DescribeInstanceTypes` by name.
///
/// Where a type has several network cards, its network is what all of them have, and no more than
/// EC2 states for the type as a whole (“200 Gigabit” for the two cards of 200 each of a
/// `c6in.32xlarge`). Packing needs the feature `gzip`.
///
/// ```
/// use bursar_cost_model::instances::read_moto;
///
/// let list = r#"{"t3.micro": {
///     "BurstablePerformanceSupported": true, "CurrentGeneration": true,
///     "EbsInfo": {"EbsOptimizedInfo": {
///         "BaselineBandwidthInMbps": 87, "MaximumBandwidthInMbps": 2085,
///         "BaselineIops": 500, "MaximumIops": 11800}},
///     "MemoryInfo": {"SizeInMiB": 1024},
///     "NetworkInfo": {"NetworkPerformance": "Up to 5 Gigabit", "NetworkCards": [
///         {"BaselineBandwidthInGbps": 0.064, "PeakBandwidthInGbps": 5.0}]},
///     "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
///     "VCpuInfo": {"DefaultVCpus": 2}}}"#;
/// let types = read_moto(list.as_bytes())?;
/// let micro = &types.instances[0];
/// assert_eq!(micro.network.map(|it| it.baseline_mbps), Some(64));
/// assert_eq!(micro.burst.as_ref().map(|it| it.credit_cap), Some(288.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ImportError`], with the type and the value.
pub fn read_moto(bytes: &[u8]) -> Result<MotoTypes, ImportError> {
    let list: Value = serde_json::from_slice(&unpacked(bytes)?)?;
    let Value::Object(list) = list else {
        return Err(ImportError::Form("the types of moto are an object by name"));
    };
    let mut types = MotoTypes {
        instances: Vec::with_capacity(list.len()),
        left_out: Vec::new(),
    };
    for (name, entry) in &list {
        let entry = Entry { name, entry };
        match entry.instance()? {
            Ok(instance) => types.instances.push(instance),
            Err(reason) => types.left_out.push(LeftOut {
                instance: name.as_str().into(),
                reason,
            }),
        }
    }
    Ok(types)
}

/// The list of 5.2.5 has 5 MB; what unpacks to more than this is no such list.
#[cfg(feature = "gzip")]
const MAX_UNPACKED: u64 = 64 << 20;

#[cfg(feature = "gzip")]
fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ImportError> {
    use std::io::Read;

    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut unpacked = Vec::new();
    let decoder = flate2::read::MultiGzDecoder::new(bytes);
    decoder.take(MAX_UNPACKED).read_to_end(&mut unpacked)?;
    Ok(Cow::Owned(unpacked))
}

#[cfg(not(feature = "gzip"))]
fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ImportError> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(ImportError::Form(
            "the list is packed: use the feature `gzip` or unpack it",
        ));
    }
    Ok(Cow::Borrowed(bytes))
}

struct Entry<'a> {
    name: &'a str,
    entry: &'a Value,
}

impl Entry<'_> {
    fn instance(&self) -> Result<Result<InstanceType, LeftOutReason>, ImportError> {
        let Some(architecture) = self.architecture() else {
            return Ok(Err(LeftOutReason::Architecture));
        };
        let burst = aws_burst_credits(self.name);
        let says_burstable = self.entry["BurstablePerformanceSupported"] == true;
        if burst.is_none() && (says_burstable || is_of_t_family(self.name)) {
            return Ok(Err(LeftOutReason::UnknownCredits));
        }
        let vcpus = self.number("VCpuInfo", "DefaultVCpus")?;
        let vcpus = NonZeroU32::new(vcpus).ok_or_else(|| {
            ImportError::value(self.name, "DefaultVCpus", vcpus, "it is over zero")
        })?;
        let memory = self.number("MemoryInfo", "SizeInMiB")?;
        let mut instance = InstanceType::new(self.name, architecture, vcpus, memory.into());
        instance.network = self.network()?;
        instance.ebs = self.ebs()?;
        instance.burst = burst;
        instance.flex = instance.family().ends_with("-flex");
        instance.accelerated = self.is_accelerated();
        instance.current_generation = self.entry["CurrentGeneration"] == true;
        Ok(Ok(instance))
    }

    fn architecture(&self) -> Option<Architecture> {
        let all = self.entry["ProcessorInfo"]["SupportedArchitectures"].as_array();
        let mut names = all.into_iter().flatten().filter_map(Value::as_str);
        names.find_map(Architecture::named)
    }

    fn network(&self) -> Result<Option<NetworkLimits>, ImportError> {
        let network = &self.entry["NetworkInfo"];
        let cards = network["NetworkCards"].as_array();
        let Some(cards) = cards.filter(|cards| !cards.is_empty()) else {
            return Ok(None);
        };
        let (mut baseline, mut burst) = (0.0, 0.0);
        for card in cards {
            let both = (
                card["BaselineBandwidthInGbps"].as_f64(),
                card["PeakBandwidthInGbps"].as_f64(),
            );
            let (Some(card_baseline), Some(card_burst)) = both else {
                return Ok(None);
            };
            baseline += card_baseline;
            burst += card_burst;
        }
        if cards.len() > 1 {
            let stated = network["NetworkPerformance"].as_str().and_then(stated_gbps);
            let most = stated.unwrap_or(f64::INFINITY);
            (baseline, burst) = (most.min(baseline), most.min(burst));
        }
        Ok(Some(NetworkLimits {
            baseline_mbps: self.mbps("BaselineBandwidthInGbps", baseline)?,
            burst_mbps: self.mbps("PeakBandwidthInGbps", burst)?,
        }))
    }

    fn mbps(&self, field: &'static str, gbps: f64) -> Result<u32, ImportError> {
        let mbps = (gbps * 1000.0).round();
        if !(0.0..=f64::from(u32::MAX)).contains(&mbps) {
            return Err(ImportError::value(self.name, field, gbps, "no such speed"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked above"
        )]
        Ok(mbps as u32)
    }

    fn ebs(&self) -> Result<Option<EbsLimits>, ImportError> {
        if self.entry["EbsInfo"]["EbsOptimizedInfo"].is_null() {
            return Ok(None);
        }
        let number = |field| {
            let value = &self.entry["EbsInfo"]["EbsOptimizedInfo"][field];
            self.as_number(value, field)
        };
        Ok(Some(EbsLimits {
            baseline_mbps: number("BaselineBandwidthInMbps")?,
            maximum_mbps: number("MaximumBandwidthInMbps")?,
            baseline_iops: number("BaselineIops")?,
            maximum_iops: number("MaximumIops")?,
        }))
    }

    fn is_accelerated(&self) -> bool {
        const CARDS: [&str; 5] = [
            "GpuInfo",
            "NeuronInfo",
            "InferenceAcceleratorInfo",
            "FpgaInfo",
            "MediaAcceleratorInfo",
        ];
        CARDS.iter().any(|card| !self.entry[card].is_null())
    }

    fn number(&self, group: &str, field: &'static str) -> Result<u32, ImportError> {
        self.as_number(&self.entry[group][field], field)
    }

    fn as_number(&self, value: &Value, field: &'static str) -> Result<u32, ImportError> {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| ImportError::value(self.name, field, value, "a number belongs here"))
    }
}

/// `t1`, `t2`, `t8i` and what may follow them; not `trn1`.
fn is_of_t_family(name: &str) -> bool {
    let rest = name.strip_prefix('t');
    rest.is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// Gbit/s of “200 Gigabit”, “Up to 12.5 Gigabit” and “16x 100 Gigabit”; `None` of “High”.
fn stated_gbps(text: &str) -> Option<f64> {
    let text = text.strip_suffix(" Gigabit")?;
    let text = text.strip_prefix("Up to ").unwrap_or(text);
    let (times, each) = text.split_once("x ").unwrap_or(("1", text));
    let times: f64 = times.parse().ok()?;
    let each: f64 = each.parse().ok()?;
    Some(times * each)
}
