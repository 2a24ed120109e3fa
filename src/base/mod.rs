//! The words every slice speaks: ids, money, quantity, time, chance, people, errors.
//!
//! **Owns:** types that are right by construction, and nothing that acts.
//! **Invariant:** a value that exists is well formed; personal values redact themselves in `Debug`.
//! **Not here:** anything that does I/O, and anything of one slice alone. Imports nothing of ours.

pub mod anchored;
pub mod card_number;
mod chain;
pub mod chance;
pub mod hints;
pub mod id;
pub mod limits;
pub mod money;
pub mod origin;
pub mod person;
pub mod place;
pub mod quantity;
mod schemas;
pub mod sealed;
mod share;
pub mod sku;
pub mod time;
pub mod verification;

pub use anchored::AnchoredClock;
pub use card_number::{Holds, is_card_number_in, looks_like_card_number};
pub use chain::Chain;
pub use chance::{Chance, SeededChance, SystemChance};
pub use hints::Hints;
pub use id::{
    AssessmentId, AttemptId, CartId, ChangeId, CheckoutId, DeliveryId, EndpointId, EventId,
    GrantId, HolderId, InvalidId, KeyId, MovementId, OperationId, OrderId,
};
pub use limits::Limits;
pub use money::{Currency, Money, MoneyError};
pub use origin::{Origin, Protocol};
pub use person::{Address, Buyer, Consent, Destination, Email, Person};
pub use quantity::Quantity;
pub use sealed::Sealed;
pub use share::{first_units, share};
pub use sku::Sku;
pub use time::{Clock, ManualClock, TestClock, Timestamp};
pub use verification::Verification;
