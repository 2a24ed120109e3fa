//! What there is: units of one SKU, replicas with grants, and buyers who each want some and pay.

/// At most so many of each; a scope uses fewer.
pub(crate) const BUYERS: usize = 3;
pub(crate) const GRANTS: usize = 2;
pub(crate) const REPLICAS: usize = 2;
pub(crate) const HOLDERS: usize = 4;
pub(crate) const ATTEMPTS: usize = 2;
pub(crate) const UNKNOWNS: usize = 2;

/// Everything, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) unallocated: u8,
    pub(crate) sold: u8,
    pub(crate) grants: [Grant; GRANTS],
    pub(crate) holders: [Holder; HOLDERS],
    pub(crate) fence: Fence,
    pub(crate) replicas: [Replica; REPLICAS],
    pub(crate) buyers: [Buyer; BUYERS],
    /// Commits whose outcome was unknown, and what the ledger recorded under their ids.
    pub(crate) sent: [Option<Sent>; UNKNOWNS],
    pub(crate) left: Left,
    /// Somebody was told "sold out" while a buyer could have had the units.
    pub(crate) lied: bool,
}

/// How many troubles may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) crashes: u8,
    pub(crate) pauses: u8,
    pub(crate) unknowns: u8,
    pub(crate) silences: u8,
    pub(crate) fences: u8,
}

/// A block of units in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Grant {
    pub(crate) holder: u8,
    pub(crate) granted: u8,
    pub(crate) consumed: u8,
    pub(crate) stands: Stands,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stands {
    None,
    /// Its transaction has checked that the holder lives and has not committed yet.
    Uncommitted,
    Active,
    Closed,
}

/// A process lifetime in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Unborn,
    Live,
    /// A fence has its row locked.
    Locked,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fence {
    None,
    /// The row is locked and marked; the next statement closes what it then sees.
    Marked(u8),
    /// One statement only: it closes what it saw when it began.
    Snapshot(u8, [bool; GRANTS]),
}

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    pub(crate) run: Run,
    pub(crate) holder: u8,
    /// What memory believes each grant has left; units in flight are not subtracted.
    pub(crate) memory: [u8; GRANTS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Run {
    Running,
    Paused,
    Down,
}

/// A buyer with one checkout: its rows in the ledger, its charges at the bank, and who works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Buyer {
    pub(crate) session: Session,
    pub(crate) version: u8,
    pub(crate) hold: Hold,
    pub(crate) attempts: [Attempt; ATTEMPTS],
    pub(crate) charges: [Charge; ATTEMPTS],
    pub(crate) caller: Caller,
    pub(crate) at: u8,
    pub(crate) recovery: Recovery,
    pub(crate) told: Told,
    /// The hold was committed at some time.
    pub(crate) held_once: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Session {
    None,
    Open,
    Completing,
    Ordered,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Hold {
    None,
    Free,
    Pinned(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Attempt {
    None,
    Pending,
    Sold,
    Declined,
    Unheard,
}

/// What the bank has, what is on its way there, and whether letting it go is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Charge {
    pub(crate) stands: Money,
    pub(crate) on_the_way: bool,
    pub(crate) void_owed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Money {
    Nothing,
    Authorized,
    Declined,
    Voided,
    Captured,
}

/// Where the saga of a checkout stands, in the memory of one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    Nobody,
    /// An entry waits for its commit.
    Writes(Entry),
    /// Its transaction took a snapshot of the grants before it waited for the stock row.
    Looked(Entry, [bool; GRANTS]),
    /// Its commit was sent, and the outcome is unknown.
    Unsure(Entry),
    /// T1 is committed; the gateway is called next.
    Calls(u8),
    Waits(u8),
    /// The gateway declined.
    Settles(u8),
    /// The authorization in hand is of no use.
    Voids(u8),
}

/// One fact on its way into the ledger; each is a decision of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    /// Tells apart what is decided again.
    pub(crate) decision: u8,
    pub(crate) fact: Fact,
    pub(crate) attempt: u8,
    /// The session's version it goes from.
    pub(crate) version: u8,
    pub(crate) source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fact {
    /// T0.
    Hold,
    /// T1; holds again what has lapsed.
    Begin,
    /// T0 and T1 as one.
    Express,
    /// T2.
    Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Direct,
    Grant(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Done,
    GrantClosed,
    Short,
    /// The session is elsewhere.
    Conflict,
    AlreadySold,
    AlreadySettled,
}

/// An entry whose commit's outcome is not known to the one who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sent {
    pub(crate) buyer: u8,
    pub(crate) entry: Entry,
    /// The first sending may still commit.
    pub(crate) under_way: bool,
    pub(crate) recorded: Option<Outcome>,
}

/// The reconciler: asks, then acts on what it heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Recovery {
    None,
    Heard(u8, Money),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    Nothing,
    Held,
    SoldOut,
    Order,
}

impl Grant {
    pub(crate) const fn left(self) -> u8 {
        match self.stands {
            Stands::Active => self.granted - self.consumed,
            _ => 0,
        }
    }
}

impl Buyer {
    pub(crate) const NEW: Self = Self {
        session: Session::None,
        version: 0,
        hold: Hold::None,
        attempts: [Attempt::None; ATTEMPTS],
        charges: [Charge { stands: Money::Nothing, on_the_way: false, void_owed: false }; ATTEMPTS],
        caller: Caller::Nobody,
        at: 0,
        recovery: Recovery::None,
        told: Told::Nothing,
        held_once: false,
    };
}

impl State {
    /// Forgets what can make no difference any more, so that states that are alike are one.
    pub(crate) fn tidied(mut self, keeps_closed: bool) -> Self {
        for at in 0..self.sent.len() {
            let matters = |sent: Sent| {
                let unsure =
                    self.buyers[usize::from(sent.buyer)].caller == Caller::Unsure(sent.entry);
                sent.under_way || unsure
            };
            self.sent[at] = self.sent[at].filter(|sent| matters(*sent));
        }
        self.sent.sort_unstable_by_key(|sent| sent.map(|sent| (sent.buyer, sent.entry.fact as u8)));
        for grant in &mut self.grants {
            if grant.stands == Stands::Closed && !keeps_closed {
                (grant.holder, grant.granted, grant.consumed) = (0, 0, 0);
            }
        }
        for buyer in &mut self.buyers {
            if buyer.caller == Caller::Nobody {
                buyer.at = 0;
            }
            if matches!(buyer.session, Session::Ordered | Session::Ended) {
                buyer.version = 0;
            }
        }
        self
    }

    /// Units a buyer could get now, one way or another.
    pub(crate) fn obtainable(&self) -> u8 {
        self.unallocated + self.grants.iter().map(|grant| grant.left()).sum::<u8>()
    }
}
