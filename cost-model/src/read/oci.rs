//! How does a row of an Oracle Cloud cost report become a record?
//!
//! Source of the columns: Oracle, *Billing and Cost Management*, "Cost report schema". Every row
//! is metered use of a resource; a correction is one more row, marked as such. The report states
//! one cost, `cost/myCost`, with overage in it: it is the billed and, as the report amortizes
//! nothing, the effective cost. List prices and billing periods are not in it and stay unknown.
//!
//! Tags may hold personal data: they become `Tags` and nothing else.

use bursar_units::Currency;

use super::cell::{CellProblem, Memo, decimal};
use super::native::{
    Header, Names, TagColumns, exclusive_end, lacking, letters, missing_column, product,
};
use super::{FileProblem, ReadOptions, focus};
use crate::cells::Cells;
use crate::layout::Layout;
use crate::{ChargeCategory, Column, CostRecord, Period, RejectReason};

/// Whether the header has columns that only this dialect names so.
pub(crate) fn recognizes(header: &[&str]) -> bool {
    Header::new(header).has_any(&["lineitemintervalusagestart"]) && !focus::recognizes(header)
}

/// What a cell holds as it stands.
const NAMES: Names = &[
    (Column::AvailabilityZone, &["productavailabilitydomain"]),
    (Column::BilledCost, &["costmycost"]),
    (Column::BillingAccountId, &["costsubscriptionid"]),
    (Column::BillingCurrency, &["costcurrencycode"]),
    (Column::ChargeDescription, &["productdescription"]),
    (Column::ChargePeriodEnd, &["lineitemintervalusageend"]),
    (Column::ChargePeriodStart, &["lineitemintervalusagestart"]),
    (Column::ConsumedQuantity, &["usageconsumedquantity"]),
    (Column::ConsumedUnit, &["usageconsumedquantityunits"]),
    (Column::ContractedUnitPrice, &["costunitprice"]),
    (Column::PricingQuantity, &["usagebilledquantity"]),
    (
        Column::PricingUnit,
        &["costbillingunitreadable", "costskuunitdescription"],
    ),
    (Column::RegionId, &["productregion"]),
    (Column::ResourceId, &["productresourceid"]),
    (Column::ServiceName, &["productservice"]),
    (Column::SkuId, &["costproductsku"]),
    (Column::SkuMeter, &["productresource"]),
    (Column::SubAccountId, &["lineitemtenantid"]),
];

/// The columns that FOCUS wants from every row, as the report spells them.
const MANDATORY: &[&str] = &[
    "cost/currencyCode",
    "cost/subscriptionId",
    "lineItem/intervalUsageStart",
    "lineItem/intervalUsageEnd",
    "product/service",
];

#[derive(Debug)]
pub(crate) struct Oci {
    /// The currency of rows that state none.
    currency: Currency,
    places: Places,
    tags: TagColumns,
}

/// Where the columns are that are read, looked up once a file.
#[derive(Debug)]
struct Places {
    my_cost: Option<usize>,
    unit_price: Option<usize>,
    billed_quantity: Option<usize>,
    consumed_quantity: Option<usize>,
    currency: Option<usize>,
    overage: Option<usize>,
    correction: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    service: Option<usize>,
}

impl Oci {
    pub(crate) fn new(header: &[&str], options: &ReadOptions) -> (Layout, Oci, Vec<FileProblem>) {
        let header = Header::new(header);
        let keys = header.names().filter_map(|(at, name)| {
            let key = name.strip_prefix("tags/").filter(|key| !key.is_empty())?;
            Some((key.to_owned(), at))
        });
        let tags = TagColumns::new(keys);
        let layout = header.layout(NAMES, &tags.places());
        let at = |letters| header.at(letters);
        let places = Places {
            my_cost: at("costmycost"),
            unit_price: at("costunitprice"),
            billed_quantity: at("usagebilledquantity"),
            consumed_quantity: at("usageconsumedquantity"),
            currency: at("costcurrencycode"),
            overage: at("costoverageflag"),
            correction: at("lineitemiscorrection"),
            start: at("lineitemintervalusagestart"),
            end: at("lineitemintervalusageend"),
            service: at("productservice"),
        };
        let oci = Oci {
            currency: options.currency.unwrap_or(Currency::XXX),
            places,
            tags,
        };
        (layout, oci, problems(&header, options))
    }

    pub(crate) fn decode<'a>(
        &'a self,
        cells: Cells<'a>,
        layout: &'a Layout,
        memo: &mut Memo,
    ) -> Result<CostRecord<'a>, CellProblem> {
        let at = &self.places;
        let currency = memo.currency(cells, at.currency)?.unwrap_or(self.currency);
        let mut record = CostRecord::of_row(currency, cells, layout);
        record.billed_cost = decimal(cells, at.my_cost)?;
        record.effective_cost = record.billed_cost;
        record.contracted_unit_price = decimal(cells, at.unit_price)?;
        record.pricing_quantity = decimal(cells, at.billed_quantity)?;
        record.consumed_quantity = decimal(cells, at.consumed_quantity)?;
        // Overage has a price of its own, so that the two do not multiply.
        let overage = at.overage.and_then(|at| cells.value(at));
        if !overage.is_some_and(|flag| flag.eq_ignore_ascii_case("Y")) {
            record.contracted_cost = product(record.contracted_unit_price, record.pricing_quantity);
        }
        record.charge_category = Some(ChargeCategory::Usage);
        record.charge_period = Period {
            start: memo.time(cells, at.start)?,
            end: memo.time(cells, at.end)?.map(exclusive_end),
        };
        record.set(Column::ProviderName, "Oracle");
        record.set(Column::ChargeFrequency, "Usage-Based");
        if is_correction(cells, at.correction)? {
            record.set(Column::ChargeClass, "Correction");
        }
        let service = at.service.and_then(|at| cells.value(at));
        if let Some(category) = service.and_then(service_category) {
            record.set(Column::ServiceCategory, category);
        }
        if let Some(tags) = self.tags.of(cells) {
            record.set(Column::Tags, tags);
        }
        Ok(record)
    }
}

/// What the header lacks; of a report that has no costs at all, just that.
fn problems(header: &Header<'_>, options: &ReadOptions) -> Vec<FileProblem> {
    if !header.has_any(&["costmycost"]) {
        let usage_report = header.has_any(&["usageconsumedquantity"]);
        let kind = if usage_report {
            "this is a usage report, which has no cost columns; read the cost report instead"
        } else {
            "mandatory column `cost/myCost` is missing"
        };
        return vec![FileProblem {
            line: 1,
            column: "cost/myCost".to_owned(),
            reason: format!("{kind}; every cost is unknown"),
        }];
    }
    let lacking = lacking(header, MANDATORY, "cost/currencyCode", options);
    lacking.map(missing_column).collect()
}

fn is_correction(cells: Cells<'_>, at: Option<usize>) -> Result<bool, CellProblem> {
    let Some(at) = at else { return Ok(false) };
    match cells.value(at) {
        None => Ok(false),
        Some(flag) if flag.eq_ignore_ascii_case("true") => Ok(true),
        Some(flag) if flag.eq_ignore_ascii_case("false") => Ok(false),
        Some(flag) => Err(CellProblem {
            at,
            reason: RejectReason::Value {
                value: flag.to_owned(),
                expected: "true, false",
            },
        }),
    }
}

/// The FOCUS category of a service, by its primary purpose as docs.oracle.com groups them; a
/// service that is not listed has none.
fn service_category(service: &str) -> Option<&'static str> {
    let category = match letters(service).as_str() {
        "compute"
        | "containerengine"
        | "containerengineforkubernetes"
        | "oke"
        | "functions"
        | "faas"
        | "containerinstances" => "Compute",
        "blockstorage" | "blockvolume" | "objectstorage" | "objectstore" | "filestorage"
        | "archivestorage" => "Storage",
        "network"
        | "networking"
        | "virtualcloudnetwork"
        | "vcn"
        | "loadbalancer"
        | "networkloadbalancer"
        | "fastconnect"
        | "dns" => "Networking",
        "database" | "autonomousdatabase" | "mysql" | "nosql" | "nosqldatabase" | "postgresql" => {
            "Databases"
        }
        "datascience" | "generativeai" | "language" | "vision" => "AI and Machine Learning",
        "analytics" | "analyticscloud" | "bigdata" | "dataflow" | "datacatalog" => "Analytics",
        "monitoring" | "logging" | "logginganalytics" | "telemetry" | "notifications" => {
            "Management and Governance"
        }
        "kms" | "keymanagement" | "vault" | "bastion" | "waf" | "networkfirewall"
        | "cloudguard" => "Security",
        "streaming" | "queue" | "apigateway" | "integration" => "Integration",
        _ => return None,
    };
    Some(category)
}
