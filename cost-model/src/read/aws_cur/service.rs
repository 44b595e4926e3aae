//! Which FOCUS service category does an AWS product code belong to?
//!
//! Each service by its primary purpose, as the service pages of docs.aws.amazon.com group them
//! and with the names of FOCUS. `AmazonEC2` is the one code that bills several services, so its
//! usage type decides. A code that is not listed has no category: unknown is not `Other`.

/// The category of a product code and, under `AmazonEC2`, of a usage type.
pub(super) fn category(product_code: &str, usage_type: &str) -> Option<&'static str> {
    if product_code == "AmazonEC2" {
        return Some(of_ec2(usage_type));
    }
    let found = CATEGORIES.binary_search_by(|(code, _)| (*code).cmp(product_code));
    found.ok().map(|at| CATEGORIES[at].1)
}

/// Elastic Block Store, addresses, gateways, balancers and transfer are billed under EC2.
///
/// Source: AWS, *Understanding your AWS bill*, usage types such as `EBS:VolumeUsage.gp3`,
/// `NatGateway-Hours`, `ElasticIP:IdleAddress`, `LCUUsage`, `DataTransfer-Out-Bytes`.
fn of_ec2(usage_type: &str) -> &'static str {
    let has = |word: &&str| usage_type.contains(*word);
    // `EBSOptimized:…` is an hour of a machine: the colon after `EBS` tells them apart.
    if ["EBS:", "EBSSnapshot"].iter().any(has) {
        "Storage"
    } else if NETWORK.iter().any(has) {
        "Networking"
    } else {
        "Compute"
    }
}

const NETWORK: &[&str] = &[
    "DataTransfer",
    "-Bytes",
    "NatGateway",
    "ElasticIP",
    "PublicIPv4",
    "LoadBalancer",
    "LCUUsage",
    "VpcEndpoint",
    "VpcPeering",
    "TransitGateway",
];

/// In the order of the codes, which are searched by halves.
const CATEGORIES: &[(&str, &str)] = &[
    ("AWSAmplify", "Web"),
    ("AWSAppSync", "Integration"),
    ("AWSBackup", "Management and Governance"),
    ("AWSCertificateManager", "Security"),
    ("AWSCloudFormation", "Management and Governance"),
    ("AWSCloudTrail", "Management and Governance"),
    ("AWSCodeArtifact", "Developer Tools"),
    ("AWSCodeCommit", "Developer Tools"),
    ("AWSCodePipeline", "Developer Tools"),
    ("AWSConfig", "Management and Governance"),
    ("AWSCostExplorer", "Management and Governance"),
    ("AWSDataSync", "Migration"),
    ("AWSDataTransfer", "Networking"),
    ("AWSDatabaseMigrationSvc", "Migration"),
    ("AWSDeveloperSupport", "Management and Governance"),
    ("AWSDirectConnect", "Networking"),
    ("AWSDirectoryService", "Identity"),
    ("AWSELB", "Networking"),
    ("AWSEvents", "Integration"),
    ("AWSGlobalAccelerator", "Networking"),
    ("AWSGlue", "Analytics"),
    ("AWSIoT", "Internet of Things"),
    ("AWSLambda", "Compute"),
    ("AWSNetworkFirewall", "Security"),
    ("AWSQueueService", "Integration"),
    ("AWSSecretsManager", "Security"),
    ("AWSSecurityHub", "Security"),
    ("AWSServiceCatalog", "Management and Governance"),
    ("AWSShield", "Security"),
    ("AWSStorageGateway", "Storage"),
    ("AWSSupportBusiness", "Management and Governance"),
    ("AWSSupportEnterprise", "Management and Governance"),
    ("AWSSystemsManager", "Management and Governance"),
    ("AWSTransfer", "Migration"),
    ("AWSXRay", "Developer Tools"),
    ("AmazonApiGateway", "Integration"),
    ("AmazonAppStream", "End User Computing"),
    ("AmazonAthena", "Analytics"),
    ("AmazonBedrock", "AI and Machine Learning"),
    ("AmazonCloudFront", "Networking"),
    ("AmazonCloudWatch", "Management and Governance"),
    ("AmazonCognito", "Identity"),
    ("AmazonComprehend", "AI and Machine Learning"),
    ("AmazonConnect", "Business Applications"),
    ("AmazonDAX", "Databases"),
    ("AmazonDetective", "Security"),
    ("AmazonDocDB", "Databases"),
    ("AmazonDynamoDB", "Databases"),
    ("AmazonECR", "Compute"),
    ("AmazonECRPublic", "Compute"),
    ("AmazonECS", "Compute"),
    ("AmazonEFS", "Storage"),
    ("AmazonEKS", "Compute"),
    ("AmazonES", "Analytics"),
    ("AmazonElastiCache", "Databases"),
    ("AmazonFSx", "Storage"),
    ("AmazonFinSpace", "Analytics"),
    ("AmazonGlacier", "Storage"),
    ("AmazonGuardDuty", "Security"),
    ("AmazonInspector", "Security"),
    ("AmazonInspectorV2", "Security"),
    ("AmazonKinesis", "Analytics"),
    ("AmazonKinesisAnalytics", "Analytics"),
    ("AmazonKinesisFirehose", "Analytics"),
    ("AmazonLex", "AI and Machine Learning"),
    ("AmazonLightsail", "Compute"),
    ("AmazonMQ", "Integration"),
    ("AmazonMSK", "Analytics"),
    ("AmazonMWAA", "Integration"),
    ("AmazonMacie", "Security"),
    ("AmazonMemoryDB", "Databases"),
    ("AmazonNeptune", "Databases"),
    ("AmazonPolly", "AI and Machine Learning"),
    ("AmazonPrometheus", "Management and Governance"),
    ("AmazonQuickSight", "Analytics"),
    ("AmazonRDS", "Databases"),
    ("AmazonRedshift", "Analytics"),
    ("AmazonRekognition", "AI and Machine Learning"),
    ("AmazonRoute53", "Networking"),
    ("AmazonS3", "Storage"),
    ("AmazonS3GlacierDeepArchive", "Storage"),
    ("AmazonSES", "Business Applications"),
    ("AmazonSNS", "Integration"),
    ("AmazonSageMaker", "AI and Machine Learning"),
    ("AmazonStates", "Integration"),
    ("AmazonTextract", "AI and Machine Learning"),
    ("AmazonTimestream", "Databases"),
    ("AmazonTranscribe", "AI and Machine Learning"),
    ("AmazonTranslate", "AI and Machine Learning"),
    ("AmazonVPC", "Networking"),
    ("AmazonWorkDocs", "End User Computing"),
    ("AmazonWorkMail", "Business Applications"),
    ("AmazonWorkSpaces", "End User Computing"),
    ("CodeBuild", "Developer Tools"),
    ("ElasticMapReduce", "Analytics"),
    ("awskms", "Security"),
    ("awswaf", "Security"),
    ("comprehend", "AI and Machine Learning"),
    ("translate", "AI and Machine Learning"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CostGroup;

    #[test]
    fn keeps_the_codes_in_order() {
        assert!(CATEGORIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn tells_the_services_under_ec2_apart() {
        for (usage_type, group) in [
            ("BoxUsage:t3.medium", CostGroup::Compute),
            ("USE2-SpotUsage:m5.large", CostGroup::Compute),
            ("EBSOptimized:m3.xlarge", CostGroup::Compute),
            ("CPUCredits:t3", CostGroup::Compute),
            ("EUC1-EBS:VolumeUsage.gp3", CostGroup::Storage),
            ("EBS:SnapshotUsage", CostGroup::Storage),
            ("NatGateway-Hours", CostGroup::Network),
            ("USE1-DataTransfer-Out-Bytes", CostGroup::Network),
            ("ElasticIP:IdleAddress", CostGroup::Network),
        ] {
            let category = category("AmazonEC2", usage_type);
            assert_eq!(CostGroup::classify(category, None), group, "{usage_type}");
        }
    }

    #[test]
    fn says_nothing_about_codes_that_it_does_not_know() {
        assert_eq!(category("AmazonS3", "Requests-Tier1"), Some("Storage"));
        assert_eq!(category("8zg5sn9bxg6r2q1", ""), None);
        assert_eq!(category("", ""), None);
    }
}
