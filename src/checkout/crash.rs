//! The crash points of the design, named, so that tests can stop a checkout at each of them.

/// A place where a process may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrashPoint {
    /// K0: before T1.
    BeforeBegin,
    /// K2: after T1.
    AfterBegin,
    /// K3: the gateway was called and has not answered.
    CallSent,
    /// K4: the gateway's answer is read, before T2.
    AnswerRead,
    /// K6: after T2, before the reply.
    AfterPlace,
    /// K10: an attempt's outcome is being recovered.
    InRecovery,
    /// K11: a capture or void was done at the gateway, before T3.
    InCollection,
    /// K12: in the expiry sweep.
    InSweep,
}

impl CrashPoint {
    /// All of them. K1 and K5 lie inside a commit and K7 to K9 belong to webhooks: killing the
    /// process reaches the former.
    pub const ALL: [Self; 8] = [
        Self::BeforeBegin,
        Self::AfterBegin,
        Self::CallSent,
        Self::AnswerRead,
        Self::AfterPlace,
        Self::InRecovery,
        Self::InCollection,
        Self::InSweep,
    ];
}

/// Hears when a crash point is reached. A test's probe panics there, which ends the actor as a
/// crash would; in production nothing listens.
pub trait Probe: Send + Sync + 'static {
    /// The point is reached.
    fn reach(&self, point: CrashPoint);
}

/// Nobody listens.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn reach(&self, _: CrashPoint) {}
}
