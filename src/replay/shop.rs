//! The shop as the replay reaches it: over its public HTTP interface, and nothing else.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::wire::{Discovery, Problem};
use crate::outbound::{Answer, Client, Exchange, Method, OutboundFault};

/// How long one request may take before it is asked again with its key. Longer than the service's
/// own limit, so that it is the service that gives up first.
const DEADLINE: Duration = Duration::from_secs(40);

/// How often one request is sent at most. With the pauses below that is about a minute: a service
/// that restarts is back by then.
const SENDINGS: u32 = 25;

/// The pause after a refusal that names none, and the longest that is honored.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

const AGENT: &str = r#"profile="https://replay.invalid/profile""#;

/// A running shop.
#[derive(Debug)]
pub struct Shop {
    client: Client,
    /// Where the protocol answers, as discovered.
    rest: String,
    /// Where the back office answers.
    office: String,
    api_key: Option<String>,
    /// Sendings that were repeated.
    again: AtomicU64,
}

/// The shop did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ShopFault {
    /// It said no: the status and the problem's code.
    #[error("the shop answered {status} {code}: {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's code, when it had one.
        code: String,
        /// Its explanation.
        detail: String,
    },
    /// It gave no answer, however often it was asked.
    #[error("the shop gives no answer: {0}")]
    Silent(OutboundFault),
    /// It answered something else than expected.
    #[error("the shop's answer does not read: {0}")]
    Unreadable(String),
    /// It could not be filled with goods.
    #[error("the shop could not be filled: {0}")]
    Unready(String),
}

impl ShopFault {
    /// A short name for the report.
    pub fn reason(&self) -> String {
        match self {
            Self::Refused { status, code, .. } if code.is_empty() => format!("status {status}"),
            Self::Refused { status, code, .. } => format!("{code} ({status})"),
            Self::Silent(_) => "no answer".to_owned(),
            Self::Unreadable(_) => "unreadable answer".to_owned(),
            Self::Unready(_) => "not filled".to_owned(),
        }
    }
}

/// Which of the shop's two doors.
#[derive(Debug, Clone, Copy)]
pub(super) enum Door {
    /// The protocol.
    Rest,
    /// The back office.
    Office,
}

impl Shop {
    /// Finds the shop's doors by its own description.
    ///
    /// # Errors
    /// When it does not answer or describes no shopping service over REST.
    pub async fn discover(
        client: Client,
        target: &str,
        api_key: Option<String>,
    ) -> Result<Self, ShopFault> {
        let office = target.trim_end_matches('/').to_owned();
        let again = AtomicU64::new(0);
        let mut shop = Self { client, rest: office.clone(), office, api_key, again };
        let found: Discovery = shop.get(Door::Office, "/.well-known/ucp").await?;
        let rest = found.rest_endpoint();
        let rest = rest.ok_or_else(|| {
            ShopFault::Unreadable("its description names no shopping service over REST".into())
        })?;
        shop.rest = rest.to_owned();
        Ok(shop)
    }

    /// How many sendings were repeated so far.
    pub fn sent_again(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }

    pub(super) async fn get<R: DeserializeOwned>(
        &self,
        door: Door,
        path: &str,
    ) -> Result<R, ShopFault> {
        read(self.ask(Method::Get, door, path, None, None).await?)
    }

    /// Posts under an idempotency key; repeated with the same key until there is a definite answer.
    pub(super) async fn post<B: Serialize + Sync, R: DeserializeOwned>(
        &self,
        door: Door,
        path: &str,
        key: &str,
        body: &B,
    ) -> Result<R, ShopFault> {
        let body = serde_json::to_vec(body).map_err(|e| ShopFault::Unreadable(e.to_string()))?;
        read(self.ask(Method::Post, door, path, Some(key), Some(body)).await?)
    }

    async fn ask(
        &self,
        method: Method,
        door: Door,
        path: &str,
        key: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, ShopFault> {
        let base = match door {
            Door::Rest => &self.rest,
            Door::Office => &self.office,
        };
        let url = format!("{base}{path}");
        let mut headers = vec![("ucp-agent", AGENT)];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        headers.extend(self.api_key.as_deref().map(|key| ("x-api-key", key)));
        let mut sent = 0;
        loop {
            let exchange = Exchange { method, url: &url, headers: &headers, body: body.clone() };
            let answer = self.client.exchange(exchange, DEADLINE).await;
            sent += 1;
            let Some(pause) = pause_after(&answer).filter(|_| sent < SENDINGS) else {
                return answer.map_err(ShopFault::Silent);
            };
            self.again.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(pause).await;
        }
    }
}

/// How long to wait before asking again with the same key; `None` when the answer is final.
fn pause_after(answer: &Result<Answer, OutboundFault>) -> Option<Duration> {
    let (usual, longest) = PAUSES;
    match answer {
        Err(OutboundFault::Status(..)) => None,
        Err(_) => Some(usual * 10),
        Ok(answer) => {
            let in_flight = answer.status == 409 && problem(answer).code.contains("in_flight");
            let busy = in_flight || matches!(answer.status, 429 | 500 | 502..=504);
            busy.then(|| answer.retry_after.unwrap_or(usual).min(longest))
        }
    }
}

fn problem(answer: &Answer) -> Problem {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

fn read<R: DeserializeOwned>(answer: Answer) -> Result<R, ShopFault> {
    if !(200..300).contains(&answer.status) {
        let Problem { code, detail } = problem(&answer);
        return Err(ShopFault::Refused { status: answer.status, code, detail });
    }
    // Some answers have no body; `null` stands for it.
    let body = if answer.body.is_empty() { b"null" } else { answer.body.as_slice() };
    serde_json::from_slice(body).map_err(|error| ShopFault::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<u64>, body: &str) -> Result<Answer, OutboundFault> {
        let retry_after = retry_after.map(Duration::from_secs);
        Ok(Answer { status, retry_after, max_age: None, body: body.into() })
    }

    #[test]
    fn only_what_may_change_is_asked_again_and_when_the_shop_says() {
        let second = Duration::from_secs(1);
        let in_flight = r#"{"code":"idempotency_in_flight"}"#;
        let conflict = r#"{"code":"idempotency_conflict"}"#;
        assert_eq!(pause_after(&answer(503, Some(2), "")), Some(second * 2));
        assert_eq!(pause_after(&answer(503, Some(3600), "")), Some(PAUSES.1));
        assert_eq!(pause_after(&answer(429, None, "")), Some(PAUSES.0));
        assert_eq!(pause_after(&answer(409, Some(1), in_flight)), Some(second));
        assert_eq!(pause_after(&answer(409, Some(1), conflict)), None);
        assert_eq!(pause_after(&answer(422, Some(1), "")), None);
        assert_eq!(pause_after(&answer(200, None, "")), None);
        assert_eq!(pause_after(&Err(OutboundFault::TimedOut)), Some(second));
    }

    #[test]
    fn a_refusal_is_named_by_its_code() {
        let body = r#"{"code":"too_many_lines","detail":"at most 1000"}"#;
        let refused = read::<()>(answer(422, None, body).expect("an answer"));
        assert_eq!(refused.expect_err("a refusal").reason(), "too_many_lines (422)");
        let bare = read::<()>(answer(404, None, "<html>").expect("an answer"));
        assert_eq!(bare.expect_err("a refusal").reason(), "status 404");
        assert!(read::<()>(answer(204, None, "").expect("an answer")).is_ok());
    }
}
