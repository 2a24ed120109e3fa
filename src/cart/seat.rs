//! What a cart may do next: one job at a time, those that come meanwhile in a bounded line.

use std::collections::VecDeque;
use tracing::{Span, field};

use super::messages::{Ask, Awaited, Command, Tend};
use crate::{
    base::CheckoutId,
    checkout::{Checkout, CheckoutRefused, Reply, Session},
    ledger::row::SessionState,
};

/// Jobs that wait for one cart. A shopper sends one at a time; more is a client gone wild.
const WAITING_MAX: usize = 128;

/// Something to do for a cart.
pub enum Job {
    /// A caller's command.
    Ask(Awaited),
    /// Housekeeping.
    Tend(Tend),
}

/// What a job came to: `None` for housekeeping.
pub type Outcome = Result<Option<Reply>, CheckoutRefused>;

/// The session in memory, and who waits for it. `J` is a job with whoever wants its outcome.
#[derive(Debug)]
pub struct Seat<J> {
    state: State,
    waiting: VecDeque<J>,
}

#[derive(Debug)]
enum State {
    /// Nobody works on the session; it is in memory if it was loaded.
    Idle(Option<Box<Session>>),
    /// A job has it.
    Busy,
}

impl<J> Default for Seat<J> {
    fn default() -> Self {
        Self { state: State::Idle(None), waiting: VecDeque::new() }
    }
}

impl<J> Seat<J> {
    /// Puts a job in line, or hands it back when the line is full.
    pub fn line_up(&mut self, job: J) -> Result<(), J> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(job);
        }
        self.waiting.push_back(job);
        Ok(())
    }

    /// The next job that is still wanted, with the session, if nobody has it. The seat is busy
    /// until [`Seat::done`].
    pub fn next_job(
        &mut self,
        is_wanted: impl Fn(&J) -> bool,
    ) -> Option<(J, Option<Box<Session>>)> {
        match &mut self.state {
            State::Busy => None,
            State::Idle(session) => {
                let job = std::iter::from_fn(|| self.waiting.pop_front()).find(is_wanted)?;
                let session = session.take();
                self.state = State::Busy;
                Some((job, session))
            }
        }
    }

    /// A job is over and brings the session back; `None` when memory must not be trusted.
    pub fn done(&mut self, session: Option<Box<Session>>) {
        if self.waiting.is_empty() {
            // A cart at rest keeps no room for a line: most get one command in minutes.
            self.waiting = VecDeque::new();
        }
        self.state = State::Idle(session);
    }

    /// The session as memory has it, when nobody works on it.
    pub fn at_rest(&self) -> Option<&Session> {
        match &self.state {
            State::Idle(session) => session.as_deref(),
            State::Busy => None,
        }
    }

    /// Whether nobody waits and memory is worth nothing: it has no session, or one that nothing can
    /// change any more.
    pub fn is_worthless(&self) -> bool {
        self.is_quiet() && self.at_rest().is_none_or(|session| session.state.is_final())
    }

    /// Whether nothing is under way and nobody waits.
    pub fn is_quiet(&self) -> bool {
        matches!(self.state, State::Idle(_)) && self.waiting.is_empty()
    }
}

impl Job {
    /// Which checkout it is about.
    pub const fn checkout(&self) -> CheckoutId {
        match self {
            Self::Ask(awaited) => awaited.ask.checkout,
            Self::Tend(tend) => tend.checkout,
        }
    }

    /// What the log knows of everything that is done for it. Attempt and order are noted when there
    /// is one.
    pub fn span(&self) -> Span {
        let (parent, command) = match self {
            Self::Ask(awaited) => (awaited.span.id(), awaited.ask.command.name()),
            Self::Tend(_) => (None, "tend"),
        };
        tracing::info_span!(
            parent: parent,
            "command",
            command,
            checkout.id = %self.checkout(),
            attempt.id = field::Empty,
            order.id = field::Empty,
        )
    }

    /// Whether anybody waits for it. Housekeeping is its own reason.
    pub fn is_wanted(&self) -> bool {
        match self {
            Self::Ask(awaited) => awaited.waits.strong_count() > 0,
            Self::Tend(_) => true,
        }
    }

    /// Does the job. The session comes back with the outcome unless memory must not be trusted.
    pub async fn run(
        self,
        desk: &Checkout,
        session: Option<Box<Session>>,
    ) -> (Option<Box<Session>>, Outcome) {
        match self {
            Self::Ask(awaited) => run_ask(desk, session, *awaited.ask).await,
            Self::Tend(tend) => match run_tend(desk, session, tend).await {
                Ok(session) => (session, Ok(None)),
                Err(refused) => (None, Err(refused)),
            },
        }
    }
}

async fn run_tend(
    desk: &Checkout,
    session: Option<Box<Session>>,
    tend: Tend,
) -> Result<Option<Box<Session>>, CheckoutRefused> {
    let Some(mut session) = current(desk, session, tend.checkout).await? else {
        return Ok(None);
    };
    desk.recover(&mut session).await?;
    desk.expire(&mut session).await?;
    Ok(Some(session))
}

async fn run_ask(
    desk: &Checkout,
    session: Option<Box<Session>>,
    ask: Ask,
) -> (Option<Box<Session>>, Outcome) {
    let (checkout, if_version) = (ask.checkout, ask.if_version);
    let asked = &ask.asked;
    let created = match ask.command {
        Command::Create(draft) => desk.create(checkout, asked, *draft).await,
        Command::Express(draft, tender) => desk.express(checkout, asked, *draft, *tender).await,
        command => {
            let if_version = if_version.as_deref();
            return run_on(desk, session, ask.asked, checkout, if_version, command).await;
        }
    };
    match created {
        Ok((session, reply)) => (session.map(Box::new), Ok(Some(reply))),
        Err(refused) => (None, Err(refused)),
    }
}

/// Runs a command on an existing session. When memory turned out to be old, once more on the truth.
async fn run_on(
    desk: &Checkout,
    mut memory: Option<Box<Session>>,
    asked: crate::checkout::Asked,
    checkout: CheckoutId,
    if_version: Option<&[u32]>,
    command: Command,
) -> (Option<Box<Session>>, Outcome) {
    if let Some(session) = &memory
        && is_told_unwritten(session, if_version, &command)
    {
        match desk.is_current(session).await {
            Ok(true) => {}
            Ok(false) => memory = None,
            Err(refused) => return (None, Err(refused)),
        }
    }
    for attempt in 0..2 {
        let mut session = match existing(desk, memory.take(), checkout, &asked).await {
            Ok(session) => session,
            Err(refused) => return (None, Err(refused)),
        };
        if session.is_cart != command.is_for_cart() {
            return (Some(session), Err(CheckoutRefused::NotFound(checkout)));
        }
        if if_version.is_some_and(|versions| !versions.contains(&session.version)) {
            // A retry of the request that made the newer version still gets its answer.
            let refusal = CheckoutRefused::VersionMismatch { current: session.version };
            let earlier = desk.earlier_or(&asked, refusal).await;
            return (Some(session), earlier.map(Some));
        }
        let outcome = match &command {
            Command::Update(draft) => desk.update(&mut session, &asked, (**draft).clone()).await,
            Command::Complete(tender) => {
                desk.complete(&mut session, &asked, (**tender).clone()).await
            }
            Command::Cancel | Command::CancelCart => desk.cancel(&mut session, &asked).await,
            Command::Present => desk.present(&session, &asked).await,
            Command::Create(_) | Command::Express(..) => Err(CheckoutRefused::Busy),
        };
        match outcome {
            Err(CheckoutRefused::VersionMismatch { .. })
                if if_version.is_none() && attempt == 0 => {}
            // After a fault the ledger may know more than memory does.
            Err(refused) => return (None, Err(refused)),
            Ok(reply) => return (Some(session), Ok(Some(reply))),
        }
    }
    (None, Err(CheckoutRefused::Busy))
}

/// Whether the answer rests on memory alone. A session's next write finds out that another replica
/// has overtaken it; an answer that writes nothing of the session has to look before.
fn is_told_unwritten(session: &Session, if_version: Option<&[u32]>, command: &Command) -> bool {
    let is_written = match command {
        Command::Complete(tender) => session.would_pay(tender),
        Command::Present => false,
        _ => session.state == SessionState::Open,
    };
    !is_written || if_version.is_some_and(|versions| !versions.contains(&session.version))
}

async fn existing(
    desk: &Checkout,
    memory: Option<Box<Session>>,
    checkout: CheckoutId,
    asked: &crate::checkout::Asked,
) -> Result<Box<Session>, CheckoutRefused> {
    let session = current(desk, memory, checkout).await?;
    let session = session.ok_or(CheckoutRefused::NotFound(checkout))?;
    session.check_asker(&asked.caller, asked.origin.protocol)?;
    Ok(session)
}

/// The session from memory, else from the store. Memory that another replica has overtaken is found
/// out by the version of the next write, or before (see [`is_told_unwritten`]).
async fn current(
    desk: &Checkout,
    memory: Option<Box<Session>>,
    checkout: CheckoutId,
) -> Result<Option<Box<Session>>, CheckoutRefused> {
    match memory {
        Some(session) => Ok(Some(session)),
        None => Ok(desk.load(checkout).await?.map(Box::new)),
    }
}
