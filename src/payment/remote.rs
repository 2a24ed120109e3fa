//! The sandbox in another process, so that several replicas share one book.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::{
    AuthorizeRequest, Authorized, Found, Gateway, GatewayFault, Lookup, MoneyRequest, Moved,
};
use crate::outbound::{Client, OutboundFault};

/// What the sandbox's server writes when there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFault {
    /// Which of the three.
    pub fault: FaultKind,
    /// In words.
    pub detail: String,
}

/// The kinds of [`GatewayFault`], as they travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It may have acted.
    Unknown,
    /// It cannot have acted.
    NotSent,
    /// It will never do this.
    Refused,
}

impl From<GatewayFault> for RemoteFault {
    fn from(fault: GatewayFault) -> Self {
        let (fault, detail) = match fault {
            GatewayFault::Unknown(detail) => (FaultKind::Unknown, detail),
            GatewayFault::NotSent(detail) => (FaultKind::NotSent, detail),
            GatewayFault::Refused(detail) => (FaultKind::Refused, detail),
        };
        Self { fault, detail }
    }
}

impl From<RemoteFault> for GatewayFault {
    fn from(RemoteFault { fault, detail }: RemoteFault) -> Self {
        match fault {
            FaultKind::Unknown => Self::Unknown(detail),
            FaultKind::NotSent => Self::NotSent(detail),
            FaultKind::Refused => Self::Refused(detail),
        }
    }
}

/// A client of `doorbuster sandbox`.
#[derive(Debug, Clone)]
pub struct RemoteSandbox {
    base: String,
    client: Client,
    timeout: Duration,
}

impl RemoteSandbox {
    /// A client of the sandbox at `base` (`http://127.0.0.1:8090`), which waits `timeout` for each
    /// answer.
    pub fn new(base: &str, client: Client, timeout: Duration) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), client, timeout }
    }

    async fn post<R: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<R, GatewayFault> {
        let url = format!("{}/{path}", self.base);
        self.client.post_json(&url, body, self.timeout).await.map_err(fault)
    }
}

/// The server's own words where it had some; otherwise what the connection tells.
fn fault(outbound: OutboundFault) -> GatewayFault {
    if let OutboundFault::Status(_, body) = &outbound
        && let Ok(said) = serde_json::from_str::<RemoteFault>(body)
    {
        return said.into();
    }
    if outbound.may_have_acted() {
        GatewayFault::Unknown(outbound.to_string())
    } else {
        GatewayFault::NotSent(outbound.to_string())
    }
}

#[async_trait]
impl Gateway for RemoteSandbox {
    fn name(&self) -> &str {
        "sandbox_remote"
    }

    fn is_test(&self) -> bool {
        true
    }

    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        self.post("authorize", request).await
    }

    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.post("capture", request).await
    }

    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.post("void", request).await
    }

    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.post("refund", request).await
    }

    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        self.post("end", lookup).await
    }

    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        let url = format!("{}/find/{}", self.base, lookup.reference);
        self.client.get_json(&url, self.timeout).await.map_err(fault)
    }
}
