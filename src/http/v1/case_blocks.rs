//! A case is declined and whoever took part is put on the shop's block lists, in one act.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    base::{CheckoutId, OrderId, Person, Sealed},
    fraud::{
        rules::{ListEntry, ListKind, Name, RulesRefused, address_hash},
        signals::Signals,
    },
    http::{door::Door, kinds::Kind, problem::Problem, reading::At},
    ledger::review::CaseState,
};

/// What may be blocked, and the list it stands on. Those are there from the start.
const BLOCKS: [(&str, ListKind, &str); 5] = [
    ("email", ListKind::Email, "blocked_emails"),
    ("card", ListKind::Card, "blocked_cards"),
    ("device", ListKind::Device, "blocked_devices"),
    ("address", ListKind::Address, "blocked_addresses"),
    ("customer", ListKind::Customer, "blocked_customers"),
];

/// What of an order is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Block(&'static str);

/// The words of what may be blocked.
pub(in crate::http) fn words() -> [&'static str; 5] {
    BLOCKS.map(|(word, ..)| word)
}

/// What a decision asks to block.
pub(super) fn read(body: &At<'_>, to: CaseState) -> Result<Vec<Block>, Problem> {
    let Some(field) = body.find("block") else { return Ok(Vec::new()) };
    let mut blocks = Vec::new();
    for item in field.items(BLOCKS.len())? {
        let word = item.text(64)?;
        let found = words().into_iter().find(|known| *known == word);
        let text = || format!("Expected one of {}.", words().join(", "));
        let block = Block(found.ok_or_else(|| item.problem(Kind::Invalid, text()))?);
        if !blocks.contains(&block) {
            blocks.push(block);
        }
    }
    if to != CaseState::Declined && !blocks.is_empty() {
        let text = "Who is blocked is declined: send `block` with `decline`.".to_owned();
        return Err(field.problem(Kind::Invalid, text));
    }
    Ok(blocks)
}

/// Puts them on their lists. Again is the same: each value stands there once.
pub(super) async fn keep(
    door: &Door,
    order: OrderId,
    blocks: &[Block],
    by: &str,
) -> Result<(), Problem> {
    if blocks.is_empty() {
        return Ok(());
    }
    let row = door.store.find_order(order).await?;
    let personal = row.and_then(|row| row.personal);
    let person = personal.as_ref().map(Sealed::open_json::<Person>).transpose();
    let person = person.map_err(|fault| Problem::fault(Kind::Internal, fault))?;
    let mut signals = Signals::unknown(CheckoutId::from_uuid(uuid::Uuid::nil()), door.clock.now());
    signals.person = person.unwrap_or_default();
    // All are there before any is kept.
    let mut kept = Vec::new();
    for (place, Block(word)) in blocks.iter().enumerate() {
        let found = BLOCKS.iter().find(|(known, ..)| known == word);
        let Some((_, kind, list)) = found else { continue };
        let value = value(&signals, *kind).and_then(|value| kind.normalize(&value).ok());
        let Some(value) = value else {
            let text = format!("Of this order no {word} is known, or no longer.");
            return Err(Problem::new(Kind::Invalid, text).at(format!("/block/{place}")));
        };
        kept.push((*list, *kind, value));
    }
    for (list, kind, value) in kept {
        let name = Name::parse(list).map_err(|fault| Problem::fault(Kind::Internal, fault))?;
        let note = format!("declined with {order}");
        let (author, added_at) = (by.to_owned(), door.rules.now());
        // Whoever removed the list meant those who were on it, and not the button.
        if matches!(door.rules.find_list(&name).await, Err(RulesRefused::NoSuchList(_))) {
            door.rules.save_list(&name, kind, "Made again by a decision.", by).await?;
        }
        let entry = ListEntry { value, expires_at: None, note, author, added_at };
        door.rules.add_entries(&name, vec![entry], by).await?;
    }
    Ok(())
}

/// As a rule would look it up.
fn value(signals: &Signals, kind: ListKind) -> Option<String> {
    match kind {
        ListKind::Email => signals.email(),
        ListKind::Card => signals.hints().card_fingerprint.clone(),
        ListKind::Device => signals.hints().device_id.clone(),
        ListKind::Customer => signals.hints().customer_id.clone(),
        ListKind::Address => signals.address().map(|address| address_hash(&address)),
        ListKind::Bin | ListKind::Domain | ListKind::Ip => None,
    }
}
