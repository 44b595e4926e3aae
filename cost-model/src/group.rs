//! Which part of the bill is a charge: compute, storage, network, services or management?
//!
//! `Cost = Compute + Storage + Network + Services + Management`: every charge is in exactly one
//! group, decided by its FOCUS `ServiceCategory` first and by the name of the service second.

use std::fmt;

/// One of the five groups that a bill is a sum of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum CostGroup {
    /// Machines, containers and functions, by time.
    Compute,
    /// Kept bytes: volumes, buckets, snapshots.
    Storage,
    /// Transfer, addresses, balancers, delivery.
    Network,
    /// Calls and processing units of managed services: databases, models, queues, analytics.
    Services,
    /// Monitoring, backup, security, support.
    Management,
}

impl CostGroup {
    /// The five groups, in the order of the formula.
    pub const ALL: [CostGroup; 5] = [
        CostGroup::Compute,
        CostGroup::Storage,
        CostGroup::Network,
        CostGroup::Services,
        CostGroup::Management,
    ];

    /// The name of the group.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CostGroup::Compute => "Compute",
            CostGroup::Storage => "Storage",
            CostGroup::Network => "Network",
            CostGroup::Services => "Services",
            CostGroup::Management => "Management",
        }
    }

    /// The group of a charge, from its FOCUS `ServiceCategory` and `ServiceName`.
    ///
    /// ```
    /// use bursar_cost_model::CostGroup;
    /// let bedrock = CostGroup::classify(Some("AI and Machine Learning"), Some("Amazon Bedrock"));
    /// assert_eq!(bedrock, CostGroup::Services);
    /// assert_eq!(CostGroup::classify(None, Some("AmazonEC2")), CostGroup::Compute);
    /// ```
    #[must_use]
    pub fn classify(category: Option<&str>, service: Option<&str>) -> CostGroup {
        category
            .and_then(of_category)
            .or_else(|| service.and_then(of_service))
            .unwrap_or(CostGroup::Services)
    }
}

impl fmt::Display for CostGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The 19 values of `ServiceCategory`; `Other` says nothing, so the service's name decides.
fn of_category(category: &str) -> Option<CostGroup> {
    let group = match category {
        "Compute" => CostGroup::Compute,
        "Storage" => CostGroup::Storage,
        "Networking" => CostGroup::Network,
        "Management and Governance" | "Security" | "Identity" => CostGroup::Management,
        "AI and Machine Learning"
        | "Analytics"
        | "Business Applications"
        | "Databases"
        | "Developer Tools"
        | "End User Computing"
        | "Integration"
        | "Internet of Things"
        | "Media"
        | "Migration"
        | "Mobile"
        | "Multicloud"
        | "Web" => CostGroup::Services,
        _ => return None,
    };
    Some(group)
}

/// Words in the names of services, most telling first.
const SERVICE_WORDS: &[(&str, CostGroup)] = &[
    ("block store", CostGroup::Storage),
    ("amazonebs", CostGroup::Storage),
    ("snapshot", CostGroup::Storage),
    ("backup", CostGroup::Management),
    ("storage", CostGroup::Storage),
    ("amazons3", CostGroup::Storage),
    ("amazon s3", CostGroup::Storage),
    ("glacier", CostGroup::Storage),
    ("file system", CostGroup::Storage),
    ("amazonefs", CostGroup::Storage),
    ("volume", CostGroup::Storage),
    ("load balanc", CostGroup::Network),
    ("virtual private cloud", CostGroup::Network),
    ("amazonvpc", CostGroup::Network),
    ("virtual network", CostGroup::Network),
    ("cloudfront", CostGroup::Network),
    ("cdn", CostGroup::Network),
    ("route 53", CostGroup::Network),
    ("route53", CostGroup::Network),
    ("dns", CostGroup::Network),
    ("nat gateway", CostGroup::Network),
    ("vpn", CostGroup::Network),
    ("bandwidth", CostGroup::Network),
    ("data transfer", CostGroup::Network),
    ("datatransfer", CostGroup::Network),
    ("network", CostGroup::Network),
    ("cloudwatch", CostGroup::Management),
    ("cloudtrail", CostGroup::Management),
    ("monitor", CostGroup::Management),
    ("logging", CostGroup::Management),
    ("log analytics", CostGroup::Management),
    ("support", CostGroup::Management),
    ("config", CostGroup::Management),
    ("security", CostGroup::Management),
    ("key management", CostGroup::Management),
    ("awskms", CostGroup::Management),
    ("key vault", CostGroup::Management),
    ("guardduty", CostGroup::Management),
    ("firewall", CostGroup::Management),
    ("waf", CostGroup::Management),
    ("cost explorer", CostGroup::Management),
    ("elastic compute", CostGroup::Compute),
    ("ec2", CostGroup::Compute),
    ("compute engine", CostGroup::Compute),
    ("virtual machine", CostGroup::Compute),
    ("lambda", CostGroup::Compute),
    ("functions", CostGroup::Compute),
    ("fargate", CostGroup::Compute),
    ("kubernetes", CostGroup::Compute),
    ("container", CostGroup::Compute),
    ("droplet", CostGroup::Compute),
    ("compute", CostGroup::Compute),
];

fn of_service(service: &str) -> Option<CostGroup> {
    let service = service.to_lowercase();
    let found = SERVICE_WORDS
        .iter()
        .find(|(word, _)| service.contains(word));
    found.map(|&(_, group)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decides_by_category_before_the_name() {
        for (category, service, group) in [
            (
                Some("Compute"),
                Some("Amazon CloudWatch"),
                CostGroup::Compute,
            ),
            (
                Some("Other"),
                Some("AmazonCloudWatch"),
                CostGroup::Management,
            ),
            (Some("Other"), None, CostGroup::Services),
            (None, Some("Amazon Elastic Block Store"), CostGroup::Storage),
            (
                None,
                Some("Amazon Virtual Private Cloud"),
                CostGroup::Network,
            ),
            (None, Some("Load Balancing"), CostGroup::Network),
            (None, Some("EC2 - Other"), CostGroup::Compute),
            (None, Some("EC2"), CostGroup::Compute),
            (None, Some("Amazon S3"), CostGroup::Storage),
            (None, Some("Amazon Bedrock"), CostGroup::Services),
            (None, None, CostGroup::Services),
        ] {
            assert_eq!(
                CostGroup::classify(category, service),
                group,
                "{category:?} {service:?}"
            );
        }
    }
}
