//! One call to Stripe, and what kind of answer it got.

use serde::de::DeserializeOwned;

use super::{
    API_VERSION, Stripe,
    answers::unknown,
    form::Form,
    wire::{ErrorBody, Failure},
};
use crate::{
    outbound::{Answer, Exchange, Method},
    payment::GatewayFault,
};

/// Bytes of an answer that does not read which are logged.
const SHOWN_BYTES: usize = 200;

/// An answer to a call.
#[derive(Debug)]
pub(super) enum Answered<T> {
    /// What was asked for.
    Done(T),
    /// A definite no, with its reason.
    Failed(ErrorBody),
}

impl Stripe {
    /// Posts a form. The key makes doing it twice doing it once; without one the call has to be so
    /// by itself.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: Form,
        key: Option<&str>,
    ) -> Result<Answered<T>, GatewayFault> {
        let url = format!("{}{path}", self.settings.base);
        let body = Some(form.text().into_bytes());
        self.call(Method::Post, &url, body, key).await
    }

    /// Reads something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Form,
    ) -> Result<Answered<T>, GatewayFault> {
        let query = query.text();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{query}", self.settings.base);
        self.call(Method::Get, &url, None, None).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        url: &str,
        body: Option<Vec<u8>>,
        key: Option<&str>,
    ) -> Result<Answered<T>, GatewayFault> {
        let bearer = format!("Bearer {}", self.settings.secret_key);
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            ("stripe-version", API_VERSION),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let exchange = Exchange { method, url, headers: &headers, body };
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
                tracing::error!(%error, shown, "an answer of Stripe does not read");
                unknown(&format!("an answer does not read: {error}"))
            });
        }
        let failure = serde_json::from_slice::<Failure>(&answer.body)
            .unwrap_or_else(|_| Failure { error: ErrorBody::default() });
        let error = failure.error;
        let words = error.message.clone().unwrap_or_default();
        match answer.status {
            400 | 402 | 404 if error.kind.as_deref() == Some("idempotency_error") => {
                // The key was used before: what became of that is to be looked up.
                Err(unknown(&format!("the key was used for another request: {words}")))
            }
            400 | 402 | 404 => Ok(Answered::Failed(error)),
            401 | 403 => {
                let name = &self.settings.name;
                tracing::error!(
                    gateway = name,
                    status = answer.status,
                    words,
                    "Stripe refuses the secret key: compare `secret_key` of this gateway in \
                     `payment.gateways` with the one in Stripe's dashboard under Developers, API \
                     keys"
                );
                Err(GatewayFault::NotSent(format!(
                    "Stripe refuses the secret key of the gateway `{name}` ({})",
                    answer.status
                )))
            }
            429 => Err(GatewayFault::NotSent("Stripe takes no more calls just now".to_owned())),
            409 => Err(unknown("the same call is still running at Stripe")),
            status => Err(unknown(&format!("Stripe answered {status}: {words}"))),
        }
    }
}
