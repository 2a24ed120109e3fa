//! A URL that may carry a password.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A URL that may carry a password. Every way of writing it hides the password; only
/// [`expose`](Self::expose) gives it away.
#[derive(Clone)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    /// Wraps a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(SecretString::from(url.into()))
    }

    /// The URL with its password, for the one call that connects.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The part before `://`; empty when there is none.
    pub fn scheme(&self) -> &str {
        self.expose().split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// The URL with `***` in the place of each password.
    pub fn redacted(&self) -> String {
        let url = self.expose();
        let Some((scheme, rest)) = url.split_once("://") else {
            return "***".to_owned();
        };
        let (address, query) =
            rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
        // The last `@`: a password that was not percent-encoded may hold others.
        let address = match address.rsplit_once('@') {
            None => address.to_owned(),
            Some((who, host)) => match who.split_once(':') {
                None => format!("{who}@{host}"),
                Some((user, _)) => format!("{user}:***@{host}"),
            },
        };
        let query = query.map_or_else(String::new, |query| format!("?{}", redact_query(query)));
        format!("{scheme}://{address}{query}")
    }
}

/// Drivers also take the password as a parameter.
fn redact_query(query: &str) -> String {
    let hide = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
        _ => pair.to_owned(),
    };
    query.split('&').map(hide).collect::<Vec<_>>().join("&")
}

impl PartialEq for SecretUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.redacted())
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::SecretUrl;

    #[test]
    fn every_way_of_writing_it_hides_the_password() {
        for (url, shown) in [
            ("postgres://shop:s3cret@db/shop", "postgres://shop:***@db/shop"),
            ("postgres://shop:p@ss:w@db:5432/shop", "postgres://shop:***@db:5432/shop"),
            ("postgres://shop@db/shop", "postgres://shop@db/shop"),
            ("redis://:s3cret@cache/0", "redis://:***@cache/0"),
            ("postgres://db/s?user=u&password=s3cret", "postgres://db/s?user=u&password=***"),
            ("s3cret", "***"),
        ] {
            let url = SecretUrl::new(url);
            assert_eq!(url.redacted(), shown);
            assert_eq!(format!("{url:?}"), shown);
            assert_eq!(serde_json::to_string(&url).unwrap(), format!("\"{shown}\""));
        }
        assert_eq!(SecretUrl::new("redis://:s3cret@cache").expose(), "redis://:s3cret@cache");
    }
}
