//! Where Redis is: one server, or a cluster of them.

/// What a cluster's address starts with.
const CLUSTER: &str = "redis-cluster://";

/// How an address looks, for whoever wrote another one.
const EXPECTED: &str = "expects an address such as `redis://127.0.0.1:6379`, or \
                        `redis-cluster://host1:6379,host2:6379,host3:6379` for a Redis Cluster";

/// A Redis's address. May hold a password, hence no `Debug`.
pub(super) enum Address {
    /// One server, as the driver reads it.
    Alone(String),
    /// A cluster, of which some nodes are known.
    Cluster(Nodes),
}

/// The nodes of a cluster that the configuration names, and how to reach those it does not name.
pub(super) struct Nodes {
    /// `redis://user:password@`
    before: String,
    /// `host:port`, at least one.
    pub(super) known: Vec<String>,
    /// `?protocol=resp3`, or nothing.
    after: String,
}

impl Address {
    /// Reads an address. The reason why it cannot be read repeats no part of it: it may hold a
    /// password.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        match url.strip_prefix(CLUSTER) {
            Some(rest) => Nodes::parse(rest).map(Self::Cluster),
            None if url.starts_with("rediss") => {
                Err("TLS to Redis is not built in; use `redis://` on a private network".to_owned())
            }
            None => {
                let read = redis::Client::open(url).map(|_| Self::Alone(url.to_owned()));
                read.map_err(|error| told(error.detail()))
            }
        }
    }
}

impl Nodes {
    fn parse(rest: &str) -> Result<Self, String> {
        let (address, after) = match rest.find('?') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (who, hosts) = match address.rfind('@') {
            Some(at) => address.split_at(at + 1),
            None => ("", address),
        };
        let hosts = hosts.strip_suffix('/').unwrap_or(hosts);
        if who.contains(',') {
            return Err("a Redis Cluster has one user and password: write them once, before the \
                        first host"
                .to_owned());
        }
        if hosts.contains('/') {
            return Err("a Redis Cluster has no numbered databases: leave the path out".to_owned());
        }
        let known = hosts.split(',').map(with_port).collect();
        let nodes = Self { before: format!("redis://{who}"), known, after: after.to_owned() };
        for node in &nodes.known {
            let host = node.rsplit_once(':').map_or("", |(host, _)| host);
            let read = redis::Client::open(nodes.url(node)).map(drop);
            if host.is_empty() || read.is_err() {
                return Err(told(None));
            }
        }
        Ok(nodes)
    }

    /// The whole address of one node, password included.
    pub(super) fn url(&self, node: &str) -> String {
        format!("{}{node}{}", self.before, self.after)
    }
}

/// A host without a port listens on the usual one.
fn with_port(host: &str) -> String {
    let bare = host.rsplit_once(']').map_or(host, |(_, port)| port);
    if bare.contains(':') { host.to_owned() } else { format!("{host}:6379") }
}

fn told(why: Option<&str>) -> String {
    why.map_or_else(|| EXPECTED.to_owned(), |why| format!("{EXPECTED}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> Nodes {
        match Address::parse(url) {
            Ok(Address::Cluster(nodes)) => nodes,
            Ok(Address::Alone(_)) => panic!("{url} is a cluster's"),
            Err(why) => panic!("{url}: {why}"),
        }
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        for (url, known, first) in [
            ("redis-cluster://a:7000,b", &["a:7000", "b:6379"][..], "redis://a:7000"),
            ("redis-cluster://a", &["a:6379"][..], "redis://a:6379"),
            ("redis-cluster://:p@a:1,b:2/", &["a:1", "b:2"][..], "redis://:p@a:1"),
            (
                "redis-cluster://u:p%40@[::1]:1,[::2]?protocol=resp3",
                &["[::1]:1", "[::2]:6379"][..],
                "redis://u:p%40@[::1]:1?protocol=resp3",
            ),
        ] {
            let nodes = nodes(url);
            assert_eq!(nodes.known, known, "{url}");
            assert_eq!(nodes.url(&nodes.known[0]), first, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_what_to_write_and_no_password() {
        for (url, says) in [
            ("http://u:secret@127.0.0.1", "redis://127.0.0.1:6379"),
            ("redis://:secret@host:port", "redis://127.0.0.1:6379"),
            ("rediss://:secret@host", "TLS to Redis is not built in"),
            ("redis-cluster://", "redis-cluster://host1:6379"),
            ("redis-cluster://:secret@a:7000,,b", "redis-cluster://host1:6379"),
            ("redis-cluster://:secret@a:port", "redis-cluster://host1:6379"),
            ("redis-cluster://:secret@a:1,:secret@b:2", "write them once"),
            ("redis-cluster://:secret@a:1,b:2/3", "no numbered databases"),
        ] {
            let why = Address::parse(url).err().expect(url);
            assert!(why.contains(says) && !why.contains("secret"), "{url}: {why}");
        }
    }
}
