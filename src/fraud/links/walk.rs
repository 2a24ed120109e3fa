//! The walk from an order to those it shares something with, and from them to the next. Pure: the
//! index is asked between its steps.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{LinkKey, LinkKind, OrderHead, Shared};
use crate::base::{CheckoutId, OrderId};

/// Keys of one order that are looked at. Who tried more cards in one cart is known as that.
pub const KEYS_MAX: usize = 32;

/// Checkouts looked at for each key of the order, the latest first: what an office or a mobile
/// network shares does not fill a screen.
pub const PER_KEY_MAX: u32 = 50;

/// Orders shown one step away: more than anybody reads.
pub const FIRST_MAX: usize = 50;

/// Keys looked at for each order that is followed.
pub const FOLLOWED_MAX: usize = 16;

/// Keys followed in all: each is one look into the index.
pub const FOLLOWED_KEYS_MAX: usize = 200;

/// Checkouts looked at for each key that is followed.
pub const PER_FOLLOWED_MAX: u32 = 10;

/// Orders shown two steps away.
pub const SECOND_MAX: usize = 50;

/// Orders named as the way to one that is two steps away.
const VIA_MAX: usize = 3;

/// What an order is linked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Linked {
    /// The order.
    pub order: OrderId,
    /// How many of those shown were fraud.
    pub confirmed_frauds: usize,
    /// What more orders share than are looked at; they are the latest ones.
    pub more_share: Vec<&'static str>,
    /// Whether more orders were found than are shown.
    pub has_more: bool,
    /// Those one step away, then those two: fraud first, then those that share most, then the
    /// latest.
    pub items: Vec<LinkedOrder>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct LinkedOrder {
    /// How it is linked: 1 shares something with the order, 2 with one that does.
    pub hops: u8,
    /// What it shares.
    pub shares: Vec<&'static str>,
    /// With whom, when it is two steps away; the first few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<OrderId>,
    /// Whether it was found to be fraud.
    pub confirmed_fraud: bool,
    /// The order.
    #[serde(flatten)]
    pub head: OrderHead,
}

/// What is known of a checkout while the walk goes on.
#[derive(Debug, Default)]
struct Met {
    kinds: BTreeSet<LinkKind>,
    via: BTreeSet<OrderId>,
}

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    order: OrderId,
    own: Vec<LinkKey>,
    crowded: BTreeSet<LinkKind>,
    has_more: bool,
    met: BTreeMap<CheckoutId, Met>,
    first: Vec<LinkedOrder>,
    /// Which orders have a key that is followed.
    followed: BTreeMap<LinkKey, Vec<OrderId>>,
}

impl Walk {
    /// A walk from an order with these keys.
    pub fn from(order: OrderId, own: Vec<LinkKey>) -> Self {
        Self {
            order,
            own,
            crowded: BTreeSet::new(),
            has_more: false,
            met: BTreeMap::new(),
            first: Vec::new(),
            followed: BTreeMap::new(),
        }
    }

    /// The order's own keys.
    pub fn keys(&self) -> &[LinkKey] {
        &self.own
    }

    /// Who shares the order's own keys.
    pub fn found(&mut self, shared: Vec<Shared>) {
        for Shared { key, checkouts } in shared {
            if checkouts.len() >= PER_KEY_MAX as usize {
                self.crowded.insert(key.kind);
            }
            for checkout in checkouts.into_iter().filter(|met| *met != self.order.checkout()) {
                self.met.entry(checkout).or_default().kinds.insert(key.kind);
            }
        }
    }

    /// Checkouts that were met; some of them became no order.
    pub fn candidates(&self) -> Vec<CheckoutId> {
        self.met.keys().copied().collect()
    }

    /// Keeps the orders among them. Returns those to follow.
    pub fn keep_first(&mut self, heads: Vec<OrderHead>) -> Vec<CheckoutId> {
        let met = std::mem::take(&mut self.met);
        self.first = ranked(heads, 1, &met);
        self.has_more |= self.first.len() > FIRST_MAX;
        self.first.truncate(FIRST_MAX);
        self.first.iter().map(|linked| linked.head.order.checkout()).collect()
    }

    /// What those have that the order itself does not. Returns the keys to look up.
    pub fn follow(&mut self, keys: &BTreeMap<CheckoutId, Vec<LinkKey>>) -> Vec<LinkKey> {
        for linked in &self.first {
            let order = linked.head.order;
            let keys = keys.get(&order.checkout()).map(Vec::as_slice).unwrap_or_default();
            for key in keys.iter().filter(|key| !key.kind.is_weak() && !self.own.contains(key)) {
                let is_full = self.followed.len() >= FOLLOWED_KEYS_MAX;
                match self.followed.entry(*key) {
                    Entry::Occupied(mut known) => known.get_mut().push(order),
                    Entry::Vacant(_) if is_full => self.has_more = true,
                    Entry::Vacant(new) => drop(new.insert(vec![order])),
                }
            }
        }
        self.followed.keys().copied().collect()
    }

    /// Who shares those keys. Returns checkouts that were not met before.
    pub fn found_beyond(&mut self, shared: Vec<Shared>) -> Vec<CheckoutId> {
        let near: BTreeSet<_> =
            self.first.iter().map(|linked| linked.head.order.checkout()).collect();
        for Shared { key, checkouts } in shared {
            let via = self.followed.get(&key).map(Vec::as_slice).unwrap_or_default();
            let far = |met: &CheckoutId| *met != self.order.checkout() && !near.contains(met);
            for checkout in checkouts.into_iter().filter(far) {
                let met = self.met.entry(checkout).or_default();
                met.kinds.insert(key.kind);
                met.via.extend(via);
            }
        }
        self.candidates()
    }

    /// All of it.
    pub fn end(mut self, heads: Vec<OrderHead>) -> Linked {
        let mut second = ranked(heads, 2, &self.met);
        self.has_more |= second.len() > SECOND_MAX;
        second.truncate(SECOND_MAX);
        let mut items = self.first;
        items.append(&mut second);
        Linked {
            order: self.order,
            confirmed_frauds: items.iter().filter(|linked| linked.confirmed_fraud).count(),
            more_share: self.crowded.into_iter().map(LinkKind::as_str).collect(),
            has_more: self.has_more,
            items,
        }
    }
}

/// Orders with what was met of them: fraud first, then those that share most, then the latest.
fn ranked(heads: Vec<OrderHead>, hops: u8, met: &BTreeMap<CheckoutId, Met>) -> Vec<LinkedOrder> {
    let linked = |head: OrderHead| {
        let met = met.get(&head.order.checkout())?;
        Some(LinkedOrder {
            hops,
            shares: met.kinds.iter().map(|kind| kind.as_str()).collect(),
            via: met.via.iter().copied().take(VIA_MAX).collect(),
            confirmed_fraud: head.label.as_ref().is_some_and(|label| label.fraud),
            head,
        })
    };
    let mut linked: Vec<_> = heads.into_iter().filter_map(linked).collect();
    linked.sort_by(|one, other| {
        let rank = |linked: &LinkedOrder| (linked.confirmed_fraud, linked.shares.len());
        let by_rank = rank(other).cmp(&rank(one));
        by_rank
            .then(other.head.placed_at.cmp(&one.head.placed_at))
            .then(other.head.order.cmp(&one.head.order))
    });
    linked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Timestamp, fraud::history::Known};

    fn checkout(number: u128) -> CheckoutId {
        CheckoutId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn key(kind: LinkKind, key: i64) -> LinkKey {
        LinkKey { kind, key }
    }

    fn shared(key: LinkKey, by: &[u128]) -> Shared {
        Shared { key, checkouts: by.iter().copied().map(checkout).collect() }
    }

    fn head(number: u128, fraud: bool) -> OrderHead {
        let at = Timestamp::from_micros(i64::try_from(number).expect("a small number"));
        let label = fraud.then(|| Known { fraud, source: "dispute".into(), at });
        OrderHead {
            order: OrderId::of(checkout(number)),
            placed_at: at,
            total_minor: 1990,
            currency: "EUR".parse().expect("a currency"),
            case: None,
            label,
        }
    }

    fn numbers(linked: &Linked) -> Vec<(u8, u128)> {
        let number = |linked: &LinkedOrder| linked.head.order.checkout().uuid().as_u128();
        linked.items.iter().map(|linked| (linked.hops, number(linked))).collect()
    }

    /// 1 shares its card with 2 and its network with 3; 2 has a device that 4 has; 3's card is no
    /// link of 1, and its network is not followed.
    #[test]
    fn two_steps_lead_over_what_is_one_s_own_and_not_over_networks() {
        let (card, net) = (key(LinkKind::Card, 1), key(LinkKind::IpPrefix, 2));
        let (device, other_net) = (key(LinkKind::Device, 3), key(LinkKind::Ip, 4));
        let mut walk = Walk::from(OrderId::of(checkout(1)), vec![card, net]);
        walk.found(vec![shared(card, &[2, 1]), shared(net, &[3, 2, 1])]);
        assert_eq!(walk.candidates(), [checkout(2), checkout(3)]);
        let followed = walk.keep_first(vec![head(2, false), head(3, false)]);
        assert_eq!(followed, [checkout(2), checkout(3)]);
        let keys = [(checkout(2), vec![card, device, net]), (checkout(3), vec![net, other_net])];
        assert_eq!(walk.follow(&keys.into_iter().collect()), [device]);
        assert_eq!(walk.found_beyond(vec![shared(device, &[4, 2, 1])]), [checkout(4)]);
        let linked = walk.end(vec![head(4, true)]);
        assert_eq!(numbers(&linked), [(1, 2), (1, 3), (2, 4)]);
        assert_eq!(linked.items[0].shares, ["card", "ip_prefix"]);
        assert_eq!(linked.items[2].via, [OrderId::of(checkout(2))]);
        assert_eq!((linked.confirmed_frauds, linked.has_more), (1, false));
    }

    #[test]
    fn fraud_comes_first_and_what_does_not_fit_is_said() {
        let net = key(LinkKind::Ip, 1);
        let mut walk = Walk::from(OrderId::of(checkout(1_000)), vec![net]);
        let many: Vec<u128> = (0..u128::from(PER_KEY_MAX)).collect();
        walk.found(vec![shared(net, &many), shared(key(LinkKind::Email, 2), &[60])]);
        let heads = many.iter().map(|number| head(*number, *number == 7));
        let first = walk.keep_first(heads.chain([head(60, false)]).collect());
        assert_eq!((first.len(), first[0]), (FIRST_MAX, checkout(7)));
        assert_eq!(walk.follow(&BTreeMap::new()), []);
        let linked = walk.end(Vec::new());
        assert_eq!(linked.more_share, ["ip"]);
        assert!(linked.has_more && linked.items[0].confirmed_fraud);
    }
}
