//! One request and its whole answer, whatever its status: for callers to whom a 409 or a 503 says
//! something, such as the buyers of a replay.

use reqwest::header::{CACHE_CONTROL, RETRY_AFTER};
use std::time::Duration;

use super::{
    OutboundFault,
    client::{Client, fault},
};

/// The methods we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
    /// Changes something.
    Patch,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// How.
    pub method: Method,
    /// Where.
    pub url: &'a str,
    /// Headers; the content type is JSON's where they do not say another.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// An answer of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// When to come back, when it says so in seconds.
    pub retry_after: Option<Duration>,
    /// How long it may be kept, when it says so.
    pub max_age: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// Sends a request and reads the answer, within `deadline`.
    ///
    /// # Errors
    /// When there is no whole answer; never for a status.
    pub async fn exchange(
        &self,
        exchange: Exchange<'_>,
        deadline: Duration,
    ) -> Result<Answer, OutboundFault> {
        let method = match exchange.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut request = self.http.request(method, exchange.url).timeout(deadline);
        for (name, value) in exchange.headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = exchange.body {
            let is_said = exchange.headers.iter().any(|(name, _)| *name == "content-type");
            if !is_said {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        let response = request.send().await.map_err(fault)?;
        let status = response.status().as_u16();
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let caching = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let max_age = caching.and_then(max_age);
        Ok(Answer { status, retry_after, max_age, body: self.read(response).await? })
    }
}

/// `max-age` of a `Cache-Control` (RFC 9111 §5.2.2.1).
fn max_age(header: &str) -> Option<Duration> {
    let seconds = header.split(',').find_map(|part| part.trim().strip_prefix("max-age="))?;
    seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_an_answer_may_be_kept_is_read() {
        assert_eq!(max_age("public, max-age=300"), Some(Duration::from_secs(300)));
        assert_eq!(max_age("max-age=\"60\", public"), Some(Duration::from_secs(60)));
        for none in ["", "no-store", "max-age", "max-age=soon", "s-maxage=5"] {
            assert_eq!(max_age(none), None, "{none}");
        }
    }
}
