//! `UCP-Agent`, as every version of the protocol sends it: who the platform is, and which version
//! it speaks. A dictionary of RFC 8941; what is garbage in it says nothing.

use actix_web::HttpRequest;

use super::{kinds::Kind, problem::Problem};

/// Longest address of a profile that is kept, in bytes: as long as the addresses that every proxy
/// and server on the way lets through.
const PROFILE_BYTES_MAX: usize = 2048;

/// The header, where there is one.
pub fn header(request: &HttpRequest) -> Option<&str> {
    request.headers().get("ucp-agent").and_then(|value| value.to_str().ok())
}

/// The platform wants to speak another version than the one that is spoken where it asks.
pub fn unsupported(version: &str, spoken: &str) -> Problem {
    let text = format!("Version {version} is not spoken here; {spoken} is.");
    Problem::new(Kind::VersionUnsupported, text)
        .suggest("See /.well-known/ucp for what is spoken here.")
}

/// The `version` of the dictionary (RFC 8941), when it has the form of a version; garbage is none.
pub fn version(header: &str) -> Option<&str> {
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
