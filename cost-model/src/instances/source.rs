//! Which types was the points scorer first written for?

use super::{InstanceCatalog, InstanceTables};

/// The 14 types of the source from which the points scorer was taken, with the prices given there:
/// a test catalog, and no basis for a decision.
///
/// The prices are of an unknown day, and those of c6g look off from the list price. The source knows
/// one figure of the network, which stands here as baseline and burst, and neither credits, volumes
/// nor measurements, so that its burstable types look as if they could use their CPU all day.
///
/// ```
/// use bursar_cost_model::instances::source_catalog;
///
/// let catalog = source_catalog();
/// assert_eq!(catalog.len(), 14);
/// let machine = catalog.get("t4g.medium").expect("the source has it");
/// assert_eq!(machine.reserved_one_year.map(|it| it.to_string()).as_deref(), Some("0.0243 USD"));
/// assert_eq!(machine.spot_price.map(|it| it.to_string()).as_deref(), Some("0.0101 USD"));
/// ```
#[must_use]
pub fn source_catalog() -> InstanceCatalog {
    InstanceCatalog::parse(&TABLES, "us-east-1").expect("the tables below can be read")
}

const TABLES: InstanceTables<'static> = InstanceTables {
    instances: "\
instance,architecture,vcpus,memory_mib,network_baseline_mbps,network_burst_mbps,ebs_baseline_mbps,ebs_maximum_mbps,ebs_baseline_iops,ebs_maximum_iops,cpu,accelerated,generation,source
c5.large,x86_64,2,4096,10000,10000,,,,,full,no,current,source
c5.xlarge,x86_64,4,8192,10000,10000,,,,,full,no,current,source
c6g.large,arm64,2,4096,10000,10000,,,,,full,no,current,source
c6g.xlarge,arm64,4,8192,10000,10000,,,,,full,no,current,source
m5.large,x86_64,2,8192,10000,10000,,,,,full,no,current,source
m5.xlarge,x86_64,4,16384,10000,10000,,,,,full,no,current,source
m6g.large,arm64,2,8192,10000,10000,,,,,full,no,current,source
m6g.xlarge,arm64,4,16384,10000,10000,,,,,full,no,current,source
t3.large,x86_64,2,8192,5000,5000,,,,,full,no,current,source
t3.medium,x86_64,2,4096,5000,5000,,,,,full,no,current,source
t3.xlarge,x86_64,4,16384,5000,5000,,,,,full,no,current,source
t4g.large,arm64,2,8192,5000,5000,,,,,full,no,current,source
t4g.medium,arm64,2,4096,5000,5000,,,,,full,no,current,source
t4g.xlarge,arm64,4,16384,5000,5000,,,,,full,no,current,source
",
    prices: "\
region,instance,from,until,on_demand,reserved_one_year,spot,source
us-east-1,c5.large,,,0.085,0.0615,0.0256,source
us-east-1,c5.xlarge,,,0.17,0.123,0.0511,source
us-east-1,c6g.large,,,0.0688,0.0497,0.0207,source
us-east-1,c6g.xlarge,,,0.1376,0.0994,0.0413,source
us-east-1,m5.large,,,0.096,0.0694,0.0288,source
us-east-1,m5.xlarge,,,0.192,0.1389,0.0576,source
us-east-1,m6g.large,,,0.077,0.0557,0.0231,source
us-east-1,m6g.xlarge,,,0.154,0.1113,0.0462,source
us-east-1,t3.large,,,0.0832,0.0602,0.0250,source
us-east-1,t3.medium,,,0.0416,0.0301,0.0125,source
us-east-1,t3.xlarge,,,0.1664,0.1203,0.0500,source
us-east-1,t4g.large,,,0.0672,0.0486,0.0202,source
us-east-1,t4g.medium,,,0.0336,0.0243,0.0101,source
us-east-1,t4g.xlarge,,,0.1344,0.0972,0.0403,source
",
    // The day on which the list came to this project; the source does not say of which day it is.
    sources: "source,name,url,license,as_of\nsource,the source of the points scorer,,,2026-11-20\n",
    credits: "",
    measurements: "",
    spot: "",
};
