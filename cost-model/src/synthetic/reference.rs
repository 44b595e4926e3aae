//! Which bill is small enough to check by hand, and still looks like one?

use bursar_units::Currency;

use super::{HOURS, exact, period};
use crate::{ChargeCategory, Column, CostRecord, Exact};

/// The reference month: January 2024 in US dollars, by the hour and resource, $200.34 in all.
///
/// | service | cost | share | made of |
/// |---|---|---|---|
/// | Amazon Elastic Compute Cloud | 119.81 | 59.8 % | one t3.xlarge for 720 h at 0.1664; 0.1 GB to another region at 0.02 |
/// | Amazon Bedrock | 68.54 | 34.2 % | 3,865,000 input tokens at 0.008 and 1,567,500 output tokens at 0.024 per thousand |
/// | Amazon Elastic Block Store | 8.00 | 4.0 % | 100 GB of gp3 at 0.08 |
/// | Amazon Virtual Private Cloud | 3.99 | 2.0 % | an interface endpoint for 372 h at 0.01, and 27 GB through it at 0.01 |
///
/// Every row's list cost is its list price times its quantity, exactly, and all four costs are
/// equal: there are no discounts. A day costs $6.46 on average; Bedrock follows the working week.
///
/// Prices: us-east-1, as AWS published them for that month.
///
/// ```
/// use bursar_cost_model::{Costs, reference_month};
///
/// let mut costs = Costs::default();
/// for record in reference_month() {
///     costs.add(&record)?;
/// }
/// assert_eq!(costs.billed.sum.to_string(), "200.34");
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[must_use]
pub fn reference_month() -> Vec<CostRecord<'static>> {
    let mut rows = Vec::new();
    machine(&mut rows);
    models(&mut rows);
    volumes(&mut rows);
    endpoint(&mut rows);
    rows.sort_by_key(|(hour, _)| *hour);
    rows.into_iter().map(|(_, record)| record).collect()
}

type Rows = Vec<(u64, CostRecord<'static>)>;

/// What the charges of one meter have in common.
#[derive(Clone, Copy)]
struct Meter {
    service: &'static str,
    category: &'static str,
    subcategory: &'static str,
    resource: &'static str,
    name: &'static str,
    resource_type: &'static str,
    description: &'static str,
    sku: &'static str,
    /// The pricing unit, the unit of consumption, and how many of these make one of those.
    units: (&'static str, &'static str, i64),
    /// The price of a pricing unit, in thousandths of a cent.
    price: i128,
    tags: &'static str,
}

/// Decimal places of a price: thousandths of a cent.
const PRICE_PLACES: u32 = 5;

const MACHINE: Meter = Meter {
    service: "Amazon Elastic Compute Cloud",
    category: "Compute",
    subcategory: "Virtual Machines",
    resource: "arn:aws:ec2:us-east-1:123456789012:instance/i-0a1b2c3d4e5f60718",
    name: "gateway-1",
    resource_type: "Instance",
    description: "$0.1664 per On Demand Linux t3.xlarge Instance Hour",
    sku: "T3XLARGE",
    units: ("Hours", "Hours", 1),
    price: 16_640,
    tags: r#"{"env":"prod","team":"platform"}"#,
};

/// On for 720 of the 744 hours: until the 24th it stops from 03:00 to 04:00 for an image backup.
fn machine(rows: &mut Rows) {
    for hour in 0..HOURS {
        if hour % 24 != 3 || hour / 24 >= 24 {
            rows.push((hour, charge(&MACHINE, hour, Exact::from(1))));
        }
    }
    let transfer = Meter {
        description: "$0.02 per GB - US East (N. Virginia) data transfer to US West (Oregon)",
        sku: "USE1-USW2-AWS-Out-Bytes",
        units: ("GB", "GB", 1),
        price: 2_000,
        ..MACHINE
    };
    // A tenth of a GB in all, copied each night.
    spread(rows, &transfer, 100_000_000, 9, |hour| {
        u64::from(hour % 24 == 4)
    });
}

/// Calls in working hours, some at any time, a third of it at the weekend, slowly growing.
fn models(rows: &mut Rows) {
    let input = Meter {
        service: "Amazon Bedrock",
        category: "AI and Machine Learning",
        subcategory: "Generative AI",
        resource: "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1",
        name: "anthropic.claude-v2:1",
        resource_type: "Foundation model",
        description: "$0.008 per 1K input tokens for Claude 2.1",
        sku: "CLAUDE21-INPUT",
        units: ("1K tokens", "Tokens", 1_000),
        price: 800,
        tags: r#"{"env":"prod","team":"chat"}"#,
    };
    let output = Meter {
        description: "$0.024 per 1K output tokens for Claude 2.1",
        sku: "CLAUDE21-OUTPUT",
        price: 2_400,
        ..input
    };
    let calls = |hour: u64| {
        let (day, of_day) = (hour / 24, hour % 24);
        let at_work = if (8..18).contains(&of_day) { 9 } else { 2 };
        // The month starts on a Monday.
        let of_week = if day % 7 >= 5 { 1 } else { 3 };
        at_work * of_week * (100 + day / 3)
    };
    spread(rows, &input, 3_865_000, 3, calls);
    spread(rows, &output, 1_567_500, 3, calls);
}

/// 100 GB for the month, on two volumes.
fn volumes(rows: &mut Rows) {
    let root = Meter {
        service: "Amazon Elastic Block Store",
        category: "Storage",
        subcategory: "Block Storage",
        resource: "arn:aws:ec2:us-east-1:123456789012:volume/vol-0aa11bb22cc33dd44",
        name: "gateway-1-root",
        resource_type: "Volume",
        description: "$0.08 per GB-month of General Purpose (gp3) provisioned storage",
        sku: "EBS-GP3",
        units: ("GB-Mo", "GB-Mo", 1),
        price: 8_000,
        tags: r#"{"env":"prod","team":"platform"}"#,
    };
    let data = Meter {
        resource: "arn:aws:ec2:us-east-1:123456789012:volume/vol-0ee55ff6677889900",
        name: "gateway-1-data",
        ..root
    };
    spread(rows, &root, 30_000_000_000, 9, |_| 1);
    spread(rows, &data, 70_000_000_000, 9, |_| 1);
}

/// An endpoint that its stack takes away at night: there from 07:00 to 19:00, 372 hours.
fn endpoint(rows: &mut Rows) {
    let hours = Meter {
        service: "Amazon Virtual Private Cloud",
        category: "Networking",
        subcategory: "Network Connectivity",
        resource: "arn:aws:ec2:us-east-1:123456789012:vpc-endpoint/vpce-0123456789abcdef0",
        name: "bedrock-runtime",
        resource_type: "VPC endpoint",
        description: "$0.01 per VPC Endpoint Hour",
        sku: "VPCE-HOURS",
        units: ("Hours", "Hours", 1),
        price: 1_000,
        tags: r#"{"env":"prod","team":"chat"}"#,
    };
    let bytes = Meter {
        description: "$0.01 per GB Data Processed by VPC Endpoints",
        sku: "VPCE-BYTES",
        units: ("GB", "GB", 1),
        ..hours
    };
    let there = |hour: u64| (7..19).contains(&(hour % 24));
    let present = (0..HOURS).filter(|&hour| there(hour));
    rows.extend(present.map(|hour| (hour, charge(&hours, hour, Exact::from(1)))));
    let traffic = |hour: u64| match (there(hour), hour / 24 % 7) {
        (false, _) => 0,
        (true, 0..5) => 3,
        (true, _) => 1,
    };
    spread(rows, &bytes, 27_000_000_000, 9, traffic);
}

/// Charges for a quantity over the hours of the month, by weight, so that the parts are the whole.
fn spread(rows: &mut Rows, meter: &Meter, total: i128, places: u32, weight: impl Fn(u64) -> u64) {
    let sum: u64 = (0..HOURS).map(&weight).sum();
    let mut before = 0;
    for hour in 0..HOURS {
        let until = before + weight(hour);
        let share = |weight: u64| total * i128::from(weight) / i128::from(sum.max(1));
        let part = share(until) - share(before);
        before = until;
        if part > 0 {
            rows.push((hour, charge(meter, hour, exact(part, places))));
        }
    }
}

/// One hour of one meter.
fn charge(meter: &Meter, hour: u64, quantity: Exact) -> CostRecord<'static> {
    let (pricing_unit, consumed_unit, per_priced) = meter.units;
    let price = exact(meter.price, PRICE_PLACES).normalized();
    let product = |a: Exact, b: Exact| {
        let cost = a.checked_mul(b);
        cost.expect("prices and quantities of this month have few digits")
    };
    let cost = Some(product(price, quantity));
    let mut record = CostRecord::new(Currency::USD);
    record.charge_category = Some(ChargeCategory::Usage);
    record.billing_period = period(0, HOURS as i64);
    record.charge_period = period(hour as i64, hour as i64 + 1);
    record.billed_cost = cost;
    record.effective_cost = cost;
    record.list_cost = cost;
    record.contracted_cost = cost;
    record.list_unit_price = Some(price);
    record.contracted_unit_price = Some(price);
    record.pricing_quantity = Some(quantity);
    record.consumed_quantity = Some(product(quantity, Exact::from(per_priced)));
    for (column, text) in [
        (Column::BillingAccountId, "123456789012"),
        (Column::BillingAccountName, "Example"),
        (Column::ChargeDescription, meter.description),
        (Column::ChargeFrequency, "Usage-Based"),
        (Column::ConsumedUnit, consumed_unit),
        (Column::InvoiceId, "EXAMPLE-2024-01"),
        (Column::InvoiceIssuerName, "Amazon Web Services, Inc."),
        (Column::PricingCategory, "Standard"),
        (Column::PricingUnit, pricing_unit),
        (Column::ProviderName, "AWS"),
        (Column::PublisherName, "Amazon Web Services, Inc."),
        (Column::RegionId, "us-east-1"),
        (Column::RegionName, "US East (N. Virginia)"),
        (Column::ResourceId, meter.resource),
        (Column::ResourceName, meter.name),
        (Column::ResourceType, meter.resource_type),
        (Column::ServiceCategory, meter.category),
        (Column::ServiceName, meter.service),
        (Column::ServiceSubcategory, meter.subcategory),
        (Column::SkuId, meter.sku),
        (Column::SkuPriceId, meter.sku),
        (Column::SubAccountId, "210987654321"),
        (Column::SubAccountName, "production"),
        (Column::Tags, meter.tags),
    ] {
        record.set(column, text);
    }
    record
}
