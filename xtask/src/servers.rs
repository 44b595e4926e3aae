//! Which servers do tests and examples talk to? One Redis, one Redis Cluster of three and one stand-in
//! for AWS, started for the run on loopback, unless the caller names others.
//!
//! They are shared: a test uses keys of its own and changes nothing else. A test that pauses or
//! kills a server starts one for itself.

mod moto;
mod ports;
mod process;

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::steps::Steps;
use crate::workspace::Workspace;
use process::{PATIENCE, Process, bound_to_this_thread};

/// Names the single server: `redis://127.0.0.1:12000`.
const SINGLE: &str = "BURSAR_REDIS_URL";

/// Names the nodes of the cluster, separated by commas.
const CLUSTER: &str = "BURSAR_REDIS_CLUSTER_URLS";

/// The fewest that `redis-cli --cluster create` accepts.
const CLUSTER_NODES: usize = 3;

/// How long a server may take over one answer before it is asked again.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// A running server, stopped when it is dropped.
pub(crate) struct Server {
    process: Process,
    scheme: &'static str,
    port: u16,
}

/// Starts what the caller's environment does not name, each as a step, and exports where it is to
/// all commands of the workspace. The servers run until the answer is dropped.
pub(crate) fn start(workspace: &mut Workspace, steps: &mut Steps) -> Vec<Server> {
    let mut running = Vec::new();
    let single: fn(&Workspace) -> Result<Vec<Server>> = start_single;
    for (variable, name, start) in [
        (SINGLE, "start Redis", single),
        (CLUSTER, "start Redis Cluster", start_cluster),
        (moto::URL, "start moto", moto::start),
    ] {
        if names_servers(std::env::var_os(variable).as_deref()) {
            println!("\n{variable} is set: what it names is used, nothing is started");
            continue;
        }
        let started = steps.run(name, || {
            let servers = start(workspace)?;
            println!("{variable}={}", urls(&servers));
            Ok(servers)
        });
        if let Some(servers) = started {
            workspace.export(variable, urls(&servers));
            running.extend(servers);
        }
    }
    running
}

/// An empty variable is how a shell takes one back, so it counts as none.
fn names_servers(variable: Option<&OsStr>) -> bool {
    variable.is_some_and(|value| !value.is_empty())
}

fn urls(servers: &[Server]) -> String {
    join_urls(servers.iter().map(|server| (server.scheme, server.port)))
}

fn join_urls(places: impl Iterator<Item = (&'static str, u16)>) -> String {
    let urls: Vec<String> = places
        .map(|(scheme, port)| format!("{scheme}://{}", address(port)))
        .collect();
    urls.join(",")
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn start_single(_: &Workspace) -> Result<Vec<Server>> {
    start_servers(1, &[])
}

fn start_cluster(_: &Workspace) -> Result<Vec<Server>> {
    let mut nodes = start_servers(CLUSTER_NODES, &["--cluster-enabled", "yes"])?;
    form_cluster(&nodes)?;
    for node in &mut nodes {
        let port = node.port;
        node.process.wait_until("part of a cluster", PATIENCE, || {
            ask(port, "CLUSTER INFO").is_ok_and(|answer| is_formed(&answer, CLUSTER_NODES))
        })?;
    }
    Ok(nodes)
}

fn start_servers(count: usize, settings: &[&str]) -> Result<Vec<Server>> {
    let mut servers = ports::choose(count)?
        .into_iter()
        .map(|port| start_server(port, settings))
        .collect::<Result<Vec<Server>>>()?;
    for server in &mut servers {
        // Somebody else may have taken the port and would answer as well.
        let (port, id) = (server.port, server.process.id().to_string());
        server.process.wait_until("answering", PATIENCE, || {
            ask(port, "INFO server").is_ok_and(|answer| field(&answer, "process_id") == Some(&id))
        })?;
    }
    Ok(servers)
}

fn start_server(port: u16, settings: &[&str]) -> Result<Server> {
    let mut command = bound_to_this_thread("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--daemonize", "no", "--save", "", "--appendonly", "no"])
        .args(settings);
    let process = Process::start(&format!("redis-server on port {port}"), &mut command)?;
    Ok(Server {
        process,
        scheme: "redis",
        port,
    })
}

fn form_cluster(nodes: &[Server]) -> Result<()> {
    let mut command = bound_to_this_thread("redis-cli");
    command
        .env_remove("REDISCLI_AUTH")
        .args(["--cluster", "create"])
        .args(nodes.iter().map(|node| address(node.port).to_string()))
        .args(["--cluster-replicas", "0", "--cluster-yes"]);
    Process::start("redis-cli --cluster create", &mut command)?
        .finish(PATIENCE)
        .context("the servers do not form a cluster")
}

/// One command, written as a line, and what the server says until it closes the connection.
fn ask(port: u16, command: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address(port), ANSWER_TIME)?;
    connection.set_read_timeout(Some(ANSWER_TIME))?;
    connection.write_all(format!("{command}\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

fn is_formed(cluster_info: &str, nodes: usize) -> bool {
    field(cluster_info, "cluster_state") == Some("ok")
        && field(cluster_info, "cluster_known_nodes") == Some(&nodes.to_string())
}

/// The value of a line `name:value`, as INFO and CLUSTER INFO write them.
fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use super::{ask, field, is_formed, join_urls, names_servers};

    const FORMED: &str = "$50\r\ncluster_state:ok\r\ncluster_slots_ok:16384\r\n\
                          cluster_known_nodes:3\r\n\r\n+OK\r\n";

    #[test]
    fn a_field_is_read_by_its_whole_name() {
        assert_eq!(field(FORMED, "cluster_state"), Some("ok"));
        assert_eq!(field(FORMED, "cluster_slots_ok"), Some("16384"));
        assert_eq!(field(FORMED, "cluster_slots"), None);
        assert_eq!(field("", "cluster_state"), None);
    }

    #[test]
    fn a_cluster_is_formed_when_it_is_ok_and_knows_all_nodes() {
        assert!(is_formed(FORMED, 3));
        assert!(!is_formed(FORMED, 4));
        assert!(!is_formed(&FORMED.replace(":ok", ":fail"), 3));
        assert!(!is_formed("-LOADING Redis is loading\r\n+OK\r\n", 3));
    }

    #[test]
    fn servers_are_named_by_urls_with_commas_between() {
        let single = [("http", 12_000)];
        assert_eq!(join_urls(single.into_iter()), "http://127.0.0.1:12000");
        let cluster = [12_000, 12_001, 12_004].map(|port| ("redis", port));
        assert_eq!(
            join_urls(cluster.into_iter()),
            "redis://127.0.0.1:12000,redis://127.0.0.1:12001,redis://127.0.0.1:12004"
        );
    }

    #[test]
    fn an_empty_variable_names_no_server() {
        assert!(names_servers(Some(OsStr::new("redis://cache:6379"))));
        assert!(!names_servers(Some(OsStr::new(""))));
        assert!(!names_servers(None));
    }

    #[test]
    fn the_answer_is_all_that_comes_until_the_connection_closes() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            connection.write_all(FORMED.as_bytes()).unwrap();
            // Reads the question before it closes, which would otherwise discard the answer.
            let mut question = [0; 20];
            connection.read_exact(&mut question).unwrap();
            question
        });
        assert_eq!(ask(port, "CLUSTER INFO").unwrap(), FORMED);
        assert_eq!(&server.join().unwrap(), b"CLUSTER INFO\r\nQUIT\r\n");
    }

    #[test]
    fn nobody_listening_is_an_error() {
        // tcpmux, which no system has served for decades.
        assert!(ask(1, "PING").is_err());
    }
}
