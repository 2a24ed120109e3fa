//! Rules over what is known of an order, and the lists they look up.
//!
//! ```text
//!  text ─► parse (CEL) ─► check: names, types, lists ─► Program
//!  Rulebook: programs + lists + snoozes, immutable, swapped whole while serving
//!  Rulebook::consider(subject, pass) ─► outcome, who decided it, which rules matched
//!  Rules: the rulebook in force ◄─ store (append-only versions, in both databases)
//! ```
//! The language is the part of the [Common Expression Language](https://cel.dev) that
//! `vocabulary` lists, read by a library and evaluated by `program`. What is missing matches
//! nothing: a rule never fails while serving, it only does not match.
//!
//! **Rules are asked in the order risk teams know**: challenge, allow, block, review; within one
//! action by name. A live rule that allows ends the asking of live rules that block or review, and
//! of the score's thresholds; a challenge that was asked for before it stands. Of several live
//! rules that match, the strictest decides ([`Outcome`](super::assessment::Outcome)). Rules in
//! shadow are always asked, and recorded, and decide nothing.

mod book;
mod calls;
mod check;
mod facts;
mod list;
mod live;
mod parse;
mod postgres;
mod program;
mod remove;
mod rule;
mod sqlite;
mod starter;
mod store;
mod vocabulary;

pub use book::{Considered, Rulebook};
pub use check::{Vocabulary, compile};
pub use facts::{FeatureNames, Features, InForce, Subject, Worth, address_hash};
pub use list::{InvalidValue, List, ListKind};
pub use live::{ENTRIES_MAX, LISTS_MAX, RULES_MAX, Rules, RulesRefused, SNOOZES_MAX};
pub use parse::{EXPRESSION_BYTES_MAX, ExpressionRefused};
pub use program::Program;
pub use rule::{Action, Draft, InvalidName, ListEntry, ListHead, Mode, Name, Pass, Rule, Snooze};
pub use store::{By, RuleStore};
pub use vocabulary::{FUNCTIONS, FunctionRow, Known, Type, Variable, VariableRow};

#[cfg(test)]
mod book_tests;
#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod property_tests;
