//! Addresses that come from others: only what is public is reached, and what was checked is what is
//! connected to.
//!
//! A name is resolved here, each address is checked, and the connection goes to one of those that
//! passed: a name that answers otherwise a moment later (DNS rebinding) changes nothing.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use super::{
    Answer, Client, OutboundFault, OutboundSettings,
    exchange::{Exchange, Method},
};

/// Longest address that is taken, in bytes: as long as the addresses that servers on the way let
/// through.
const URL_BYTES_MAX: usize = 2048;

/// How far a guarded client reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses, over TLS.
    Public,
    /// And this machine, without TLS: for development.
    PublicAndLoopback,
}

/// An address that may be asked. Whoever holds one got it from [`GuardedClient::target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host and, unless it is the usual one, its port; its path; its query.
    pub fn parts(&self) -> (String, String, Option<String>) {
        let url = reqwest::Url::parse(&self.0).expect("invariant: a target was parsed");
        let host = url.host_str().unwrap_or_default();
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        (authority, url.path().to_owned(), url.query().map(str::to_owned))
    }
}

/// Why an address is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefused {
    /// It does not read, or is too long.
    #[error("the address is not one; write it as https://host/path")]
    Malformed,
    /// It is not encrypted.
    #[error("the address must start with https://")]
    Insecure,
    /// It names a user.
    #[error("the address must not name a user or a password")]
    Credentials,
    /// It leads into a private network.
    #[error("the address is not a public one")]
    NotPublic,
}

/// Finds the addresses of a name.
pub type Lookup = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>
        + Send
        + Sync,
>;

/// A client for addresses that come from others.
#[derive(Debug, Clone)]
pub struct GuardedClient {
    client: Client,
    reach: Reach,
}

impl GuardedClient {
    /// A client that asks the system for names.
    ///
    /// # Errors
    /// When the system's root certificates cannot be loaded.
    pub fn new(settings: &OutboundSettings, reach: Reach) -> Result<Self, OutboundFault> {
        let system: Lookup = Arc::new(|name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        });
        Self::resolving(settings, reach, system)
    }

    /// A client that finds names like this.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn resolving(
        settings: &OutboundSettings,
        reach: Reach,
        lookup: Lookup,
    ) -> Result<Self, OutboundFault> {
        let client = Client::resolving(settings, Guard { reach, lookup })?;
        Ok(Self { client, reach })
    }

    /// Checks what can be checked without asking anybody. Names are checked when they are resolved.
    ///
    /// # Errors
    /// When the address may not be asked.
    pub fn target(&self, raw: &str) -> Result<Target, TargetRefused> {
        if raw.len() > URL_BYTES_MAX {
            return Err(TargetRefused::Malformed);
        }
        let url = reqwest::Url::parse(raw).map_err(|_| TargetRefused::Malformed)?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or(TargetRefused::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetRefused::Credentials);
        }
        match url.scheme() {
            "https" => {}
            "http" if self.reach == Reach::PublicAndLoopback => {}
            _ => return Err(TargetRefused::Insecure),
        }
        // The parser has made every odd spelling of an address (octal, one number) a plain one.
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse::<IpAddr>()
            && !self.reach.includes(address)
        {
            return Err(TargetRefused::NotPublic);
        }
        Ok(Target(url.into()))
    }

    /// Reads, whatever the status.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub async fn get(&self, target: &Target, deadline: Duration) -> Result<Answer, OutboundFault> {
        let exchange = Exchange { method: Method::Get, url: &target.0, headers: &[], body: None };
        self.client.exchange(exchange, deadline).await
    }

    /// Posts JSON, and reads the answer whatever its status.
    ///
    /// # Errors
    /// When there is no whole answer within `deadline`, or no address that may be asked.
    pub async fn post(
        &self,
        target: &Target,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
        deadline: Duration,
    ) -> Result<Answer, OutboundFault> {
        let exchange = Exchange { method: Method::Post, url: &target.0, headers, body: Some(body) };
        self.client.exchange(exchange, deadline).await
    }
}

impl Reach {
    /// Whether an address may be connected to.
    pub fn includes(self, address: IpAddr) -> bool {
        if self == Self::PublicAndLoopback && plain(address).is_loopback() {
            return true;
        }
        match plain(address) {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        }
    }
}

/// An IPv4 address that was written as an IPv6 one leads where the IPv4 one leads.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Whether it is none of IANA's special-purpose IPv4 addresses (RFC 6890 and its registry).
const fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Whether it is a global unicast address and none that stands for another (6to4, Teredo) or for
/// documentation. One that NAT64 translates (RFC 6052) is as public as the IPv4 address in it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    match parts {
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Resolves names to what may be connected to.
struct Guard {
    reach: Reach,
    lookup: Lookup,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, found) = (self.reach, (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let found = found.await?;
            let allowed: Vec<_> = found
                .into_iter()
                .filter(|address| reach.includes(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() {
                return Err(TargetRefused::NotPublic.into());
            }
            let allowed: Addrs = Box::new(allowed.into_iter());
            Ok(allowed)
        })
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
