//! The access token (OAuth 2, client credentials): kept in memory, and asked for by one at a time.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Mutex;

use super::PayPal;
use crate::{
    base::Timestamp,
    outbound::{Exchange, Method},
    payment::GatewayFault,
};

/// A token is given up so long before it ends: no call outlives its token.
const MARGIN: Duration = Duration::from_secs(60);

/// The token in force.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Option<Token>>);

struct Token {
    text: String,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: u64,
}

impl PayPal {
    /// A token that is in force; another one than `spent`, which PayPal has refused. Whoever comes
    /// while one is asked for waits for that one.
    ///
    /// # Errors
    /// As "not sent": without a token nothing is asked of PayPal that could act.
    pub(super) async fn token(&self, spent: Option<&str>) -> Result<String, GatewayFault> {
        let mut kept = self.tokens.0.lock().await;
        let now = self.clock.now();
        let in_force = kept.as_ref().filter(|token| token.until > now);
        if let Some(token) = in_force.filter(|token| Some(&*token.text) != spent) {
            return Ok(token.text.clone());
        }
        *kept = None;
        let given = self.ask_for_token().await?;
        let lasts = Duration::from_secs(given.expires_in).saturating_sub(MARGIN);
        *kept = Some(Token { text: given.access_token.clone(), until: now.plus(lasts) });
        Ok(given.access_token)
    }

    async fn ask_for_token(&self) -> Result<Given, GatewayFault> {
        let pair = format!("{}:{}", self.settings.client_id, self.settings.client_secret);
        let basic = format!("Basic {}", STANDARD.encode(pair));
        let url = format!("{}/v1/oauth2/token", self.base);
        let headers = [
            ("authorization", basic.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let body = Some(b"grant_type=client_credentials".to_vec());
        let exchange = Exchange { method: Method::Post, url: &url, headers: &headers, body };
        let not_sent = |why: String| GatewayFault::NotSent(why);
        let answer = self.line.exchange(exchange).await;
        let answer = answer.map_err(|fault| not_sent(format!("no token of PayPal's: {fault}")))?;
        match answer.status {
            200..300 => serde_json::from_slice(&answer.body)
                .map_err(|error| not_sent(format!("PayPal's token does not read: {error}"))),
            400 | 401 | 403 => Err(self.refused_account(answer.status)),
            status => Err(not_sent(format!("PayPal gives no token just now ({status})"))),
        }
    }

    /// PayPal does not know us, or does not let us.
    pub(super) fn refused_account(&self, status: u16) -> GatewayFault {
        let name = &self.settings.name;
        tracing::error!(
            gateway = name,
            status,
            "PayPal refuses the account: compare `client_id` and `client_secret` of this gateway \
             in `payment.gateways` with the app in PayPal's dashboard under Apps & Credentials, \
             and `sandbox` with the mode they are of"
        );
        GatewayFault::NotSent(format!(
            "PayPal refuses the account of the gateway `{name}` ({status})"
        ))
    }
}
