//! `UCP-Agent`: who the platform is and which version it speaks.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::Ready;

use super::VERSION;
use crate::http::{kinds::Kind, problem::Problem};

/// The platform behind a request, as far as a checkout needs to know it: not at all. A profile that
/// is missing, unreachable or garbage stands in nobody's way, so none is fetched.
#[derive(Debug, Clone, Copy)]
pub struct Agent;

impl FromRequest for Agent {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get("ucp-agent").and_then(|value| value.to_str().ok());
        let wanted = header.and_then(version);
        std::future::ready(match wanted {
            Some(version) if version != VERSION => Err(unsupported(version)),
            _ => Ok(Self),
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
    let value = header.split([',', ';']).find_map(|member| {
        let (name, value) = member.split_once('=')?;
        (name.trim() == "version").then(|| value.trim().trim_matches('"'))
    })?;
    let is_date = value.len() == 10
        && value.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::version;

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
