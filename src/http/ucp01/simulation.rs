//! What a platform's tests may bring about that only time or people do otherwise. Nothing of it is
//! there unless a secret is configured.

use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest, Sha256};

use super::order_wire;
use crate::{
    base::ChangeId,
    checkout::{ChangeWish, Tender},
    http::{
        door::Door,
        kinds::Kind,
        order_body::{self, OrderBody},
        order_history,
        problem::Problem,
        reading::At,
    },
    payment::Credential,
};

/// The token that the sandbox gateway answers with a challenge.
const CHALLENGED: &str = "challenge_token";

/// Who knows it may simulate. Kept as a digest.
#[derive(Clone, PartialEq, Eq)]
pub struct SimulationSecret([u8; 32]);

impl SimulationSecret {
    /// This secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Whether this is it. Digests are compared, so that how long it takes tells nothing.
    fn is(&self, said: &[u8]) -> bool {
        <[u8; 32]>::from(Sha256::digest(said)) == self.0
    }
}

impl std::fmt::Debug for SimulationSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// `POST /testing/simulate-shipping/{order_id}`: everything of an order that is still here leaves.
pub async fn ship(
    door: web::Data<Door>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let secret = request.app_data::<SimulationSecret>();
    let said = request.headers().get("simulation-secret");
    if !said.zip(secret).is_some_and(|(said, secret)| secret.is(said.as_bytes())) {
        return Err(Problem::new(Kind::Forbidden, "The Simulation-Secret is not the right one."));
    }
    let mut row = order_body::find(&door, &id).await?;
    let (moves, at) = (order_history::still_here(&row), door.clock.now());
    if !moves.is_empty() {
        let change = ChangeWish::of(ChangeId::new(at, &*door.chance), row.id, at);
        let wish = ChangeWish { moves, reason: "simulated".to_owned(), ..change };
        if let Err(refused) = door.desk.change_order(wish, None).await? {
            return Err(refused.into());
        }
        row = order_body::find(&door, &id).await?;
    }
    Ok(order_body::answer(order_wire::write(&door.answers, &row, &OrderBody::of(&row))))
}

/// The tender, which the sandbox gateway challenges where `risk_signals` ask for it and simulation
/// is on.
pub fn escalated(request: &HttpRequest, body: &At<'_>, mut tender: Tender) -> Tender {
    let signals = body.find("risk_signals");
    let trigger = signals.as_ref().and_then(|signals| signals.value().get("simulation_trigger"));
    let is_asked = trigger.and_then(|trigger| trigger.as_str()) == Some("escalation_required");
    let is_on = request.app_data::<SimulationSecret>().is_some();
    if let Some(means) = tender.means.as_mut().filter(|_| is_asked && is_on) {
        means.credential = Credential::new(CHALLENGED.to_owned());
    }
    tender
}

#[cfg(test)]
mod tests {
    use super::SimulationSecret;

    #[test]
    fn a_secret_is_itself_alone_and_never_shown() {
        let secret = SimulationSecret::of("open sesame");
        assert!(secret.is(b"open sesame") && !secret.is(b"open") && !secret.is(b""));
        assert_eq!(format!("{secret:?}"), "[secret]");
    }
}
