//! Who gets a delivery: an endpoint of the merchant's choosing, or the platform that placed the
//! order.

use super::{endpoint::Endpoint, telling::Form};
use crate::base::{Origin, Protocol};

/// Who gets a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A merchant's endpoint.
    Endpoint(Endpoint),
    /// A platform; where it listens, its profile says.
    Platform(Platform),
}

/// A platform that wants to hear of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The protocol it spoke.
    pub protocol: Protocol,
    /// The address of its profile.
    pub profile: Box<str>,
}

impl Platform {
    /// The platform that opened a checkout, if it named itself over a protocol that tells
    /// platforms.
    pub fn of(origin: &Origin) -> Option<Self> {
        Form::of_platform(origin.protocol)?;
        let profile = origin.platform.clone()?;
        Some(Self { protocol: origin.protocol, profile })
    }

    /// Its name among receivers.
    pub fn key(&self) -> String {
        format!("{} {}", self.protocol, self.profile)
    }

    /// The platform of this name.
    pub fn read(key: &str) -> Option<Self> {
        let (protocol, profile) = key.split_once(' ')?;
        let protocol = Protocol::read(protocol)?;
        Form::of_platform(protocol)?;
        Some(Self { protocol, profile: profile.into() })
    }

    /// How it is told.
    pub fn form(&self) -> Form {
        Form::of_platform(self.protocol).unwrap_or_default()
    }
}

impl Receiver {
    /// Its name among receivers, as deliveries keep it.
    pub fn key(&self) -> String {
        match self {
            Self::Endpoint(endpoint) => endpoint.id.to_string(),
            Self::Platform(platform) => platform.key(),
        }
    }

    /// Whether nothing is sent to it now.
    pub const fn is_off(&self) -> bool {
        match self {
            Self::Endpoint(endpoint) => !endpoint.active,
            Self::Platform(_) => false,
        }
    }

    /// How it is told.
    pub fn form(&self) -> Form {
        match self {
            Self::Endpoint(endpoint) => endpoint.form,
            Self::Platform(platform) => platform.form(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_read_as_it_is_named() {
        let origin = |protocol| Origin { protocol, platform: Some("https://a.example/p".into()) };
        for protocol in Protocol::ALL {
            let platform = Platform::of(&origin(protocol));
            assert_eq!(platform.is_some(), protocol.as_str().starts_with("ucp/"), "{protocol}");
            if let Some(platform) = platform {
                assert_eq!(Platform::read(&platform.key()), Some(platform));
            }
        }
        assert_eq!(Platform::of(&Origin::of(Protocol::Ucp)), None);
        for other in ["", "whe_1", "acp/2026-04-17 https://a.example", "ucp/x https://a.example"] {
            assert_eq!(Platform::read(other), None, "{other}");
        }
    }
}
