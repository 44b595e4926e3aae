//! Which providers, services and prices does a made-up bill draw on?
//!
//! Names are those of real services, so that classification meets what it will meet in bills;
//! prices are of their order of magnitude, accounts are invented.

use super::{COST_PLACES, exact};
use crate::Exact;

pub(super) struct Provider {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) issuer: &'static str,
    pub(super) account: &'static str,
    pub(super) tax_percent: i128,
    pub(super) plan_name: &'static str,
    pub(super) regions: [(&'static str, &'static str); 4],
}

pub(super) const PROVIDERS: [Provider; 4] = [
    Provider {
        key: "aws",
        name: "AWS",
        issuer: "Amazon Web Services, Inc.",
        account: "1234567890",
        tax_percent: 8,
        plan_name: "Compute Savings Plan",
        regions: [
            ("us-east-1", "US East (N. Virginia)"),
            ("us-west-2", "US West (Oregon)"),
            ("eu-west-1", "EU (Ireland)"),
            ("ap-south-1", "Asia Pacific (Mumbai)"),
        ],
    },
    Provider {
        key: "azure",
        name: "Microsoft",
        issuer: "Microsoft",
        account: "6611aa10",
        tax_percent: 19,
        plan_name: "Savings plan for compute",
        regions: [
            ("eastus", "East US"),
            ("westeurope", "West Europe"),
            ("uksouth", "UK South"),
            ("centralindia", "Central India"),
        ],
    },
    Provider {
        key: "gcp",
        name: "Google Cloud",
        issuer: "Google LLC",
        account: "01AB2C-3D4E",
        tax_percent: 10,
        plan_name: "Flexible committed use discount",
        regions: [
            ("us-central1", "Iowa"),
            ("europe-west1", "Belgium"),
            ("europe-west3", "Frankfurt"),
            ("asia-south1", "Mumbai"),
        ],
    },
    Provider {
        key: "oci",
        name: "Oracle",
        issuer: "Oracle America, Inc.",
        account: "ocid1.tenancy.",
        tax_percent: 5,
        plan_name: "Annual commitment",
        regions: [
            ("us-phoenix-1", "US West (Phoenix)"),
            ("us-ashburn-1", "US East (Ashburn)"),
            ("eu-frankfurt-1", "Germany Central (Frankfurt)"),
            ("uk-london-1", "UK South (London)"),
        ],
    },
];

pub(super) struct Service {
    pub(super) provider: usize,
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    pub(super) subcategory: &'static str,
    pub(super) resource_type: &'static str,
    pub(super) unit: &'static str,
    pub(super) consumed_unit: &'static str,
    pub(super) consumed_per_priced: i128,
    pub(super) price: Fixed,
    pub(super) base: Fixed,
    pub(super) rhythm: Rhythm,
}

/// `unit` may name another consumed unit after a `/`, with how many of them make a pricing unit.
const fn service(
    provider: usize,
    [name, category, subcategory, resource_type]: [&'static str; 4],
    (unit, consumed_unit, consumed_per_priced): (&'static str, &'static str, i128),
    price: Fixed,
    base: Fixed,
    rhythm: Rhythm,
) -> Service {
    Service {
        provider,
        name,
        category,
        subcategory,
        resource_type,
        unit,
        consumed_unit,
        consumed_per_priced,
        price,
        base,
        rhythm,
    }
}

const HOURS: (&str, &str, i128) = ("Hours", "Hours", 1);
const GB: (&str, &str, i128) = ("GB", "GB", 1);
const GB_MONTH: (&str, &str, i128) = ("GB-Mo", "GB-Mo", 1);
const THOUSAND_TOKENS: (&str, &str, i128) = ("1K tokens", "Tokens", 1_000);
const MILLION_REQUESTS: (&str, &str, i128) = ("1M requests", "Requests", 1_000_000);
const USERS: (&str, &str, i128) = ("User-hours", "User-hours", 1);

const fn f(mantissa: i128, scale: u32) -> Fixed {
    Fixed::new(mantissa, scale)
}

/// One whole hour.
const ONE_HOUR: Fixed = f(10_000, HOUR_PLACES);

#[rustfmt::skip]
pub(super) const SERVICES: [Service; 36] = {
    use Rhythm::{Machine, Night, Office, Steady};
    [
        service(0, ["Amazon Elastic Compute Cloud", "Compute", "Virtual Machines", "Instance"], HOURS, f(1_664, 4), ONE_HOUR, Machine),
        service(1, ["Virtual Machines", "Compute", "Virtual Machines", "Virtual machine"], HOURS, f(1_920, 4), ONE_HOUR, Machine),
        service(2, ["Compute Engine", "Compute", "Virtual Machines", "Instance"], HOURS, f(1_900, 4), ONE_HOUR, Machine),
        service(3, ["Compute", "Compute", "Virtual Machines", "instance"], HOURS, f(640, 4), ONE_HOUR, Machine),
        service(0, ["Amazon Bedrock", "AI and Machine Learning", "Generative AI", "Foundation model"], THOUSAND_TOKENS, f(300, 5), f(85_000, 3), Office),
        service(1, ["Azure OpenAI Service", "AI and Machine Learning", "Generative AI", "Deployment"], THOUSAND_TOKENS, f(250, 5), f(60_000, 3), Office),
        service(2, ["Vertex AI", "AI and Machine Learning", "AI Platforms", "Endpoint"], THOUSAND_TOKENS, f(125, 5), f(70_000, 3), Office),
        service(0, ["Amazon Elastic Block Store", "Storage", "Block Storage", "Volume"], GB_MONTH, f(8, 2), f(134_409, 6), Steady),
        service(0, ["Amazon Simple Storage Service", "Storage", "Object Storage", "Bucket"], GB_MONTH, f(23, 3), f(2_688_172, 6), Steady),
        service(1, ["Storage Accounts", "Storage", "Object Storage", "Storage account"], GB_MONTH, f(18, 3), f(2_016_129, 6), Steady),
        service(2, ["Cloud Storage", "Storage", "Object Storage", "Bucket"], GB_MONTH, f(20, 3), f(2_150_538, 6), Steady),
        service(3, ["Block Storage", "Storage", "Block Storage", "bootvolume"], GB_MONTH, f(255, 4), f(268_817, 5), Steady),
        service(0, ["Amazon Virtual Private Cloud", "Networking", "Network Infrastructure", "NAT gateway"], GB, f(45, 3), f(1_900_000, 6), Office),
        service(0, ["Elastic Load Balancing", "Networking", "Network Infrastructure", "Load balancer"], HOURS, f(225, 4), ONE_HOUR, Machine),
        service(1, ["Bandwidth", "Networking", "Network Connectivity", "Virtual network"], GB, f(87, 3), f(800_000, 6), Office),
        service(2, ["Cloud CDN", "Networking", "Content Delivery", "Backend bucket"], GB, f(80, 3), f(1_100_000, 6), Office),
        service(0, ["Amazon Relational Database Service", "Databases", "Relational Databases", "DB instance"], HOURS, f(1_710, 4), ONE_HOUR, Machine),
        service(1, ["Azure Cosmos DB", "Databases", "NoSQL Databases", "Account"], ("100 RU/s-hours", "RU/s-hours", 100), f(8, 3), f(40_000, 4), Office),
        service(2, ["BigQuery", "Analytics", "Data Warehouses", "Project"], ("TiB", "TiB", 1), f(625, 2), f(42_000, 6), Night),
        service(0, ["Amazon Athena", "Analytics", "Analytics Platforms", "Workgroup"], ("TB", "TB", 1), f(5, 0), f(31_000, 6), Night),
        service(0, ["AWS Lambda", "Compute", "Serverless Compute", "Function"], ("GB-Second", "GB-Second", 1), f(16_667, 9), f(21_000, 0), Office),
        service(0, ["Amazon Simple Queue Service", "Integration", "Messaging", "Queue"], MILLION_REQUESTS, f(40, 2), f(310_000, 6), Office),
        service(1, ["Event Hubs", "Integration", "Messaging", "Namespace"], MILLION_REQUESTS, f(28, 3), f(4_100_000, 6), Office),
        service(0, ["AmazonCloudWatch", "Management and Governance", "Observability", "Log group"], GB, f(50, 2), f(260_000, 6), Office),
        service(1, ["Azure Monitor", "Management and Governance", "Observability", "Workspace"], GB, f(230, 2), f(70_000, 6), Office),
        service(0, ["AWS Key Management Service", "Security", "Security", "Key"], ("10K requests", "Requests", 10_000), f(3, 2), f(1_400_000, 6), Office),
        service(1, ["Microsoft Entra ID", "Identity", "Identity and Access Management", "Tenant"], USERS, f(822, 5), f(52_000, 4), Steady),
        service(0, ["AWS IoT Core", "Internet of Things", "IoT Platforms", "Thing group"], MILLION_REQUESTS, f(1, 0), f(330_000, 6), Steady),
        service(0, ["Amazon WorkSpaces", "End User Computing", "Desktop Virtualization", "Workspace"], HOURS, f(30, 2), ONE_HOUR, Machine),
        service(1, ["GitHub Actions", "Developer Tools", "Continuous Integration", "Runner"], ("Minutes", "Minutes", 1), f(8, 3), f(38_000, 3), Office),
        service(1, ["Dynamics 365", "Business Applications", "Customer Relationship Management", "Environment"], USERS, f(8_900, 5), f(21_000, 4), Steady),
        service(0, ["AWS Elemental MediaConvert", "Media", "Media Processing", "Queue"], ("Minutes", "Minutes", 1), f(75, 4), f(46_000, 3), Night),
        service(0, ["AWS Database Migration Service", "Migration", "Migration", "Replication instance"], HOURS, f(1_540, 4), ONE_HOUR, Machine),
        service(2, ["Firebase", "Mobile", "Mobile Development Platforms", "App"], MILLION_REQUESTS, f(15, 2), f(900_000, 6), Office),
        service(1, ["App Service", "Web", "Application Platforms", "Web app"], HOURS, f(950, 4), ONE_HOUR, Machine),
        service(3, ["Support", "Other", "Other", "Subscription"], HOURS, f(403, 4), ONE_HOUR, Machine),
    ]
};

/// Machine types and their share of the service's price, in percent.
pub(super) const SIZES: [(&str, i128); 5] = [
    ("medium", 25),
    ("large", 50),
    ("xlarge", 100),
    ("2xlarge", 200),
    ("4xlarge", 400),
];

pub(super) const TEAMS: [&str; 12] = [
    "search",
    "checkout",
    "ads",
    "identity",
    "data",
    "mobile",
    "platform",
    "ml",
    "billing",
    "support",
    "growth",
    "r&d, \"edge\"",
];

pub(super) const ENVIRONMENTS: [&str; 3] = ["prod", "staging", "dev"];

/// How usage goes through the day and the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// A machine: never more than the hour.
    Machine,
    /// The same around the clock.
    Steady,
    /// People at work.
    Office,
    /// Jobs at night.
    Night,
}

/// Places of an amount of hours.
pub(super) const HOUR_PLACES: u32 = 4;

/// A number with its places, small enough that products of two have at most 11.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed {
    pub(super) mantissa: i128,
    pub(super) scale: u32,
}

impl Fixed {
    pub(super) const fn new(mantissa: i128, scale: u32) -> Fixed {
        Fixed { mantissa, scale }
    }

    pub(super) fn exact(self) -> Exact {
        exact(self.mantissa, self.scale)
    }

    /// So many percent of it, exactly.
    pub(super) fn percent(self, percent: i128) -> Fixed {
        Fixed::new(self.mantissa * percent, self.scale + 2)
    }

    /// The product, as an integer of the 11th place of a cost.
    pub(super) fn times(self, other: Fixed) -> i128 {
        let places = COST_PLACES - self.scale - other.scale;
        self.mantissa * other.mantissa * 10i128.pow(places)
    }

    /// The difference of two numbers of one scale.
    pub(super) fn less(self, other: Fixed) -> Fixed {
        Fixed::new(self.mantissa - other.mantissa, self.scale)
    }
}
