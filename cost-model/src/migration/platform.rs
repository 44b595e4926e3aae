//! What does the name of an EC2 type say about the platform that it runs on?

use crate::instances::InstanceType;

/// Families on Xen; all later ones are on Nitro.
///
/// Source: Amazon EC2 User Guide, "Instance types", section on the hypervisor, with `g3s` counted to
/// G3 as the guide does; the answers of `DescribeInstanceTypes` in moto 5.2.5 agree for all
/// families that they have.
const XEN: [&str; 22] = [
    "c1", "c3", "c4", "d2", "f1", "g3", "g3s", "h1", "i2", "i3", "m1", "m2", "m3", "m4", "p2",
    "p3", "r3", "r4", "t1", "t2", "x1", "x1e",
];

/// Families with local disks whose name does not say so by `i` or `d`.
///
/// Source: `InstanceStorageSupported` in the answers of `DescribeInstanceTypes`, moto 5.2.5; `f1`
/// by the Amazon EC2 User Guide.
const LOCAL_DISKS: [&str; 27] = [
    "c1", "c3", "dl1", "f1", "f2", "g5", "g6", "g6e", "g6f", "g7e", "gr6", "gr6f", "h1", "m1",
    "m2", "m3", "p5", "p5e", "p5en", "p6-b200", "p6-b300", "r3", "trn1", "trn1n", "trn2", "x1",
    "x1e",
];

/// What runs the machine; a change of it renames devices and needs other drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Hypervisor {
    /// The one before 2017: disks are `xvd`, and the network has no ENA on most types.
    Xen,
    /// The present one: disks are NVMe, and the network needs the ENA driver.
    Nitro,
}

/// What a name tells of the platform; `None` for a name that EC2 does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Platform {
    pub(super) hypervisor: Hypervisor,
    pub(super) local_disks: bool,
}

impl Platform {
    pub(super) fn of(machine: &InstanceType) -> Option<Platform> {
        let (family, size) = machine.name.split_once('.')?;
        let known_size = ["nano", "micro", "small", "medium", "large"].contains(&size)
            || size.ends_with("xlarge")
            || size.starts_with("metal");
        let digit = family.find(|c: char| c.is_ascii_digit())?;
        let (class, rest) = family.split_at(digit);
        let named = !class.is_empty() && class.chars().all(|c| c.is_ascii_lowercase());
        if !known_size || !named {
            return None;
        }
        let bare_metal = size.starts_with("metal");
        let xen = XEN.contains(&family) && !bare_metal;
        // `i` and `d` are storage families; behind the generation a `d` stands for local disks.
        let storage = class == "i" || class == "im" || class == "is" || class == "d";
        Some(Platform {
            hypervisor: if xen {
                Hypervisor::Xen
            } else {
                Hypervisor::Nitro
            },
            local_disks: storage || rest.contains('d') || LOCAL_DISKS.contains(&family),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::instances::Architecture;

    #[test]
    fn names_tell_hypervisor_and_local_disks() {
        for (name, expected) in [
            ("t2.micro", Some((Hypervisor::Xen, false))),
            ("t3.micro", Some((Hypervisor::Nitro, false))),
            ("m4.16xlarge", Some((Hypervisor::Xen, false))),
            ("i3.large", Some((Hypervisor::Xen, true))),
            ("i3.metal", Some((Hypervisor::Nitro, true))),
            ("i3en.large", Some((Hypervisor::Nitro, true))),
            ("m6gd.large", Some((Hypervisor::Nitro, true))),
            ("r8g.metal-24xl", Some((Hypervisor::Nitro, false))),
            ("x2iedn.32xlarge", Some((Hypervisor::Nitro, true))),
            ("p3dn.24xlarge", Some((Hypervisor::Nitro, true))),
            ("im4gn.large", Some((Hypervisor::Nitro, true))),
            ("g6-standard-4", None),
            ("m5", None),
            ("m5.huge", None),
        ] {
            let machine = InstanceType::new(name, Architecture::X86_64, NonZeroU32::MIN, 1);
            let platform = Platform::of(&machine).map(|p| (p.hypervisor, p.local_disks));
            assert_eq!(platform, expected, "{name}");
        }
    }
}
