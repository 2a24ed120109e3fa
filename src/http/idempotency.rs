//! Changes outside the cart that are done once per key.
//!
//! Key and change are one commit: a fact of the ledger [carries its key](write_once), and a change
//! of any other table is [made in the key's transaction](change). What cannot be one commit,
//! because it is several facts, or none, is done [again after a crash](once), and its name sees to
//! it that again is once.

use actix_web::HttpResponse;
use serde::Serialize;

use super::{answer, asking::Asking, door::Door, kinds::Kind, problem::Problem};
use crate::{
    base::Sealed,
    ledger::{
        Entry, EntryId, Fact, LedgerRefused,
        entry::{KeyWrite, StoredAnswer},
        keyed::Change,
        row::KeyRow,
    },
};

/// An answer that is known before the commit.
pub fn answer(status: u16, body: &impl Serialize) -> StoredAnswer {
    StoredAnswer { status, body: Sealed::seal_json(body).into(), version: 0 }
}

/// Writes one fact with the answer to the request that asked for it.
pub async fn write_once(
    door: &Door,
    asking: &Asking,
    id: EntryId,
    answer: StoredAnswer,
    fact: impl FnOnce(KeyWrite) -> Fact,
) -> Result<HttpResponse, Problem> {
    let key = asking.key_write(answer.clone(), door.clock.now());
    match door.writer.write(Entry::new(id, fact(key))).await? {
        Ok(_) => answer::write(&answer),
        Err(LedgerRefused::KeyTaken(row)) => settle(&row, asking),
        Err(refused) => Err(refused.into()),
    }
}

/// Changes tables that are no part of the ledger (rules, lists, cases, models, the tariff, the
/// catalogue, endpoints, keys) and keeps the answer under the request's key, in one commit. Work
/// that is refused leaves nothing, neither change nor key.
pub async fn change(
    door: &Door,
    asking: &Asking,
    work: impl AsyncFnOnce() -> Result<StoredAnswer, Problem>,
) -> Result<HttpResponse, Problem> {
    if let Some(answer) = find_answer(door, asking).await? {
        return Ok(answer);
    }
    match door.database.keyed(asking.key_claim(door.clock.now()), work).await? {
        Change::Made(answer) => answer::write(&answer),
        Change::Taken(row) => settle(&row, asking),
    }
}

/// Does what is several facts of the ledger, or none, and keeps its answer under the request's key.
/// Doing it twice must be doing it once: the key is written after, and a crash in between only does
/// it again. `area` tells apart what is changed.
///
/// So it is with an order's money (`orders`: a capture that is owed is asked of the gateway first,
/// and no transaction waits for a gateway; the change has the key's name), with the orders of an
/// older UCP (each of their events has a name), with files of a shop (`imports`: as many commits as
/// there are counts of stock, and each row is put, not added), with cases that end together
/// (`cases`: each a commit of its own, and one that has ended so is passed over) and with the clock
/// of dev mode, which is nowhere kept.
pub async fn once(
    door: &Door,
    asking: &Asking,
    area: &str,
    work: impl AsyncFnOnce() -> Result<StoredAnswer, Problem>,
) -> Result<HttpResponse, Problem> {
    match find_answer(door, asking).await? {
        Some(answer) => Ok(answer),
        None => keep(door, asking, area, work().await?).await,
    }
}

/// Keeps the answer to a change that was made, under the request's key.
pub async fn keep(
    door: &Door,
    asking: &Asking,
    area: &str,
    answer: StoredAnswer,
) -> Result<HttpResponse, Problem> {
    let id = EntryId::of(format_args!("{area}/{}/{}", asking.caller(), asking.key()));
    write_once(door, asking, id, answer, Fact::Answer).await
}

/// The answer to an earlier request with this key, when there was one.
pub async fn find_answer(door: &Door, asking: &Asking) -> Result<Option<HttpResponse>, Problem> {
    let row = door.store.find_key(asking.caller(), asking.key()).await?;
    row.map(|row| settle(&row, asking)).transpose()
}

/// A key that stands: the same request is answered again, another one refused.
pub fn settle(row: &KeyRow, asking: &Asking) -> Result<HttpResponse, Problem> {
    if row.fingerprint != asking.fingerprint() {
        let text = "This idempotency key was used for another request.";
        return Err(Problem::new(Kind::KeyConflict, text).suggest("Use a fresh key."));
    }
    match &row.answer {
        Some(answer) => answer::replay(answer),
        None => {
            let text = "The request with this key is still being worked on.";
            Err(Problem::new(Kind::KeyInFlight, text))
        }
    }
}
