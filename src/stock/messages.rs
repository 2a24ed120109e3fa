//! What can be asked of one SKU's stock.

use actix::Message;

use crate::{
    base::GrantId,
    ledger::{GrantSeen, entry::Source},
};

/// Takes units for a hold. Answers with the grant they come from, or that the ledger must be asked
/// directly. Asking twice takes twice: each take ends with one [`Landed`].
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Source")]
pub struct TakeUnits {
    /// How many.
    pub quantity: u32,
}

/// The commit that used units of a grant is known, whatever it said.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Landed {
    /// The grant.
    pub grant: GrantId,
    /// How many units were in flight.
    pub quantity: u32,
}

/// A commit told what a grant has left.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Seen(pub GrantSeen);

/// Gives grants back and stops, when nothing is in flight. Answers whether it stops.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "bool")]
pub struct Retire;
