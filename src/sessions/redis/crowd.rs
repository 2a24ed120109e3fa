//! Many commands for a Redis Cluster at once: one round trip for each node that has some of them.

use redis::{RedisError, RedisResult, Value};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};
use tokio::time::Instant;

use super::{
    cluster::{Cluster, HOPS_MAX, Member},
    home::Asked,
    node::NodeFault,
    slots::slot_of,
};

/// A command on its way.
#[derive(Clone, Copy)]
struct Leg {
    place: usize,
    slot: u16,
    /// Nobody, when nobody is known to have the slot.
    to: Option<u16>,
    asking: bool,
}

impl Cluster {
    /// Asks whoever has each key.
    ///
    /// The first who comes upon slots that nobody is known to have draws the map for them: sending
    /// them around would cost each of a crowd a second round trip, and a map costs one.
    pub(super) async fn ask_each(
        &self,
        asked: &[Asked],
        until: Instant,
    ) -> Result<Vec<RedisResult<Value>>, NodeFault> {
        let slots: Vec<u16> = asked.iter().map(|asked| slot_of(&asked.key)).collect();
        if slots.iter().any(|slot| self.slots.owner(*slot).is_none()) {
            // Who may not see the map is sent around.
            let _drawn = self.draw(until).await;
        }
        let leg = |(place, slot)| Leg { place, slot, to: self.slots.owner(slot), asking: false };
        let mut legs: Vec<Leg> = slots.into_iter().enumerate().map(leg).collect();
        let mut answers: Vec<Option<RedisResult<Value>>> = asked.iter().map(|_| None).collect();
        for _ in 0..HOPS_MAX {
            let mut shares: BTreeMap<(Option<u16>, bool), Vec<Leg>> = BTreeMap::new();
            for leg in legs.drain(..) {
                shares.entry((leg.to, leg.asking)).or_default().push(leg);
            }
            let sent = shares.into_iter().map(|((to, asking), share)| async move {
                let (number, member) = self.member_or_any(to);
                let commands = share.iter().map(|leg| &asked[leg.place].command);
                let told = member.node.ask_each(commands, asking, until).await;
                (number, share, told.map_err(|fault| self.heard(number, fault)))
            });
            // All are heard to the end, so that one that is silent leaves nothing half done.
            for (number, share, told) in futures_util::future::join_all(sent).await {
                for (leg, answer) in share.into_iter().zip(told?) {
                    match answer {
                        Err(error) => match self.next_leg(leg, number, error) {
                            Ok(next) => legs.push(next),
                            Err(error) => answers[leg.place] = Some(Err(error)),
                        },
                        answer => answers[leg.place] = Some(answer),
                    }
                }
            }
            if legs.is_empty() {
                break;
            }
        }
        let all: Option<Vec<_>> = answers.into_iter().collect();
        all.ok_or_else(|| NodeFault::Silent("the nodes send one another in a circle".to_owned()))
    }

    /// Whether every node that has slots, or that the configuration names, answered when it was
    /// last asked. One that fell silent has no slots until somebody says so; hence the second.
    pub(super) fn is_up(&self) -> bool {
        let owners = self.slots.owners();
        let counts = |place: usize| {
            let number = u16::try_from(place).unwrap_or(u16::MAX);
            place < self.named.known.len() || owners.binary_search(&number).is_ok()
        };
        let members = self.read();
        let mut numbered = members.iter().enumerate();
        numbered.all(|(place, member)| !counts(place) || member.node.is_up())
    }

    /// Where an error leads, when it leads anywhere.
    fn next_leg(&self, leg: Leg, by: u16, error: RedisError) -> Result<Leg, RedisError> {
        let redirect = match self.redirect(by, NodeFault::Answered(error)) {
            Ok(redirect) => redirect,
            Err(NodeFault::Answered(error)) => return Err(error),
            Err(fault) => return Err(RedisError::from(std::io::Error::other(fault.to_string()))),
        };
        let to = self.number_of(&redirect.to).ok();
        if let (true, Some(number)) = (redirect.moved, to) {
            self.slots.learn(leg.slot, number);
        }
        Ok(Leg { to, asking: !redirect.moved, ..leg })
    }

    /// A node by its number; or another one each time, of those that answer if there are any.
    fn member_or_any(&self, number: Option<u16>) -> (u16, Arc<Member>) {
        let members = self.read();
        let named = number.and_then(|number| Some((number, members.get(usize::from(number))?)));
        if let Some((number, member)) = named {
            return (number, member.clone());
        }
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let turns = (0..members.len()).map(|turn| (first.wrapping_add(turn)) % members.len());
        let mut numbered = turns.map(|place| (place, &members[place]));
        let up = numbered.clone().find(|(_, member)| member.node.is_up());
        // The configuration names at least one.
        let (place, member) = up.or_else(|| numbered.next()).expect("a cluster has a node");
        (u16::try_from(place).unwrap_or(u16::MAX), member.clone())
    }
}
