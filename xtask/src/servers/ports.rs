//! On which ports do the servers of a test run listen? Below those that Linux hands out to outgoing
//! connections, so that none of them is taken between the choice and the start.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

use anyhow::{Context, Result};

/// A node of Redis Cluster talks to the others on the port this far above that of its clients:
/// <https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/>.
pub(super) const CLUSTER_BUS_OFFSET: u16 = 10_000;

/// As many as the offset, so that no server's port is another one's bus. Linux hands out 32768 and
/// above (`net.ipv4.ip_local_port_range`), and a Redis of the system listens on 6379.
const CANDIDATES: RangeInclusive<u16> = 12_000..=21_999;

/// Runs at the same time have different process ids; each begins its search this far from the next.
const DISTANCE_OF_RUNS: u64 = 8;

/// Chooses as many ports as wanted, each free together with its cluster bus.
pub(super) fn choose(wanted: usize) -> Result<Vec<u16>> {
    choose_from(first_candidate(std::process::id()), wanted, is_free)
}

fn first_candidate(process: u32) -> usize {
    let index = u64::from(process) * DISTANCE_OF_RUNS % u64::from(CLUSTER_BUS_OFFSET);
    usize::try_from(index).unwrap_or(0)
}

fn choose_from(first: usize, wanted: usize, is_free: impl Fn(u16) -> bool) -> Result<Vec<u16>> {
    let chosen: Vec<u16> = CANDIDATES
        .skip(first)
        .chain(CANDIDATES.take(first))
        .filter(|port| is_free(*port) && is_free(*port + CLUSTER_BUS_OFFSET))
        .take(wanted)
        .collect();
    (chosen.len() == wanted).then_some(chosen).with_context(|| {
        format!(
            "fewer than {wanted} free ports on 127.0.0.1 from {} to {}: end what listens there",
            CANDIDATES.start(),
            CANDIDATES.end()
        )
    })
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{Ipv4Addr, TcpListener};

    use super::{CANDIDATES, CLUSTER_BUS_OFFSET, choose, choose_from, first_candidate, is_free};

    #[test]
    fn the_first_free_ports_are_chosen() {
        assert_eq!(
            choose_from(0, 3, |_| true).unwrap(),
            [12_000, 12_001, 12_002]
        );
        assert_eq!(choose_from(40, 1, |_| true).unwrap(), [12_040]);
    }

    #[test]
    fn a_port_is_passed_over_when_it_or_its_cluster_bus_is_taken() {
        let free = |port| ![12_000, 22_001].contains(&port);
        assert_eq!(choose_from(0, 2, free).unwrap(), [12_002, 12_003]);
    }

    #[test]
    fn the_search_goes_on_at_the_lowest_candidate_after_the_highest() {
        assert_eq!(
            choose_from(9_999, 3, |_| true).unwrap(),
            [21_999, 12_000, 12_001]
        );
    }

    #[test]
    fn too_few_free_ports_are_an_error_that_says_where() {
        let error = choose_from(0, 3, |port| [12_000, 22_000].contains(&port)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "fewer than 3 free ports on 127.0.0.1 from 12000 to 21999: end what listens there"
        );
    }

    #[test]
    fn ports_and_buses_never_meet_nor_the_port_of_a_system_redis() {
        let ports = choose_from(0, CANDIDATES.len(), |_| true).unwrap();
        let buses: BTreeSet<u16> = ports.iter().map(|port| port + CLUSTER_BUS_OFFSET).collect();
        assert_eq!(buses.len(), 10_000);
        assert!(ports.iter().all(|port| !buses.contains(port)));
        assert!(buses.iter().all(|bus| *bus < 32_768));
        assert!(!ports.contains(&6_379));
    }

    #[test]
    fn runs_with_neighboring_process_ids_begin_apart() {
        assert_eq!(first_candidate(100), 800);
        assert_eq!(first_candidate(101), 808);
        assert!(first_candidate(u32::MAX) < CANDIDATES.len());
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
        assert_eq!(choose(4).unwrap().len(), 4);
    }
}
