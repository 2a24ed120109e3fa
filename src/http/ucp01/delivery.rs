//! Where goods may go: what the platform sent, and what is kept of a customer who is known.

use super::fulfillment_request::{Choice, Wanted};
use crate::{
    base::{Destination, Timestamp},
    checkout::Draft,
    customers::{self, Customer, Known},
    http::{door::Door, problem::Problem},
    ledger::LedgerFault,
    pricing::{Method, Wish},
};

/// Addresses that are new, to be kept once the session stands that they came with, and when their
/// customer was last seen.
#[derive(Debug, Default)]
pub struct Fresh(Option<(Customer, Vec<Destination>, Option<Timestamp>)>);

impl Fresh {
    /// Keeps them.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the request sent again keeps them then.
    pub async fn keep(self, door: &Door) -> Result<(), LedgerFault> {
        let Some((customer, fresh, seen_at)) = self.0 else { return Ok(()) };
        door.addresses.keep(&customer, &fresh, seen_at, door.clock.now()).await
    }
}

/// Says in the draft how and where to its goods come. A customer who is known and sends no address
/// may choose among those that are kept.
pub async fn settle(
    door: &Door,
    caller: &str,
    draft: &mut Draft,
    wanted: Option<Wanted>,
) -> Result<Fresh, Problem> {
    let Some(wanted) = wanted else { return Ok(Fresh::default()) };
    if wanted.method == Method::Pickup {
        let destination = match wanted.choice {
            Choice::Id(id) => Some(id),
            Choice::Unsaid | Choice::Nothing => None,
        };
        draft.person.shipping = None;
        draft.delivery = Some(Wish { method: Method::Pickup, destination, option: wanted.option });
        return Ok(Fresh::default());
    }
    let email = draft.person.buyer.as_ref().and_then(|buyer| buyer.email.as_ref());
    let customer = email.map(|email| Customer::of(caller, email));
    let known = match &customer {
        Some(customer) => door.addresses.list(customer).await?,
        None => Known::default(),
    };
    let kept = &known.destinations;
    let before = draft.delivery.take().filter(|wish| wish.method == Method::Shipping);
    let before = before.and_then(|wish| wish.destination);
    let (choice, fresh) = destine(draft, wanted.sent, wanted.choice, kept, customer.as_ref());
    let chosen = choose(&draft.person.destinations, choice, before);
    draft.person.shipping = chosen.map(|one| Box::new(one.address.clone()));
    let destination = chosen.map(|one| one.id.clone());
    draft.delivery = Some(Wish { method: Method::Shipping, destination, option: wanted.option });
    Ok(Fresh(customer.map(|customer| (customer, fresh, known.seen_at))))
}

/// Sets where to the goods may go; gives back the choice in our ids, and what is new.
fn destine(
    draft: &mut Draft,
    sent: Vec<customers::Sent>,
    choice: Choice,
    kept: &[Destination],
    customer: Option<&Customer>,
) -> (Choice, Vec<Destination>) {
    if sent.is_empty() {
        // What was sent before stays, where nothing of it is kept.
        let before = std::mem::take(&mut draft.person.destinations);
        draft.person.destinations = kept.to_vec();
        let unknown = before.into_iter().filter(|one| kept.iter().all(|known| known.id != one.id));
        draft.person.destinations.extend(unknown);
        return (choice, Vec::new());
    }
    let named = customers::name(sent, kept, customer);
    let choice = match choice {
        Choice::Id(id) => Choice::Id(named.id(&id).to_owned()),
        other => other,
    };
    draft.person.destinations = named.destinations;
    (choice, named.fresh)
}

/// Where nothing is said, what was chosen before is; where there is no choice, none has to be made.
fn choose(
    destinations: &[Destination],
    choice: Choice,
    before: Option<String>,
) -> Option<&Destination> {
    let find = |id: &str| destinations.iter().find(|one| one.id == id);
    match choice {
        Choice::Id(id) => find(&id),
        Choice::Nothing => None,
        Choice::Unsaid => before
            .and_then(|id| find(&id))
            .or_else(|| destinations.first().filter(|_| destinations.len() == 1)),
    }
}
