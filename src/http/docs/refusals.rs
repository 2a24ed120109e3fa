//! How an operation may be refused: its own ways, and those of every request of its kind.

use std::collections::BTreeMap;

use super::operation::Operation;
use crate::http::{
    kinds::Kind,
    problem::{Dialect, Problem},
};

/// What may happen to any request that is let in by key.
const ALL: &[Kind] = &[
    Kind::Unauthorized,
    Kind::Forbidden,
    Kind::BodyTimeout,
    Kind::BodyTooLarge,
    Kind::MalformedRequest,
    Kind::Internal,
    Kind::Overloaded,
    Kind::DeadlinePassed,
    Kind::LedgerUnreachable,
];

/// What may happen to any request that changes something.
const CHANGES: &[Kind] = &[
    Kind::KeyRequired,
    Kind::KeyInvalid,
    Kind::KeyInFlight,
    Kind::Invalid,
    Kind::LimitExceeded,
    Kind::CardNumber,
    Kind::Draining,
    Kind::Busy,
];

/// Every way in which it may be refused.
pub(super) fn of(operation: &Operation) -> Vec<Kind> {
    let mut kinds = operation.kinds.clone();
    if operation.scope().is_some() {
        kinds.extend(ALL);
    }
    if operation.has_key() {
        kinds.extend(CHANGES);
        match operation.dialect() {
            Dialect::Ucp => kinds.push(Kind::KeyConflictUcp),
            Dialect::Acp | Dialect::Ucp202601 => kinds.push(Kind::KeyConflict),
            Dialect::Plain => kinds.extend([Kind::KeyConflict, Kind::CannotRecord]),
        }
    }
    if operation.body.is_some() {
        kinds.extend([Kind::Invalid, Kind::LimitExceeded, Kind::CardNumber]);
        kinds.push(Kind::EncodingUnsupported);
    }
    if operation.path.contains('{') {
        kinds.extend([Kind::NotFound, Kind::MalformedRequest]);
    }
    kinds
}

/// The same by the status they are answered with, each once, in the table's order.
pub(super) fn by_status(operation: &Operation) -> BTreeMap<u16, Vec<Kind>> {
    let mut statuses: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    let those = of(operation);
    for kind in Kind::ALL.iter().filter(|kind| those.contains(kind)) {
        let status = Problem::new(*kind, "").status(operation.dialect());
        statuses.entry(status).or_default().push(*kind);
    }
    statuses
}
