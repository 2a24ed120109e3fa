//! Doorbuster: takes a checkout, holds the stock, places the order, loses nothing.
//!
//! # The map
//!
//! ```text
//!  storefront ─ HTTP ─► http ─► cart actor: what may happen next
//!                             └─► checkout: quote, hold, complete
//!                                  ├─► SKU actors       take units from this replica's grants
//!                                  ├─► ledger writer T0 holds + session become durable
//!                                  ├─► fraud            approve, challenge, review or decline
//!                                  ├─► ledger writer T1 payment attempt, holds pinned
//!                                  ├─► payment gateway  authorize; nothing is locked meanwhile
//!                                  ├─► ledger writer T2 order + payment + events; holds → sold
//!                                  ├─► reply
//!                                  └─► gateway capture, then T3 records it
//! ```
//!
//! Imports go down only, and `tests/tidy.rs` sees to it: [`app`] and [`commands`] on top, with
//! [`replay`], [`audit`] and [`config`]; then [`http`] → [`cart`], [`exchange`], [`reconcile`] →
//! [`checkout`] → [`catalog`], [`stock`], [`pricing`], [`fraud`], [`payment`] → [`outbox`] →
//! [`platforms`] → [`access`], [`sessions`], [`customers`], [`signing`] → [`ledger`] →
//! [`outbound`] → [`telemetry`] → [`files`] → [`base`].
//!
//! [`fraud`] judges on that path, on the thread of the cart that asks; its training stands beside
//! it, for the command line.
//!
//! # What always holds
//!
//! - Every SKU: `on_hand = unallocated + Σ active (granted − consumed) + held + sold`, after every
//!   commit; constraints in both databases restate it.
//! - Every entry of the ledger has an id. A recorded id answers what it recorded, for ever.
//! - One payment attempt ends once: selling (T2) and unpinning compete on `attempt = pending`.
//! - Nothing waits while holding something: no actor turn and no transaction spans a gateway call.
//! - An answer that acknowledges leaves after its commit is durable, never before.
//!
//! # One checkout, from the handler to the committed row
//!
//! `http/ucp/complete.rs` → `cart/registry.rs` → `cart/actor.rs` → `checkout/complete.rs` →
//! `checkout/saga.rs` (the table) → `checkout/assess.rs` (fraud), `checkout/begin.rs` (T1),
//! `checkout/authorize.rs`, `checkout/place.rs` (T2) → `ledger/writer.rs` →
//! `ledger/postgres/commit.rs`.
//!
//! **A paid order.** The shopper's `complete` finds its cart's actor, which starts the saga:
//! the payment is judged; the attempt is recorded and the holds pinned in one commit; the
//! gateway authorizes; order, payment and events are committed and the holds become sold; the
//! answer, rendered before that commit, leaves after it. Capture follows as a debt that T2 has
//! already recorded.
//!
//! **A declined one.** The same up to the gateway's no: the attempt is settled, the holds unpinned
//! and renewed in one commit, and the session is open again for another try. Had the gateway said
//! nothing, the attempt would stay pending, its holds pinned, until the reconciler has found out.
//!
//! `docs/ARCHITECTURE.md` follows these and three more through the code, with the decisions behind
//! it; `docs/GLOSSARY.md` has the words.

pub mod access;
pub mod app;
pub mod audit;
pub mod base;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod commands;
pub mod config;
pub mod customers;
pub mod exchange;
pub mod files;
pub mod fraud;
pub mod http;
pub mod ledger;
pub mod outbound;
pub mod outbox;
pub mod payment;
pub mod platforms;
pub mod pricing;
pub mod reconcile;
pub mod replay;
pub mod sessions;
pub mod signing;
pub mod stock;
pub mod telemetry;
