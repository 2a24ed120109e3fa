//! Redis Clusters of three masters: one per test run, and those that one test alone has, to kill,
//! to silence and to reshard. The first is named by `DOORBUSTER_TEST_REDIS_CLUSTER` if it stands.

use std::{
    env,
    fmt::Write as _,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};
use tempfile::TempDir;

use super::servers::{end_with_us, redis_program};

/// What each of the three masters has.
const SHARES: [(u16, u16); 3] = [(0, 5460), (5461, 10_922), (10_923, 16_383)];

/// A node listens for its neighbors on a port this much higher.
const BUS: u16 = 10_000;

/// How long anything may take on a loaded machine.
const LONG: Duration = Duration::from_secs(30);

/// The address of a Redis Cluster that only this test run uses.
pub(crate) fn shared() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        env::var("DOORBUSTER_TEST_REDIS_CLUSTER").unwrap_or_else(|_| {
            let cluster = OwnCluster::start();
            for node in &cluster.nodes {
                let pid = node.child.as_ref().map(Child::id).expect("it runs");
                end_with_us(&pid.to_string(), node.folder.path());
            }
            let address = cluster.url();
            // The guards end it.
            std::mem::forget(cluster);
            address
        })
    })
}

/// Three masters without replicas. What one of them has is lost with it; the others go on.
pub(crate) struct OwnCluster {
    nodes: Vec<Member>,
}

struct Member {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

/// What a node says that has heard of every slot's owner.
const ALL_ASSIGNED: &str = "cluster_slots_assigned:16384";

impl OwnCluster {
    /// Starts one, whole and empty.
    pub(crate) fn start() -> Self {
        let mut cluster = Self { nodes: Vec::new() };
        for (first, last) in SHARES {
            let number = cluster.add();
            let slots = (first..=last).fold(String::new(), |mut slots, slot| {
                let _written = write!(slots, " {slot}");
                slots
            });
            let said = cluster.says(number, &format!("CLUSTER ADDSLOTS{slots}"));
            assert_eq!(said, "+OK", "slots of {number}");
        }
        let numbers = 0..cluster.nodes.len();
        cluster.until("the cluster is whole", |cluster| {
            numbers.clone().all(|number| {
                let told = cluster.says(number, "CLUSTER INFO");
                let all = ["cluster_state:ok", "cluster_known_nodes:3", ALL_ASSIGNED];
                all.iter().all(|part| told.contains(part))
            })
        });
        cluster
    }

    /// Starts another node and makes it known to the first. Returns its number.
    fn add(&mut self) -> usize {
        let number = self.nodes.len();
        let member =
            Member { folder: tempfile::tempdir().expect("a folder"), port: 0, child: None };
        self.nodes.push(member);
        // A port found free may be taken a moment later.
        for _ in 0..5 {
            self.nodes[number].port = two_free_ports();
            if self.try_start(number) {
                if number > 0 {
                    let port = self.nodes[number].port;
                    assert_eq!(self.says(0, &format!("CLUSTER MEET 127.0.0.1 {port}")), "+OK");
                }
                return number;
            }
        }
        panic!("redis-server does not start as a cluster's node");
    }

    /// Adds a replica of a master and waits until it has its copies. Returns its number.
    pub(crate) fn add_replica_of(&mut self, master: usize) -> usize {
        let number = self.add();
        let id = self.id(master);
        self.until("the replica knows its master", |cluster| {
            cluster.says(number, &format!("CLUSTER REPLICATE {id}")) == "+OK"
        });
        self.until("the replica has its copies", |cluster| {
            cluster.says(number, "INFO replication").contains("master_link_status:up")
        });
        number
    }

    /// Its address, as the configuration has it.
    pub(crate) fn url(&self) -> String {
        let nodes: Vec<_> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis-cluster://{}", nodes.join(","))
    }

    /// The address of one node, as if it stood alone.
    pub(crate) fn url_of(&self, number: usize) -> String {
        format!("redis://127.0.0.1:{}", self.nodes[number].port)
    }

    /// The number of the master that has a key, when the slots lie as they did at the start.
    pub(crate) fn owner_of(&self, key: &str) -> usize {
        let slot = self.slot_of(key);
        SHARES.iter().position(|(first, last)| (*first..=*last).contains(&slot)).expect("a slot")
    }

    /// A key's slot, as the server counts it.
    pub(crate) fn slot_of(&self, key: &str) -> u16 {
        let alive = (0..self.nodes.len()).find(|number| self.nodes[*number].child.is_some());
        let said = self.says(alive.expect("one is alive"), &format!("CLUSTER KEYSLOT {key}"));
        said.trim_start_matches(':').parse().expect("a number")
    }

    /// How a node is called among its neighbors.
    pub(crate) fn id(&self, number: usize) -> String {
        self.says(number, "CLUSTER MYID").lines().last().expect("an id").to_owned()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, number: usize) {
        let mut child = self.nodes[number].child.take().expect("it runs");
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
    }

    /// Starts a node again, empty, with the slots it had.
    pub(crate) fn start_again(&mut self, number: usize) {
        assert!(self.try_start(number), "a node starts again");
        self.until("the node is back among the others", |cluster| {
            let up = |number| cluster.says(number, "CLUSTER INFO").contains("cluster_state:ok");
            (0..SHARES.len()).all(up) && !cluster.says(0, "CLUSTER NODES").contains("fail")
        });
    }

    /// Stops a node without closing anything, as a dead network would look; or lets it go on.
    pub(crate) fn signal(&self, number: usize, signal: &str) {
        let pid = self.nodes[number].child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Sends a command to one node and returns its answer.
    pub(crate) fn says(&self, number: usize, command: &str) -> String {
        ask(self.nodes[number].port, command).expect("it answers")
    }

    /// Waits until something holds.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..LONG.as_millis() / 20 {
            if holds(self) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{what}: not within {LONG:?}");
    }

    fn try_start(&mut self, number: usize) -> bool {
        let node = &mut self.nodes[number];
        let mut child = Command::new(redis_program())
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"])
            .args(["--cluster-require-full-coverage", "no", "--port"])
            .arg(node.port.to_string())
            .current_dir(node.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; ./tests/run brings it");
        for _ in 0..LONG.as_millis() / 10 {
            if ask(node.port, "PING").is_some_and(|answer| answer == "+PONG") {
                node.child = Some(child);
                return true;
            }
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        drop(child.kill());
        drop(child.wait());
        false
    }
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().filter_map(|node| node.child.as_mut()) {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// One command on a line of its own, and what comes back at once.
fn ask(port: u16, command: &str) -> Option<String> {
    let mut line = TcpStream::connect(("127.0.0.1", port)).ok()?;
    line.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    line.write_all(format!("{command}\r\n").as_bytes()).ok()?;
    let mut answer = vec![0; 16 * 1024];
    let length = line.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..length]).trim_end().to_owned())
}

/// A free port whose neighbor for the cluster's own talk is free as well.
fn two_free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..200 {
        let found = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let found = found.local_addr().expect("it has an address").port();
        // Below the range from which the system hands ports out.
        let port = 20_000 + found % 12_000;
        if free(port) && free(port + BUS) {
            return port;
        }
    }
    panic!("no two free ports");
}
