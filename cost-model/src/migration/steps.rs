//! What is done, in which order, what is checked, and what undoes it?

use super::{MigrationTerms, RiskTolerance};
use crate::instances::InstanceType;

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MigrationStep {
    /// Which step it is.
    pub kind: StepKind,
    /// Its name for a reader.
    pub title: &'static str,
    /// What is done.
    pub actions: Vec<String>,
    /// What must hold before the next step starts.
    pub checks: Vec<String>,
    /// What undoes it when a later check fails; `None` where it changed nothing.
    pub compensation: Option<String>,
    /// Whether a person has to agree before it starts.
    pub confirmed_by_person: bool,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum StepKind {
    /// Credentials, permissions and the old machine as it is.
    Preflight,
    /// How quick the old machine is.
    PerformanceBaseline,
    /// An image of the old machine.
    ImageBackup,
    /// Data, configuration and services, with a manifest.
    DataBackup,
    /// The new machine starts, without users.
    TestInstance,
    /// The service is put on it.
    DeployAndConfigure,
    /// It is healthy, and quick enough.
    VerifyPerformance,
    /// A few users are served by it; only with [`RiskTolerance::Low`].
    Canary,
    /// What was written since the backup follows, with writes stopped.
    FinalDelta,
    /// Traffic moves in stages; only with [`RiskTolerance::Low`].
    GradualShift,
    /// The address moves.
    SwitchAddress,
    /// The old machine stops.
    StopOld,
    /// The old machine is terminated later.
    DeferredTermination,
    /// The saving is compared with the bill.
    Completion,
}

/// How clients find the machine, and what moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AddressSwitch {
    /// An elastic address is associated with the new machine.
    ElasticAddress,
    /// The new machine is registered with a target group of a load balancer.
    TargetGroup,
    /// A person changes a DNS record; the plan says how.
    Dns,
}

/// The steps from one machine to another.
pub(super) fn between(
    current: &InstanceType,
    target: &InstanceType,
    terms: &MigrationTerms,
) -> Vec<MigrationStep> {
    let mut steps = vec![
        preflight(current, target),
        performance_baseline(terms),
        image_backup(current, target),
        data_backup(),
        test_instance(current, target),
        deploy(),
        verify(terms),
    ];
    let careful = terms.tolerance == RiskTolerance::Low;
    if careful {
        steps.push(canary(terms));
    }
    steps.push(final_delta());
    if careful {
        steps.push(gradual_shift(terms));
    }
    steps.extend([
        switch_address(terms.switch),
        stop_old(terms),
        deferred_termination(terms),
        completion(),
    ]);
    steps
}

fn step(kind: StepKind, title: &'static str) -> MigrationStep {
    MigrationStep {
        kind,
        title,
        actions: Vec::new(),
        checks: Vec::new(),
        compensation: None,
        confirmed_by_person: false,
    }
}

impl MigrationStep {
    fn action(mut self, action: impl Into<String>) -> MigrationStep {
        self.actions.push(action.into());
        self
    }

    fn check(mut self, check: impl Into<String>) -> MigrationStep {
        self.checks.push(check.into());
        self
    }

    fn undone_by(mut self, compensation: impl Into<String>) -> MigrationStep {
        self.compensation = Some(compensation.into());
        self
    }

    fn confirmed(mut self) -> MigrationStep {
        self.confirmed_by_person = true;
        self
    }
}

fn preflight(current: &InstanceType, target: &InstanceType) -> MigrationStep {
    step(StepKind::Preflight, "Preflight")
        .action("check the credentials, and with dry runs that each later call is permitted")
        .action(format!(
            "describe the old machine: that it is a {}, its network, security groups, role, \
             volumes, addresses and tags",
            current.name
        ))
        .check(format!(
            "{} is offered in the zone of its volumes, and the quota of vCPU has room for {} more",
            target.name, target.vcpus
        ))
        .check("nothing was changed so far")
}

fn performance_baseline(terms: &MigrationTerms) -> MigrationStep {
    let checks = &terms.checks;
    step(StepKind::PerformanceBaseline, "Performance baseline")
        .action(format!(
            "call each endpoint of the old machine {} times, and keep the times: {}",
            checks.calls_per_endpoint,
            endpoints(terms)
        ))
        .action("keep CPU, memory, network and volume use of the last 14 days")
        .check("the old machine itself passes the checks that the new one has to pass")
}

fn image_backup(current: &InstanceType, target: &InstanceType) -> MigrationStep {
    let one = current.architecture == target.architecture;
    let purpose = if one {
        "it serves rollback, and the new machine starts from it"
    } else {
        "it serves rollback only, for it does not start on the other architecture"
    };
    step(StepKind::ImageBackup, "Image backup")
        .action(format!("make an image of the old machine; {purpose}"))
        .action(
            "choose between a restart, which CreateImage does unless it is told not to, and an \
             image that is only as consistent as after a power cut",
        )
        .check("the image is available, and names a snapshot for every volume")
        .undone_by("deregister the image and delete its snapshots")
}

fn data_backup() -> MigrationStep {
    step(StepKind::DataBackup, "Data backup")
        .action("copy data, configuration, service units and a dump of the database")
        .action("write a manifest: each file with its size and SHA-256 checksum")
        .check("every file of the manifest reads back with its checksum")
        .undone_by("delete the objects of this backup")
}

fn test_instance(current: &InstanceType, target: &InstanceType) -> MigrationStep {
    let image = if current.architecture == target.architecture {
        "from the image backup".to_owned()
    } else {
        format!("from a base image of {}", target.architecture)
    };
    step(StepKind::TestInstance, "Test instance")
        .action(format!(
            "launch a {} {image}, with network, role and tags of the old one, and a token that \
             makes the call safe to repeat",
            target.name
        ))
        .check("it runs, and both status checks of the provider pass")
        .undone_by("terminate the new machine, and its volumes with it")
}

fn deploy() -> MigrationStep {
    step(StepKind::DeployAndConfigure, "Deploy and configure")
        .action("install the service, restore the data backup, and enable the service units")
        .action("set worker counts and memory limits for the new size")
        .check("every restored file has the checksum of the manifest")
        .undone_by("nothing of its own: the new machine goes with its launch")
}

fn verify(terms: &MigrationTerms) -> MigrationStep {
    let checks = &terms.checks;
    step(StepKind::VerifyPerformance, "Verify performance")
        .action(format!(
            "wait {} s, then ask for its health up to {} times, {} s apart",
            checks.first_wait_s, checks.health_tries, checks.health_interval_s
        ))
        .action(format!(
            "call each endpoint {} times: {}",
            checks.calls_per_endpoint,
            endpoints(terms)
        ))
        .check(format!(
            "{} % of the calls are answered; FAIL otherwise",
            checks.success_percent
        ))
        .check(format!(
            "the mean of each endpoint is within {} of what is expected: PASS, else WARN, which a \
             person decides on",
            times(checks.allowed_percent)
        ))
        .undone_by("terminate the new machine; users never saw it")
}

fn canary(terms: &MigrationTerms) -> MigrationStep {
    step(StepKind::Canary, "Canary")
        .action("send 5 % of the reading traffic to the new machine for an hour; writes stay")
        .check(format!(
            "errors are not more frequent than on the old machine, and p95 is within {} of its \
             baseline",
            times(terms.checks.allowed_percent)
        ))
        .undone_by("send all traffic to the old machine again")
}

fn final_delta() -> MigrationStep {
    step(StepKind::FinalDelta, "Final delta")
        .action("stop writes on the old machine")
        .action("copy what changed since the data backup, and extend the manifest by it")
        .check("both machines agree on every checksum of the manifest")
        .undone_by("allow writes on the old machine again")
}

fn gradual_shift(terms: &MigrationTerms) -> MigrationStep {
    step(StepKind::GradualShift, "Gradual traffic shift")
        .action("from here on, writes go to the new machine alone")
        .action("move reading traffic to 25, 50 and 75 %, 15 minutes each")
        .check(format!(
            "at each stage, errors and p95 as for the canary: within {} of the baseline",
            times(terms.checks.allowed_percent)
        ))
        .undone_by(
            "stop writes, copy what was written since the final delta back, and send all traffic \
             to the old machine",
        )
}

fn switch_address(switch: AddressSwitch) -> MigrationStep {
    let step = step(StepKind::SwitchAddress, "Switch of the address");
    match switch {
        AddressSwitch::ElasticAddress => step
            .action(
                "associate the elastic address with the new machine, after checking that it is \
                 still with the old one: the call takes it from wherever it is",
            )
            .check("the service answers at the address, and the old machine gets no new calls")
            .undone_by(
                "copy what was written since the switch back, and associate the address with the \
                 old machine",
            ),
        AddressSwitch::TargetGroup => step
            .action("register the new machine, wait until it is healthy, then take the old one out")
            .check("the target group has the new machine alone, healthy, and the old one drained")
            .undone_by(
                "copy what was written since the switch back, register the old machine, and take \
                 the new one out",
            ),
        AddressSwitch::Dns => step
            .action("lower the time to live of the record to 60 s, and wait for the old one")
            .action("a person sets the record to the address of the new machine")
            .check("the name resolves to the new machine from outside, and calls arrive there")
            .undone_by(
                "copy what was written since the switch back; a person sets the record to the old \
                 address",
            )
            .confirmed(),
    }
}

fn stop_old(terms: &MigrationTerms) -> MigrationStep {
    let delay = terms.checks.termination_delay_h;
    step(StepKind::StopOld, "Stop of the old machine")
        .action(format!(
            "stop the old machine, do not terminate it; its volumes are kept, and charged, for \
             {delay} h more"
        ))
        .check("the new machine serves as before")
        .undone_by("start the old machine again; without an elastic address it has a new one")
        .confirmed()
}

fn deferred_termination(terms: &MigrationTerms) -> MigrationStep {
    let delay = terms.checks.termination_delay_h;
    step(StepKind::DeferredTermination, "Deferred termination")
        .action(format!(
            "terminate the old machine {delay} h after its stop, unless that is cancelled"
        ))
        .check("nobody cancelled it, and the new machine stayed healthy until then")
        .undone_by(
            "until then: cancel, and start the old machine; after it: launch from the image backup",
        )
}

fn completion() -> MigrationStep {
    step(StepKind::Completion, "Completion")
        .action("release addresses and delete volumes that the old machine left")
        .action("compare the bill of the next days with the projected cost")
        .action("delete the image and the data backup when their retention ends")
        .check("the saving is on the bill")
}

/// `health 0.1 s, generate 2.0 s, chat 1.5 s`.
fn endpoints(terms: &MigrationTerms) -> String {
    let endpoints = terms.checks.endpoints.iter();
    let shown: Vec<String> = endpoints
        .map(|endpoint| {
            let seconds = f64::from(endpoint.expected_ms) / 1_000.0;
            if endpoint.expected_ms % 100 == 0 {
                format!("{} {seconds:.1} s", endpoint.name)
            } else {
                format!("{} {seconds:.3} s", endpoint.name)
            }
        })
        .collect();
    if shown.is_empty() {
        return "no endpoint is named".to_owned();
    }
    shown.join(", ")
}

/// `1.5 ×` of 150 %.
fn times(percent: u32) -> String {
    format!("{} ×", f64::from(percent) / 100.0)
}
