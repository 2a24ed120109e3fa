//! Decides, for one SKU, whether this replica may hold units from a grant in memory.

use std::time::Duration;

use crate::{
    base::{GrantId, Timestamp},
    ledger::{GrantSeen, entry::Source},
};

/// When a SKU earns a grant, and how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantTerms {
    /// Holds per second that make a grant worth its commit.
    pub holds_per_second: u32,
    /// Units in one grant at most: what a dead replica keeps off sale until it is fenced.
    pub block_max: u32,
    /// A block smaller than this is not worth it: near the end every hold asks the ledger.
    pub block_min: u32,
}

impl Default for GrantTerms {
    fn default() -> Self {
        Self { holds_per_second: 50, block_max: 256, block_min: 8 }
    }
}

/// How long a SKU goes without asking after the ledger had too little for a grant.
const QUIET: Duration = Duration::from_secs(1);

/// One grant in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    id: GrantId,
    /// `granted − consumed`, as the ledger last said.
    left: i64,
    /// Units taken here whose commit is not known yet.
    in_flight: i64,
}

/// The grants of one SKU and the demand that earns them. Starts direct, with none.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    blocks: Vec<Block>,
    window_start: Option<Timestamp>,
    window_holds: u32,
    asking: bool,
    /// The ledger had too little to give; it is not asked again before then.
    quiet_until: Option<Timestamp>,
}

/// What a hold is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Where the units come from.
    pub source: Source,
    /// Whether the SKU should ask the ledger for a grant now.
    pub ask: bool,
}

impl Grants {
    /// Takes units from a grant that has them, else says to go to the ledger directly.
    pub fn take(&mut self, quantity: u32, now: Timestamp, terms: GrantTerms) -> Taken {
        self.count(now);
        let units = i64::from(quantity);
        let block = self.blocks.iter_mut().find(|block| block.left - block.in_flight >= units);
        match block {
            Some(block) => {
                block.in_flight += units;
                assert!(block.in_flight <= block.left, "never more in flight than is left");
                Taken { source: Source::Grant(block.id), ask: false }
            }
            None => Taken { source: Source::Direct, ask: self.earns_a_grant(now, terms) },
        }
    }

    /// The commit that used the units is known: they are consumed, or were never taken.
    pub fn landed(&mut self, grant: GrantId, quantity: u32) {
        if let Some(block) = self.blocks.iter_mut().find(|block| block.id == grant) {
            block.in_flight = (block.in_flight - i64::from(quantity)).max(0);
        }
    }

    /// The ledger told what a grant has left. A closed one is forgotten.
    pub fn seen(&mut self, seen: &GrantSeen) {
        match self.blocks.iter().position(|block| block.id == seen.id) {
            Some(at) if !seen.active => drop(self.blocks.swap_remove(at)),
            Some(at) => self.blocks[at].left = seen.left,
            None => {}
        }
    }

    /// The answer to the wish for a grant.
    pub fn granted(&mut self, grant: Option<(GrantId, i64)>, now: Timestamp) {
        self.asking = false;
        match grant {
            Some((id, left)) => self.blocks.push(Block { id, left, in_flight: 0 }),
            None => self.quiet_until = Some(now.plus(QUIET)),
        }
    }

    /// The grants to give back before this SKU goes to sleep; `None` while units are in flight.
    pub fn retire(&mut self) -> Option<Vec<GrantId>> {
        let busy = self.asking || self.blocks.iter().any(|block| block.in_flight > 0);
        (!busy).then(|| self.blocks.drain(..).map(|block| block.id).collect())
    }

    fn count(&mut self, now: Timestamp) {
        let fresh =
            self.window_start.is_none_or(|start| now.since(start) >= Duration::from_secs(1));
        if fresh {
            (self.window_start, self.window_holds) = (Some(now), 0);
        }
        self.window_holds = self.window_holds.saturating_add(1);
    }

    fn earns_a_grant(&mut self, now: Timestamp, terms: GrantTerms) -> bool {
        let quiet = self.quiet_until.is_some_and(|until| now < until);
        let earns = !self.asking && !quiet && self.window_holds >= terms.holds_per_second;
        self.asking |= earns;
        earns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const TERMS: GrantTerms = GrantTerms { holds_per_second: 2, block_max: 100, block_min: 4 };
    const NOW: Timestamp = Timestamp::from_micros(1);

    fn grant(n: u128) -> GrantId {
        GrantId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn a_sku_starts_direct_and_earns_a_grant_by_demand() {
        let mut grants = Grants::default();
        assert_eq!(grants.take(1, NOW, TERMS), Taken { source: Source::Direct, ask: false });
        assert_eq!(grants.take(1, NOW, TERMS), Taken { source: Source::Direct, ask: true });
        assert!(!grants.take(1, NOW, TERMS).ask, "it asks once");
        grants.granted(Some((grant(1), 10)), NOW);
        assert_eq!(grants.take(7, NOW, TERMS).source, Source::Grant(grant(1)));
        assert_eq!(grants.take(7, NOW, TERMS).source, Source::Direct, "3 are left");
    }

    #[test]
    fn near_the_end_it_stays_direct_and_asks_once_a_second() {
        let mut grants = Grants::default();
        let asks = |grants: &mut Grants, now| (0..9).any(|_| grants.take(1, now, TERMS).ask);
        assert!(asks(&mut grants, NOW));
        grants.granted(None, NOW);
        assert!(!asks(&mut grants, NOW));
        assert!(asks(&mut grants, NOW.plus(QUIET)));
    }

    #[test]
    fn a_closed_grant_is_forgotten_and_a_busy_one_not_given_back() {
        let mut grants = Grants::default();
        grants.granted(Some((grant(1), 10)), NOW);
        grants.take(1, NOW, TERMS);
        assert_eq!(grants.retire(), None);
        let sku = crate::base::Sku::parse("A").expect("well formed");
        grants.seen(&GrantSeen { id: grant(1), sku, active: false, left: 0 });
        assert_eq!(grants.retire(), Some(vec![]));
        assert_eq!(grants.take(1, NOW, TERMS).source, Source::Direct);
    }

    proptest! {
        /// Whatever order takes, commits and replies come in, memory never takes more than the
        /// ledger has.
        #[test]
        fn taken_never_exceeds_granted(ops in prop::collection::vec((0_u8..3, 1_u32..5), 1..200)) {
            let sku = crate::base::Sku::parse("A").expect("well formed");
            let mut grants = Grants::default();
            grants.granted(Some((grant(1), 50)), NOW);
            let (mut ledger_left, mut flying) = (50_i64, std::collections::VecDeque::new());
            for (op, quantity) in ops {
                match op {
                    0 => if grants.take(quantity, NOW, TERMS).source != Source::Direct {
                        flying.push_back(quantity);
                    },
                    1 => if let Some(quantity) = flying.pop_front() {
                        ledger_left -= i64::from(quantity);
                        let (sku, left) = (sku.clone(), ledger_left);
                        grants.seen(&GrantSeen { id: grant(1), sku, active: true, left });
                        grants.landed(grant(1), quantity);
                    },
                    _ => if let Some(quantity) = flying.pop_back() {
                        grants.landed(grant(1), quantity);
                    },
                }
                let flying: i64 = flying.iter().map(|q| i64::from(*q)).sum();
                prop_assert!(flying <= ledger_left, "{flying} in flight, {ledger_left} left");
            }
        }
    }
}
