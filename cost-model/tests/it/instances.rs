//! Instance types: the shipped catalog, the tables, and the lists that they are made of.

mod importing;
mod shipped;
mod tables;

use bursar_cost_model::instances::InstanceTables;

/// The tables of the crate `bursar-catalog`.
const SHIPPED: InstanceTables<'static> = InstanceTables {
    instances: bursar_catalog::INSTANCES,
    credits: bursar_catalog::INSTANCE_CREDITS,
    measurements: bursar_catalog::INSTANCE_MEASUREMENTS,
    prices: bursar_catalog::INSTANCE_PRICES,
    spot: bursar_catalog::INSTANCE_SPOT,
    sources: bursar_catalog::INSTANCE_SOURCES,
};

const INSTANCES: &str = "instance,architecture,vcpus,memory_mib,network_baseline_mbps,\
     network_burst_mbps,ebs_baseline_mbps,ebs_maximum_mbps,ebs_baseline_iops,ebs_maximum_iops,cpu,\
     accelerated,generation,source\n";
const CREDITS: &str = "instance,baseline_percent,credits_per_hour,credit_cap,default_mode,\
     surplus_per_vcpu_hour,source\n";
const MEASUREMENTS: &str = "instance,measured_on,cpu_score,usable_memory_mib,source\n";
const PRICES: &str = "region,instance,from,until,on_demand,reserved_one_year,spot,source\n";
const SPOT: &str = "region,instance,saving_percent,interruption,source\n";
const SOURCES: &str = "source,name,url,license,as_of\n";

#[test]
fn values_and_errors_can_be_shared_between_threads() {
    use bursar_cost_model::instances::*;
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    shared::<InstanceCatalog>();
    shared::<InstanceOrigin>();
    shared::<InstanceReview>();
    shared::<InstanceTexts>();
    shared::<InstanceType>();
    shared::<MotoTypes>();
    error::<CatalogProblem>();
    error::<ImportError>();
    error::<InstanceCatalogError>();
}
