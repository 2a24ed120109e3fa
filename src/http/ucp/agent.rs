//! `UCP-Agent`: who the platform is and which version it speaks.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::Ready;

use super::VERSION;
use crate::{
    base::{Origin, Protocol},
    http::{kinds::Kind, problem::Problem},
};

/// Longest address of a profile that is kept, in bytes: as long as the addresses that every proxy
/// and server on the way lets through.
const PROFILE_BYTES_MAX: usize = 2048;

/// The platform behind a request. Its profile is not fetched here: one that is missing, unreachable
/// or garbage stands in nobody's way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    profile: Option<Box<str>>,
}

impl Agent {
    /// Whether it said who it is.
    pub const fn is_named(&self) -> bool {
        self.profile.is_some()
    }

    /// Where what this platform opens comes from.
    pub fn origin(self) -> Origin {
        Origin { protocol: Protocol::Ucp, platform: self.profile }
    }
}

impl FromRequest for Agent {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get("ucp-agent").and_then(|value| value.to_str().ok());
        let wanted = header.and_then(version);
        std::future::ready(match wanted {
            Some(version) if version != VERSION => Err(unsupported(version)),
            _ => Ok(Self { profile: header.and_then(profile) }),
        })
    }
}

fn unsupported(version: &str) -> Problem {
    let text = format!("Version {version} is not spoken here; {VERSION} is.");
    Problem::new(Kind::VersionUnsupported, text)
        .suggest("See /.well-known/ucp for what is spoken here.")
}

/// The `version` of the dictionary (RFC 8941), when it has the form of a version; garbage is none.
fn version(header: &str) -> Option<&str> {
    let value = member(header, "version")?;
    let is_date = value.len() == 10
        && value.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date.then_some(value)
}

/// The `profile` of the dictionary, when it has the form of an address that can be asked.
pub fn profile(header: &str) -> Option<Box<str>> {
    let value = member(header, "profile").filter(|value| value.len() <= PROFILE_BYTES_MAX)?;
    let is_address = value.starts_with("https://") || value.starts_with("http://");
    let is_clean = value.bytes().all(|byte| byte.is_ascii_graphic());
    (is_address && is_clean).then(|| value.into())
}

fn member<'a>(header: &'a str, wanted: &str) -> Option<&'a str> {
    header.split([',', ';']).find_map(|member| {
        let (name, value) = member.split_once('=')?;
        (name.trim() == wanted).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::{profile, version};

    #[test]
    fn only_a_profile_that_can_be_asked_counts() {
        let platform = r#"profile="https://agent.example/p?a=1", version="2026-04-08""#;
        assert_eq!(profile(platform).as_deref(), Some("https://agent.example/p?a=1"));
        let long = format!("profile=\"https://agent.example/{}\"", "p".repeat(2048));
        for garbage in ["", "profile", r#"profile="file:///x""#, r#"profile="https://a b""#, &long]
        {
            assert_eq!(profile(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn only_a_version_that_is_one_counts() {
        let platform = r#"profile="https://agent.example/p", version="2026-01-11""#;
        assert_eq!(version(platform), Some("2026-01-11"));
        assert_eq!(
            version(r#"profile="https://a.example"; version="2027-01-01""#),
            Some("2027-01-01")
        );
        for garbage in ["", "x", "version=", "version=\"latest\"", "=;,=", "profile=\"version\""] {
            assert_eq!(version(garbage), None, "{garbage}");
        }
    }
}
