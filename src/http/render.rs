//! Writes answers in a protocol's words, before the commit that makes them true.

use super::{
    acp::{self, session_wire},
    door::Site,
    ucp::{block::Blocks, checkout_wire},
    ucp01,
    v1::order_answer,
};
use crate::{
    base::Protocol,
    checkout::{Render, Shown},
    ledger::{
        Database, LedgerFault,
        stored_answer::{AnswerParts, StoredAnswer},
    },
};

/// Writes answers for every protocol.
#[derive(Debug)]
pub struct Answers {
    site: Site,
    blocks: Blocks,
    acp: acp::block::Blocks,
    ucp01: ucp01::block::Blocks,
    parts: AnswerParts,
}

impl Answers {
    /// Answers of this shop.
    pub fn of(site: Site) -> Self {
        let blocks = Blocks::of(&site, (ucp01::VERSION, ucp01::PROFILE_PATH));
        let acp = acp::block::Blocks::of(&site);
        let ucp01 = ucp01::block::Blocks::of(&site);
        Self { site, blocks, acp, ucp01, parts: AnswerParts::default() }
    }

    /// The same, with what never changes in them kept in the ledger once.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn kept_in(mut self, database: &Database) -> Result<Self, LedgerFault> {
        let (ucp, acp, ucp01) = (&self.blocks, &self.acp, &self.ucp01);
        let parts = [
            &ucp.checkout,
            &ucp.cart,
            &ucp.links,
            &acp.capabilities,
            &acp.links,
            &ucp01.checkout,
            &ucp01.handlers,
            &ucp01.links,
        ];
        self.parts = AnswerParts::keep(database, parts.map(|part| part.get())).await?;
        Ok(self)
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
        StoredAnswer { status, body: self.parts.body(&text), version }
    }
}
