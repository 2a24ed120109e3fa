//! Writes answers in a protocol's words, before the commit that makes them true.

use super::{
    acp::{self, session_wire},
    door::Site,
    ucp::{block::Blocks, checkout_wire},
    ucp01,
    v1::order_answer,
};
use crate::{
    base::{Protocol, Sealed},
    checkout::{Render, Shown},
    ledger::entry::StoredAnswer,
};

/// Writes answers for every protocol.
#[derive(Debug)]
pub struct Answers {
    site: Site,
    blocks: Blocks,
    acp: acp::block::Blocks,
    ucp01: ucp01::block::Blocks,
}

impl Answers {
    /// Answers of this shop.
    pub fn of(site: Site) -> Self {
        let blocks = Blocks::of(&site, (ucp01::VERSION, ucp01::PROFILE_PATH));
        let acp = acp::block::Blocks::of(&site);
        let ucp01 = ucp01::block::Blocks::of(&site);
        Self { site, blocks, acp, ucp01 }
    }

    /// How the shop presents itself.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// The parts of ACP answers that never change.
    pub const fn acp(&self) -> &acp::block::Blocks {
        &self.acp
    }

    /// The parts of answers over UCP 2026-01-11 that never change.
    pub const fn ucp01(&self) -> &ucp01::block::Blocks {
        &self.ucp01
    }

    /// The parts of UCP answers that never change.
    pub const fn blocks(&self) -> &Blocks {
        &self.blocks
    }
}

impl Render for Answers {
    fn render(&self, protocol: Protocol, shown: Shown<'_>) -> StoredAnswer {
        let (status, text) = match protocol {
            Protocol::V1 => order_answer::write(self, shown),
            Protocol::Acp => session_wire::write(self, shown),
            Protocol::Ucp => checkout_wire::write(self, shown),
            Protocol::Ucp202601 => ucp01::session_wire::write(self, shown),
        };
        let version = match shown {
            Shown::Session { session, .. } => session.version,
            Shown::Nothing { .. } => 0,
        };
        StoredAnswer { status, body: Sealed::seal(&text), version }
    }
}
