//! One call to PayPal, and what kind of answer it got.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{PayPal, wire::ErrorBody};
use crate::{
    outbound::{Answer, Exchange, Method},
    payment::GatewayFault,
};

/// Bytes of an answer that does not read which are logged.
const SHOWN_BYTES: usize = 200;

/// PayPal's words for a key that was used for something else.
const KEY_TAKEN: [&str; 2] = ["DUPLICATE_REQUEST_ID", "PAYPAL_REQUEST_ID_PREVIOUSLY_USED"];

/// An answer to a call.
#[derive(Debug)]
pub(super) enum Answered<T> {
    /// What was asked for.
    Done(T),
    /// A definite no, with its reason.
    Failed(ErrorBody),
}

impl PayPal {
    /// Posts. The key makes doing it twice doing it once; without one the call has to be so by
    /// itself.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Answered<T>, GatewayFault> {
        self.call(Method::Post, path, Some(body), key).await
    }

    /// Changes fields.
    pub(super) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Answered<T>, GatewayFault> {
        self.call(Method::Patch, path, Some(body), None).await
    }

    /// Reads something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Answered<T>, GatewayFault> {
        self.call(Method::Get, path, None, None).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answered<T>, GatewayFault> {
        let mut token = self.token(None).await?;
        let mut answer = self.exchange(method, path, body, key, &token).await?;
        if answer.status == 401 {
            // It ended early, or was taken back: one more, and no third.
            token = self.token(Some(&token)).await?;
            answer = self.exchange(method, path, body, key, &token).await?;
        }
        self.read_answer(&answer)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
        token: &str,
    ) -> Result<Answer, GatewayFault> {
        let (url, bearer) = (format!("{}{path}", self.base), format!("Bearer {token}"));
        // Without the preference an answer says little more than an id.
        let mut headers =
            vec![("authorization", bearer.as_str()), ("prefer", "return=representation")];
        headers.extend(key.map(|key| ("paypal-request-id", key)));
        let body = body.map(|body| body.to_string().into_bytes());
        let exchange = Exchange { method, url: &url, headers: &headers, body };
        self.line.exchange(exchange).await
    }

    fn read_answer<T: DeserializeOwned>(
        &self,
        answer: &Answer,
    ) -> Result<Answered<T>, GatewayFault> {
        if (200..300).contains(&answer.status) {
            let body = if answer.body.is_empty() { b"null" } else { answer.body.as_slice() };
            return serde_json::from_slice(body).map(Answered::Done).map_err(|error| {
                let shown = String::from_utf8_lossy(&answer.body);
                let shown: String = shown.chars().take(SHOWN_BYTES).collect();
                tracing::error!(%error, shown, "an answer of PayPal does not read");
                unknown(&format!("an answer does not read: {error}"))
            });
        }
        let error: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            // What the key was used for is to be looked up.
            400 | 422 if KEY_TAKEN.contains(&error.issue()) => {
                Err(unknown(&format!("the key was used before: {}", error.words())))
            }
            400 | 404 | 422 => Ok(Answered::Failed(error)),
            401 => Err(self.refused_account(answer.status)),
            403 => {
                let (gateway, words) = (&self.settings.name, error.words());
                tracing::error!(
                    gateway,
                    words,
                    "PayPal does not let this app do what it is asked for"
                );
                Err(GatewayFault::NotSent(format!("PayPal does not let us: {words}")))
            }
            409 => Err(unknown("the same call is still running at PayPal")),
            429 => Err(GatewayFault::NotSent("PayPal takes no more calls just now".to_owned())),
            status => Err(unknown(&format!("PayPal answered {status}: {}", error.words()))),
        }
    }
}

/// Nobody knows what became of it.
pub(super) fn unknown(why: &str) -> GatewayFault {
    GatewayFault::Unknown(why.to_owned())
}

/// It will never be done.
pub(super) fn refused(error: &ErrorBody) -> GatewayFault {
    GatewayFault::Refused(error.words())
}

/// An id that goes into a path: nothing else may come of it.
pub(super) fn id(name: &str) -> Result<&str, GatewayFault> {
    match is_id(name) {
        true => Ok(name),
        false => Err(GatewayFault::Refused(format!("`{name}` is no id of PayPal's"))),
    }
}

/// The longest id of an order (PayPal's own limit).
const ID_BYTES: usize = 36;

/// Whether it may be the id of an order, an authorization, a capture or a refund.
pub(super) fn is_id(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    !name.is_empty() && name.len() <= ID_BYTES && name.bytes().all(is_plain)
}
