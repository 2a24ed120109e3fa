//! Where the load goes: this machine and no other.

use anyhow::{bail, ensure};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A server on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
}

impl Target {
    /// A target from `http://127.0.0.1:8080`, with or without the scheme. No name but `localhost`
    /// is looked up: whoever means another machine is told no before a packet leaves.
    ///
    /// # Errors
    /// When it is not an address of this machine.
    pub fn parse(raw: &str) -> anyhow::Result<Self> {
        ensure!(!raw.starts_with("https://"), "`{raw}`: the driver speaks plain HTTP");
        let bare = raw.strip_prefix("http://").unwrap_or(raw).trim_end_matches('/');
        let address = match bare.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port| (Ipv4Addr::LOCALHOST, port).into()),
            None => bare.parse().ok(),
        };
        let Some(address): Option<SocketAddr> = address else {
            bail!("`{raw}` is no address of this machine; name it as http://127.0.0.1:PORT");
        };
        ensure!(
            is_loopback(address.ip()),
            "`{raw}` is not on this machine; the driver sends load to loopback addresses only, so \
             that nobody's shop is ever flooded by mistake"
        );
        Ok(Self { address, host: address.to_string() })
    }
}

/// `::ffff:127.0.0.1` is loopback, too.
fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn this_machine_is_found_however_it_is_written() {
        for raw in ["127.0.0.1:80", "http://127.8.0.1:80/", "localhost:80", "http://[::1]:80"] {
            assert!(Target::parse(raw).is_ok(), "{raw}");
        }
        let target = Target::parse("http://localhost:8080/").expect("loopback");
        assert_eq!(target.host, "127.0.0.1:8080");
    }

    #[test]
    fn another_machine_is_refused_and_told_why() {
        for raw in ["http://192.0.2.1:80", "10.0.0.1:80", "0.0.0.0:80", "[2001:db8::1]:80"] {
            let why = Target::parse(raw).expect_err(raw).to_string();
            assert!(why.contains("loopback addresses only"), "{why}");
        }
        for raw in ["shop.example:80", "http://localhost.shop.example:80", "127.0.0.1", ""] {
            let why = Target::parse(raw).expect_err(raw).to_string();
            assert!(why.contains("no address of this machine"), "{why}");
        }
        let why = Target::parse("https://127.0.0.1:1").expect_err("TLS").to_string();
        assert!(why.contains("plain HTTP"), "{why}");
    }
}
