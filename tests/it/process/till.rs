//! HTTP, as a storefront speaks it: keys, retries, and an address that changes with each restart.

use doorbuster::outbound::{Answer, Client, Exchange, Method, OutboundFault, OutboundSettings};
use serde_json::Value;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Longer than the service ever takes: who waits this long was left hanging.
pub(super) const HANGING: Duration = Duration::from_secs(20);

/// How long an answer is insisted on: longer than any disk was seen to stall.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of the service. Clones share its address.
#[derive(Clone)]
pub(super) struct Till {
    client: Client,
    base: Arc<Mutex<String>>,
    key: Option<String>,
    agent: Option<String>,
}

impl Till {
    /// A till at this address.
    pub(super) fn at(base: &str) -> Self {
        let settings = OutboundSettings { body_bytes: 8 << 20, ..OutboundSettings::default() };
        let client = Client::new(&settings).expect("a client");
        Self { client, base: Arc::new(Mutex::new(base.to_owned())), key: None, agent: None }
    }

    /// The same with an API key.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The same, as the platform with this profile.
    pub(super) fn as_platform(&self, profile: &str) -> Self {
        Self { agent: Some(format!("profile=\"{profile}\"")), ..self.clone() }
    }

    /// The service has moved.
    pub(super) fn moved(&self, base: &str) {
        base.clone_into(&mut self.base.lock().expect("nobody panics here"));
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.lock().expect("nobody panics here"))
    }

    /// Reads.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, OutboundFault> {
        self.exchange(Method::Get, path, &[], None).await
    }

    /// Changes something under this key.
    pub(super) async fn post(
        &self,
        key: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, OutboundFault> {
        let headers = [("idempotency-key", key)];
        self.exchange(Method::Post, path, &headers, Some(body)).await
    }

    /// The same with more headers.
    pub(super) async fn post_with(
        &self,
        headers: &[(&'static str, &str)],
        path: &str,
        body: &Value,
    ) -> Result<Answer, OutboundFault> {
        self.exchange(Method::Post, path, headers, Some(body)).await
    }

    /// The same, and once more under the same key while the service is not able to answer (503): a
    /// disk that stalls under the ledger is no answer.
    pub(super) async fn insists(&self, key: &str, path: &str, body: &Value) -> Answer {
        let late = Instant::now() + PATIENCE;
        loop {
            let answer = self.post(key, path, body).await.expect("it answers");
            if answer.status != 503 || Instant::now() > late {
                return answer;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, OutboundFault> {
        let bearer = self.key.as_ref().map(|key| format!("Bearer {key}"));
        let mut headers = headers.to_vec();
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        headers.extend(self.agent.as_deref().map(|agent| ("ucp-agent", agent)));
        let body = body.map(|body| body.to_string().into_bytes());
        let exchange = Exchange { method, url: &self.url(path), headers: &headers, body };
        self.client.exchange(exchange, HANGING).await
    }

    /// Reads JSON from a service that is well.
    pub(super) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await.expect("the service answers");
        assert_eq!(answer.status, 200, "{path}: {}", text(&answer));
        json(&answer)
    }

    /// Waits until `path` answers with this status.
    pub(super) async fn until(&self, path: &str, status: u16, within: Duration) {
        let late = Instant::now() + within;
        loop {
            let answer = self.get(path).await;
            if answer.as_ref().is_ok_and(|answer| answer.status == status) {
                return;
            }
            assert!(Instant::now() < late, "{path} is no {status} after {within:?}: {answer:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The body as JSON.
pub(super) fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("no JSON: {}", text(answer)))
}

/// The body as text.
pub(super) fn text(answer: &Answer) -> String {
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}

/// A key nobody used.
pub(super) fn fresh_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("process-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
