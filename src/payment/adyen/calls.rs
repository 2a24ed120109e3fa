//! One call to Adyen, and what kind of answer it got.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{API_VERSION, Adyen, wire::ServiceError};
use crate::{
    outbound::{Answer, Exchange, Method},
    payment::GatewayFault,
};

/// Bytes of an answer that does not read which are logged.
const SHOWN_BYTES: usize = 200;

/// "Request already processed or in progress": an error that says nothing of the outcome.
const IN_PROGRESS: &str = "704";

/// An answer to a call.
#[derive(Debug)]
pub(super) enum Answered<T> {
    /// What was asked for.
    Done(T),
    /// A definite no: nothing was done.
    Refused(ServiceError),
}

impl Adyen {
    /// Posts a document under an idempotency key, which Adyen keeps for 31 days at least.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Answered<T>, GatewayFault> {
        let url = format!("{}/{API_VERSION}{path}", self.settings.base);
        let headers = [("x-api-key", self.settings.api_key.as_str()), ("idempotency-key", key)];
        let body = Some(body.to_string().into_bytes());
        let exchange = Exchange { method: Method::Post, url: &url, headers: &headers, body };
        self.read_answer(&self.line.exchange(exchange).await?)
    }

    fn read_answer<T: DeserializeOwned>(
        &self,
        answer: &Answer,
    ) -> Result<Answered<T>, GatewayFault> {
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body).map(Answered::Done).map_err(|error| {
                let shown = String::from_utf8_lossy(&answer.body);
                let shown: String = shown.chars().take(SHOWN_BYTES).collect();
                tracing::error!(%error, shown, "an answer of Adyen does not read");
                unknown(&format!("an answer does not read: {error}"))
            });
        }
        let error = serde_json::from_slice::<ServiceError>(&answer.body).unwrap_or_default();
        let words = error.words();
        match answer.status {
            400 | 404 | 422 if error.error_code.as_deref() == Some(IN_PROGRESS) => {
                Err(unknown("the same call is still running at Adyen"))
            }
            400 | 404 | 422 => Ok(Answered::Refused(error)),
            401 | 403 => {
                let name = &self.settings.name;
                tracing::error!(
                    gateway = name,
                    status = answer.status,
                    words,
                    "Adyen refuses the API key: compare `api_key` and `merchant_account` of this \
                     gateway in `payment.gateways` with Adyen's Customer Area under Developers, \
                     API credentials; the user needs the role for Checkout"
                );
                Err(GatewayFault::NotSent(format!(
                    "Adyen refuses the API key of the gateway `{name}` ({})",
                    answer.status
                )))
            }
            429 => Err(GatewayFault::NotSent("Adyen takes no more calls just now".to_owned())),
            status => Err(unknown(&format!("Adyen answered {status}: {words}"))),
        }
    }
}

pub(super) fn unknown(why: &str) -> GatewayFault {
    GatewayFault::Unknown(why.to_owned())
}
