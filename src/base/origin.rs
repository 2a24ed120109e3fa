//! Where a checkout comes from: the protocol it was opened over and the platform that opened it.

use serde::{Deserialize, Serialize};

/// The protocols that checkouts are opened over, each with its version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// Our own express lane.
    #[serde(rename = "v1")]
    V1,
    /// The Universal Commerce Protocol, 2026-04-08.
    #[default]
    #[serde(rename = "ucp/2026-04-08")]
    Ucp,
    /// The Universal Commerce Protocol, 2026-01-11.
    #[serde(rename = "ucp/2026-01-11")]
    Ucp202601,
    /// The Agentic Commerce Protocol, 2026-04-17.
    #[serde(rename = "acp/2026-04-17")]
    Acp,
}

impl Protocol {
    /// Every protocol, for tables that must be complete.
    pub const ALL: [Self; 4] = [Self::V1, Self::Ucp, Self::Ucp202601, Self::Acp];

    /// Its name with its version, as the ledger keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Ucp => "ucp/2026-04-08",
            Self::Ucp202601 => "ucp/2026-01-11",
            Self::Acp => "acp/2026-04-17",
        }
    }

    /// The protocol of this name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.as_str() == name)
    }

    /// Whether a checkout opened over this protocol may be asked for over `other`. The express lane
    /// has no resource of its own for a checkout: UCP shows it.
    pub fn is_open_to(self, other: Self) -> bool {
        self == other || self == Self::V1
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a checkout comes from. It never changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The protocol it was opened over.
    pub protocol: Protocol,
    /// The address of the platform's profile, where it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Box<str>>,
}

impl Origin {
    /// Opened over this protocol, by nobody in particular.
    pub const fn of(protocol: Protocol) -> Self {
        Self { protocol, platform: None }
    }

    /// Whether there is nothing to say that is not said of most checkouts.
    pub fn is_usual(&self) -> bool {
        self.protocol == Protocol::default() && self.platform.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_is_read_as_it_is_written() {
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::read(protocol.as_str()), Some(protocol));
            let json = serde_json::to_string(&protocol).unwrap();
            assert_eq!(json, format!("\"{protocol}\""));
        }
        assert_eq!(Protocol::read("ucp"), None);
    }

    #[test]
    fn only_what_the_express_lane_opened_is_open_to_others() {
        assert!(Protocol::V1.is_open_to(Protocol::Ucp));
        assert!(!Protocol::Ucp.is_open_to(Protocol::V1));
        assert!(!Protocol::Ucp.is_open_to(Protocol::Acp));
        assert!(!Protocol::Ucp202601.is_open_to(Protocol::Ucp));
    }
}
