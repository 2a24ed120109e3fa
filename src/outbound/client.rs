//! JSON out, JSON in, before a deadline.

use reqwest::{RequestBuilder, Response, dns::Resolve, redirect};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{error::Error, time::Duration};

use super::{OutboundFault, install_tls_provider};
use crate::base::Chain;

/// Bytes of a refusal's body that are kept: enough for a problem document, too little for a page.
const STATUS_BODY_BYTES: usize = 2048;

/// Limits of the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundSettings {
    /// Milliseconds a connection may take; a host that is down is then known before most deadlines.
    pub connect_ms: u64,
    /// Bytes of an answer that are read; longer ones are an attack or a mistake.
    pub body_bytes: usize,
    /// Idle connections kept per host, so that a burst does not begin with handshakes.
    pub idle_per_host: usize,
    /// Seconds an idle connection is kept. Below the 75 s at which common servers close theirs,
    /// because a request on a connection that is just closing has an unknown outcome.
    pub idle_seconds: u64,
}

impl Default for OutboundSettings {
    fn default() -> Self {
        Self { connect_ms: 1_000, body_bytes: 1024 * 1024, idle_per_host: 64, idle_seconds: 20 }
    }
}

/// The client. Clones share one pool.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    body_bytes: usize,
}

impl Client {
    /// A client with these limits. Installs the TLS provider if nobody did.
    ///
    /// # Errors
    /// When the system's root certificates cannot be loaded.
    pub fn new(settings: &OutboundSettings) -> Result<Self, OutboundFault> {
        Self::build(settings, reqwest::Client::builder())
    }

    /// The same, with names resolved like this.
    pub(super) fn resolving(
        settings: &OutboundSettings,
        resolver: impl Resolve + 'static,
    ) -> Result<Self, OutboundFault> {
        Self::build(settings, reqwest::Client::builder().dns_resolver(resolver))
    }

    fn build(
        settings: &OutboundSettings,
        builder: reqwest::ClientBuilder,
    ) -> Result<Self, OutboundFault> {
        install_tls_provider();
        let http = builder
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_millis(settings.connect_ms))
            .pool_max_idle_per_host(settings.idle_per_host)
            .pool_idle_timeout(Duration::from_secs(settings.idle_seconds))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| OutboundFault::NotSent(told(&error)))?;
        Ok(Self { http, body_bytes: settings.body_bytes })
    }

    /// Posts a JSON body and reads a JSON answer.
    ///
    /// # Errors
    /// Any answer but a 2xx with the expected JSON, within `deadline`.
    pub async fn post_json<B, R>(
        &self,
        url: &str,
        body: &B,
        deadline: Duration,
    ) -> Result<R, OutboundFault>
    where
        B: Serialize + Sync + ?Sized,
        R: DeserializeOwned,
    {
        self.ask(self.http.post(url).json(body), deadline).await
    }

    /// Reads a JSON answer.
    ///
    /// # Errors
    /// As [`post_json`](Self::post_json).
    pub async fn get_json<R: DeserializeOwned>(
        &self,
        url: &str,
        deadline: Duration,
    ) -> Result<R, OutboundFault> {
        self.ask(self.http.get(url), deadline).await
    }

    async fn ask<R: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        deadline: Duration,
    ) -> Result<R, OutboundFault> {
        // The deadline covers the body as well: a server that drips bytes is a server that is late.
        let response = request.timeout(deadline).send().await.map_err(fault)?;
        let status = response.status();
        if status.is_success() {
            let body = self.read(response).await?;
            return serde_json::from_slice(&body)
                .map_err(|error| OutboundFault::Broken(format!("not the JSON expected: {error}")));
        }
        let mut body = self.read(response).await.unwrap_or_default();
        body.truncate(STATUS_BODY_BYTES);
        Err(OutboundFault::Status(status.as_u16(), String::from_utf8_lossy(&body).into_owned()))
    }

    pub(super) async fn read(&self, mut response: Response) -> Result<Vec<u8>, OutboundFault> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if body.len() + chunk.len() > self.body_bytes {
                let limit = self.body_bytes;
                return Err(OutboundFault::Broken(format!("longer than {limit} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// A request that was not built or not connected was not sent; anything else may have arrived.
pub(super) fn fault(error: reqwest::Error) -> OutboundFault {
    if error.is_builder() || error.is_connect() {
        OutboundFault::NotSent(told(&error))
    } else if error.is_timeout() {
        OutboundFault::TimedOut
    } else {
        OutboundFault::Broken(told(&error))
    }
}

/// What it came of, without the library's own sentence: that names the address, which may carry
/// secrets.
fn told(error: &reqwest::Error) -> String {
    let mut cause: &(dyn Error + 'static) = error;
    while cause.is::<reqwest::Error>() {
        let Some(inner) = cause.source() else { return "malformed address".to_owned() };
        cause = inner;
    }
    Chain(cause).to_string()
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
