//! What kind of line is a charge, as far as savings are concerned?
//!
//! The service decides first, and settles most rows by one lookup. Rows of the few services
//! that matter are told apart by their meter (`SkuMeter` or the provider's usage type), their
//! description, unit and resource type; each combination is looked at once and remembered.
//! Where AWS's usage type tells by itself, as it mostly does, nothing else is read.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::{ComputeFamily, VolumeType};
use crate::intern::Interner;
use crate::{Column, CostRecord};

/// What a charge pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing that an opportunity is looked for in.
    Other,
    /// Machines by time.
    Compute(ComputeFamily),
    /// Provisioned gigabytes of a block volume.
    Volume(VolumeType),
    /// Provisioned IOPS and throughput, and requests, of block volumes.
    VolumePerformance,
    /// Stored snapshots of block volumes.
    Snapshot,
    /// Objects kept in the standard class.
    ObjectStorage,
    /// A public address that nothing uses.
    IdleAddress,
    /// A load balancer's time.
    BalancerHours,
    /// What a load balancer did.
    BalancerUse,
    /// Model calls answered at once and paid by the token.
    LlmOnDemand,
    /// Model calls in batches.
    LlmBatch,
}

/// Columns under which exports keep the provider's usage type.
const USAGE_TYPE_COLUMNS: [&str; 4] = [
    "x_UsageType",
    "lineItem/UsageType",
    "line_item_usage_type",
    "lineitem_usagetype",
];

/// More combinations than any bill of the services concerned has been seen to have; past it,
/// new ones are looked at again each time.
const MAX_REMEMBERED: usize = 1 << 16;

/// Tells lines apart, and remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    services: Interner,
    /// By the number of the service.
    kinds: Vec<Service>,
    /// `None` where the meter alone does not tell.
    known: HashTable<(Box<str>, Option<Line>)>,
    /// The combination at hand, in a buffer that is used again.
    key: String,
}

impl Lines {
    /// What the charge pays for.
    #[inline]
    pub(super) fn of(&mut self, record: &CostRecord<'_>) -> Line {
        let service = record.text(Column::ServiceName);
        let id = self.services.id(service) as usize;
        if id >= self.kinds.len() {
            // Numbers are given out one by one, so at most the absent service comes before.
            self.kinds.resize(id, Service::Irrelevant);
            self.kinds.push(Service::of(service.unwrap_or_default()));
        }
        match self.kinds[id] {
            Service::Irrelevant => Line::Other,
            service => self.of_details(service, record),
        }
    }

    fn of_details(&mut self, service: Service, record: &CostRecord<'_>) -> Line {
        let meter = meter(record);
        if let Some(meter) = meter.filter(|_| service.is_told_by_its_meter()) {
            self.key.clear();
            self.key.push(service.letter());
            self.key.push_str(meter);
            if let Some(line) = self.remembered(|_| aws_line(&Details::of_meter(meter))) {
                return line;
            }
        }
        self.key.clear();
        self.key.push(service.letter());
        for text in [
            record.text(Column::ServiceCategory),
            meter,
            record.text(Column::ChargeDescription),
            record.text(Column::PricingUnit),
            record.text(Column::ResourceType),
        ] {
            self.key.push('\n');
            self.key.push_str(text.unwrap_or_default());
        }
        let line = self.remembered(|key| Some(service.line(&Details::new(key))));
        line.unwrap_or(Line::Other)
    }

    /// What is known under the key at hand, or else what `tell` makes of it.
    fn remembered(&mut self, tell: impl Fn(&str) -> Option<Line>) -> Option<Line> {
        let Lines { known, key, .. } = self;
        // Fixed, so that two runs remember the same when there are too many.
        let hash = |text: &str| FixedState::default().hash_one(text);
        let hashed = hash(key);
        if let Some((_, line)) = known.find(hashed, |(text, _)| **text == **key) {
            return *line;
        }
        let line = tell(key);
        if known.len() < MAX_REMEMBERED {
            known.insert_unique(hashed, (key.as_str().into(), line), |(text, _)| hash(text));
        }
        line
    }
}

/// The name of what was metered: `SkuMeter`, or else the provider's usage type.
fn meter<'a>(record: &'a CostRecord<'_>) -> Option<&'a str> {
    record.text(Column::SkuMeter).or_else(|| {
        let usage_type = |(name, _): &(&str, &str)| USAGE_TYPE_COLUMNS.contains(name);
        record.extras().find(usage_type).map(|(_, value)| value)
    })
}

/// Whether the meter is one of AWS's `us-east-1`, which alone has no region before its name.
///
/// Read only for volumes of rows that state no region.
pub(super) fn is_meter_of_us_east_1(record: &CostRecord<'_>) -> bool {
    meter(record).is_some_and(|m| m.starts_with("EBS:") || m.starts_with("USE1-EBS:"))
}

/// The services in which opportunities are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Irrelevant,
    /// EC2, under which AWS bills instances, volumes, addresses and transfer.
    Ec2,
    /// What Cost Explorer calls everything of EC2 but its instances.
    Ec2Other,
    Ebs,
    Vpc,
    S3,
    Balancer,
    Containers,
    Lambda,
    AzureVm,
    ComputeEngine,
    /// Model calls and what belongs to them.
    Llm,
    /// Model calls among many other things, told by their meter.
    LlmAmongOthers,
}

impl Service {
    fn of(name: &str) -> Service {
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let is = |names: &[&str]| names.contains(&name.as_str());
        if is(&["ec2 - other", "ec2-other"]) {
            Service::Ec2Other
        } else if has(&["elastic block store", "amazonebs"]) || is(&["ebs", "amazon ebs"]) {
            Service::Ebs
        } else if has(&["virtual private cloud", "amazonvpc"]) || is(&["vpc", "amazon vpc"]) {
            Service::Vpc
        } else if has(&["elastic compute cloud", "ec2 - compute", "ec2-instances"])
            || is(&["ec2", "amazon ec2", "amazonec2"])
        {
            Service::Ec2
        } else if has(&["simple storage service"]) || is(&["amazons3", "amazon s3", "s3"]) {
            Service::S3
        } else if has(&["elastic load balancing", "awselb"]) {
            Service::Balancer
        } else if has(&[
            "elastic container service",
            "amazonecs",
            "amazoneks",
            "fargate",
        ]) || has(&["elastic kubernetes service"])
        {
            Service::Containers
        } else if has(&["aws lambda", "awslambda"]) {
            Service::Lambda
        } else if is(&["virtual machines"]) {
            Service::AzureVm
        } else if is(&["compute engine"]) {
            Service::ComputeEngine
        } else if has(&["bedrock", "openai", "gemini api", "generative language"]) {
            Service::Llm
        } else if has(&["vertex ai", "cognitive services", "azure ai", "foundry"]) {
            Service::LlmAmongOthers
        } else {
            Service::Irrelevant
        }
    }

    fn letter(self) -> char {
        match self {
            Service::Irrelevant => '-',
            Service::Ec2 => 'e',
            Service::Ec2Other => 'o',
            Service::Ebs => 'b',
            Service::Vpc => 'v',
            Service::S3 => 's',
            Service::Balancer => 'l',
            Service::Containers => 'c',
            Service::Lambda => 'f',
            Service::AzureVm => 'a',
            Service::ComputeEngine => 'g',
            Service::Llm => 'm',
            Service::LlmAmongOthers => 'n',
        }
    }

    /// Whether the usage types of AWS tell its lines apart; where they do, nothing else is read.
    fn is_told_by_its_meter(self) -> bool {
        matches!(
            self,
            Service::Ec2 | Service::Ec2Other | Service::Ebs | Service::Vpc
        )
    }

    fn line(self, details: &Details) -> Line {
        match self {
            Service::Irrelevant => Line::Other,
            Service::Ec2 | Service::Ec2Other | Service::Ebs | Service::Vpc => {
                aws_line(details).unwrap_or_else(|| self.line_without_a_telling_word(details))
            }
            Service::S3 => object_line(details),
            Service::Balancer => balancer_line(details).unwrap_or(Line::Other),
            Service::Containers if details.has(&["fargate"]) => {
                compute_unless_transfer(details, ComputeFamily::Fargate)
            }
            Service::Containers => Line::Other,
            Service::Lambda => lambda_line(details),
            Service::AzureVm => compute_unless_transfer(details, ComputeFamily::AzureVm),
            Service::ComputeEngine => compute_engine_line(details),
            Service::Llm => llm_line(details),
            Service::LlmAmongOthers if details.has(&TOKEN_WORDS) => llm_line(details),
            Service::LlmAmongOthers => Line::Other,
        }
    }

    /// What is left of the AWS services: a bill by service alone says no more than its name.
    fn line_without_a_telling_word(self, details: &Details) -> Line {
        let in_storage = details.category == "storage";
        match self {
            Service::Ebs => Line::Volume(volume_type(details)),
            Service::Ec2 if details.are_absent() && in_storage => Line::Volume(VolumeType::Unknown),
            Service::Ec2
                if details.are_absent() && matches!(&*details.category, "" | "compute") =>
            {
                Line::Compute(ComputeFamily::Ec2)
            }
            _ => Line::Other,
        }
    }
}

/// The texts of a line in lower case.
struct Details {
    category: String,
    meter: String,
    unit: String,
    resource_type: String,
    /// Meter, description, unit and resource type.
    all: String,
}

impl Details {
    fn new(key: &str) -> Details {
        let lower = key.to_lowercase();
        let mut parts = lower.splitn(6, '\n').skip(1);
        let mut next = || parts.next().unwrap_or_default();
        let (category, meter, description) = (next(), next(), next());
        let (unit, resource_type) = (next(), next());
        Details {
            category: category.to_owned(),
            meter: meter.to_owned(),
            unit: unit.to_owned(),
            resource_type: resource_type.to_owned(),
            all: [meter, description, unit, resource_type].join("\n"),
        }
    }

    /// The meter alone.
    fn of_meter(meter: &str) -> Details {
        let meter = meter.to_lowercase();
        Details {
            category: String::new(),
            unit: String::new(),
            resource_type: String::new(),
            all: meter.clone(),
            meter,
        }
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.all.contains(word))
    }

    /// Whether the row says nothing of what was metered.
    fn are_absent(&self) -> bool {
        self.all.trim_matches('\n').is_empty()
    }
}

/// Words of charges that stand beside instances under the same service.
const BESIDE_INSTANCES: [&str; 13] = [
    "datatransfer",
    "data transfer",
    "-bytes",
    "natgateway",
    "nat gateway",
    "ipv4",
    "elastic ip",
    "elasticip",
    "vpn",
    "endpoint",
    "cpucredits",
    "cpu credits",
    "monitor",
];

/// Words of instance hours: usage types, and what descriptions say.
const INSTANCE_WORDS: [&str; 8] = [
    "boxusage",
    "spotusage",
    "dedicatedusage",
    "heavyusage",
    "instance hour",
    "instance-hour",
    "instance usage",
    "on demand linux",
];

/// A line of EC2, EBS or VPC by the words that AWS uses: usage types and descriptions of its
/// price list.
fn aws_line(details: &Details) -> Option<Line> {
    if details.has(&[
        "idleaddress",
        "idle public ipv4",
        "elastic ip address not attached",
    ]) {
        return Some(Line::IdleAddress);
    }
    if details.has(&["snapshot"]) {
        return Some(Line::Snapshot);
    }
    if details.has(&["volumep-iops", "volumep-throughput", "volumeiousage"])
        || details.has(&["iops-mo", "mibps-mo", "i/o requests"])
    {
        return Some(Line::VolumePerformance);
    }
    if details.has(&["volumeusage", "provisioned storage"]) || details.resource_type == "volume" {
        return Some(Line::Volume(volume_type(details)));
    }
    if let Some(balancer) = balancer_line(details).filter(|_| details.has(&["loadbalancer", "lcu"]))
    {
        return Some(balancer);
    }
    if details.has(&BESIDE_INSTANCES) {
        return Some(Line::Other);
    }
    let instance = details.has(&INSTANCE_WORDS)
        || details.resource_type == "instance"
        || (details.category == "compute" && details.unit.contains("hour"))
        || (details.category == "compute" && details.unit == "hrs");
    instance.then_some(Line::Compute(ComputeFamily::Ec2))
}

fn volume_type(details: &Details) -> VolumeType {
    for (words, volume_type) in [
        (&["gp3"][..], VolumeType::Gp3),
        (&["gp2"], VolumeType::Gp2),
        (&["io2"], VolumeType::Io2),
        (&["piops", "io1"], VolumeType::Io1),
        (&["st1"], VolumeType::St1),
        (&["sc1"], VolumeType::Sc1),
        (&["magnetic"], VolumeType::Standard),
    ] {
        if details.has(words) {
            return volume_type;
        }
    }
    // The first kind of volume has no suffix in its usage type.
    if details.meter.ends_with("ebs:volumeusage") {
        VolumeType::Standard
    } else {
        VolumeType::Unknown
    }
}

/// Gigabytes of S3 Standard; the other classes have a word of theirs within the usage type or in
/// the description.
fn object_line(details: &Details) -> Line {
    let other_class = ["intelligent", "infrequent", "glacier", "archive", "express"];
    let stored = details.has(&["timedstorage-bytehrs", "/ month of storage used"]);
    if stored && !details.has(&other_class) {
        Line::ObjectStorage
    } else {
        Line::Other
    }
}

/// A line of a load balancer; `None` when nothing says which.
fn balancer_line(details: &Details) -> Option<Line> {
    if details.are_absent() {
        None
    } else if details.has(&[
        "loadbalancerusage",
        "loadbalancer-hour",
        "load balancer-hour",
        "loadbalancer hour",
    ]) {
        Some(Line::BalancerHours)
    } else {
        Some(Line::BalancerUse)
    }
}

fn compute_unless_transfer(details: &Details, family: ComputeFamily) -> Line {
    if details.has(&[
        "data transfer",
        "datatransfer",
        "bandwidth",
        "disk",
        "storage",
    ]) {
        Line::Other
    } else {
        Line::Compute(family)
    }
}

/// Savings Plans cover the duration of functions, not their requests.
fn lambda_line(details: &Details) -> Line {
    if details.has(&[
        "total compute",
        "gb-second",
        "provisioned-concurrency",
        "duration",
    ]) {
        Line::Compute(ComputeFamily::Lambda)
    } else {
        Line::Other
    }
}

fn compute_engine_line(details: &Details) -> Line {
    let beside = [
        "pd capacity",
        "network",
        "egress",
        "licen",
        "snapshot",
        "ip charge",
        "image",
    ];
    if details.has(&beside) {
        Line::Other
    } else if details.are_absent() || details.has(&["core", "ram", "instance", "gpu"]) {
        Line::Compute(ComputeFamily::ComputeEngine)
    } else {
        Line::Other
    }
}

/// Words of inference among other services of a platform.
const TOKEN_WORDS: [&str; 6] = ["token", "character", "gpt", "gemini", "claude", "openai"];

/// Words of what belongs to models and is not a call that could be batched.
const NO_CALLS: [&str; 13] = [
    "provisioned",
    "ptu",
    "modelunit",
    "customization",
    "training",
    "fine-tun",
    "finetun",
    "storage",
    "hosting",
    "guardrail",
    "knowledge",
    "reserved",
    "commitment",
];

fn llm_line(details: &Details) -> Line {
    if details.has(&NO_CALLS) {
        Line::Other
    } else if details.has(&["batch"]) {
        Line::LlmBatch
    } else {
        Line::LlmOnDemand
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bursar_units::Currency;

    fn check(service: &str, category: &str, meter: &str, description: &str, expected: Line) {
        let mut record = CostRecord::new(Currency::USD);
        record.set(Column::ServiceName, service);
        for (column, value) in [
            (Column::ServiceCategory, category),
            (Column::SkuMeter, meter),
            (Column::ChargeDescription, description),
        ] {
            if !value.is_empty() {
                record.set(column, value);
            }
        }
        let mut lines = Lines::default();
        let first = lines.of(&record);
        assert_eq!(first, expected, "{service} {meter} {description}");
        assert_eq!(lines.of(&record), expected, "remembered");
    }

    const EC2: &str = "Amazon Elastic Compute Cloud";

    #[test]
    fn tells_lines_of_aws_apart_by_meter() {
        let volume = Line::Volume;
        for (service, meter, expected) in [
            (EC2, "BoxUsage:t3.xlarge", Line::Compute(ComputeFamily::Ec2)),
            (
                EC2,
                "USW2-SpotUsage:m5.large",
                Line::Compute(ComputeFamily::Ec2),
            ),
            (EC2, "EBS:VolumeUsage.gp2", volume(VolumeType::Gp2)),
            (
                "EC2 - Other",
                "USW2-EBS:VolumeUsage.gp3",
                volume(VolumeType::Gp3),
            ),
            (
                "Amazon Elastic Block Store",
                "EBS:VolumeUsage",
                volume(VolumeType::Standard),
            ),
            (
                "AmazonEC2",
                "EBS:VolumeUsage.piops",
                volume(VolumeType::Io1),
            ),
            ("AmazonEC2", "EBS:VolumeP-IOPS.gp3", Line::VolumePerformance),
            ("AmazonEC2", "EBS:SnapshotUsage", Line::Snapshot),
            ("AmazonEC2", "ElasticIP:IdleAddress", Line::IdleAddress),
            ("AmazonVPC", "PublicIPv4:IdleAddress", Line::IdleAddress),
            ("AmazonVPC", "PublicIPv4:InUseAddress", Line::Other),
            ("AmazonEC2", "NatGateway-Hours", Line::Other),
            ("AmazonEC2", "DataTransfer-Out-Bytes", Line::Other),
            ("AmazonEC2", "CPUCredits:t3", Line::Other),
            ("AWSELB", "LoadBalancerUsage", Line::BalancerHours),
            ("AWSELB", "LCUUsage", Line::BalancerUse),
            ("AmazonEC2", "LoadBalancerUsage", Line::BalancerHours),
            ("AmazonS3", "USW2-TimedStorage-ByteHrs", Line::ObjectStorage),
            ("AmazonS3", "TimedStorage-SIA-ByteHrs", Line::Other),
            ("AmazonS3", "TimedStorage-INT-FA-ByteHrs", Line::Other),
            ("AmazonS3", "TimedStorage-GlacierByteHrs", Line::Other),
            ("AmazonS3", "Requests-Tier1", Line::Other),
            ("Amazon Simple Storage Service", "", Line::Other),
            (
                "AWS Lambda",
                "Lambda-GB-Second",
                Line::Compute(ComputeFamily::Lambda),
            ),
            ("AWS Lambda", "Request", Line::Other),
        ] {
            check(service, "", meter, "", expected);
        }
    }

    #[test]
    fn tells_lines_of_aws_apart_by_description() {
        for (description, expected) in [
            (
                "$1.624 per On Demand Linux g5.4xlarge Instance Hour",
                Line::Compute(ComputeFamily::Ec2),
            ),
            ("$0.045 per NAT Gateway Hour", Line::Other),
            (
                "$0.090 per GB - first 10 TB / month data transfer out",
                Line::Other,
            ),
            (
                "$0.10 per GB-month of General Purpose SSD (gp2) provisioned storage",
                Line::Volume(VolumeType::Gp2),
            ),
            (
                "$0.005 per provisioned IOPS-month of gp3",
                Line::VolumePerformance,
            ),
            (
                "$0.04 per provisioned MiBps-month of gp3",
                Line::VolumePerformance,
            ),
            ("$0.05 per GB-Month of snapshot data stored", Line::Snapshot),
            (
                "$0.005 per Idle public IPv4 address per hour",
                Line::IdleAddress,
            ),
            (
                "$0.005 per In-use public IPv4 address per hour",
                Line::Other,
            ),
        ] {
            check(EC2, "Compute", "", description, expected);
        }
        let tier = "$0.023 per GB - first 50 TB / month of storage used";
        let frequent = format!("{tier} in Intelligent-Tiering, Frequent Access Tier");
        let s3 = "Amazon Simple Storage Service";
        check(s3, "Storage", "", tier, Line::ObjectStorage);
        check(s3, "Storage", "", &frequent, Line::Other);
        let infrequent = "$0.0125 per GB-Month of storage used in Standard-Infrequent Access";
        check(s3, "Storage", "", infrequent, Line::Other);
        check(EC2, "Compute", "", "", Line::Compute(ComputeFamily::Ec2));
        check(EC2, "Storage", "", "", Line::Volume(VolumeType::Unknown));
        let used = "$0.008 per used Application load balancer capacity unit-hour";
        check(
            "Elastic Load Balancing",
            "Networking",
            "",
            used,
            Line::BalancerUse,
        );
        let hours = "$0.0225 per Application LoadBalancer-hour (or partial hour)";
        check(
            "Elastic Load Balancing",
            "Networking",
            "",
            hours,
            Line::BalancerHours,
        );
        check("Elastic Load Balancing", "Networking", "", "", Line::Other);
    }

    #[test]
    fn tells_model_calls_apart() {
        let bedrock = "Amazon Bedrock";
        for (service, meter, expected) in [
            (
                bedrock,
                "USE1-Claude3.5Sonnet-input-tokens",
                Line::LlmOnDemand,
            ),
            (
                bedrock,
                "USE1-Claude3.5Sonnet-input-tokens-batch",
                Line::LlmBatch,
            ),
            (
                bedrock,
                "USE1-ProvisionedThroughput-ModelUnits",
                Line::Other,
            ),
            (bedrock, "", Line::LlmOnDemand),
            ("Azure OpenAI", "gpt-4o-Batch-Inp-Tokens", Line::LlmBatch),
            ("Cognitive Services", "Speech to text hours", Line::Other),
            (
                "Vertex AI",
                "Gemini 2.5 Pro input token count",
                Line::LlmOnDemand,
            ),
            ("Vertex AI", "Training n1-standard-4", Line::Other),
        ] {
            check(service, "AI and Machine Learning", meter, "", expected);
        }
    }

    #[test]
    fn a_row_without_a_service_is_none_of_them() {
        let mut lines = Lines::default();
        let record = CostRecord::new(Currency::USD);
        assert_eq!(lines.of(&record), Line::Other);
        let mut named = CostRecord::new(Currency::USD);
        named.set(Column::ServiceName, "Amazon Bedrock");
        assert_eq!(lines.of(&named), Line::LlmOnDemand);
        assert_eq!(lines.of(&record), Line::Other);
    }
}
