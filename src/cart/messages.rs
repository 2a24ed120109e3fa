//! What can be asked of a cart.

use actix::Message;
use std::sync::{Arc, Weak};
use tracing::Span;

use crate::{
    base::{CheckoutId, Protocol},
    checkout::{Asked, Checkout, CheckoutRefused, Draft, Reply, Session, Tender},
};

/// A command for one cart. Asking twice with one key answers twice the same.
#[derive(Debug)]
pub struct Ask {
    /// Which checkout.
    pub checkout: CheckoutId,
    /// Who asks, under which key.
    pub asked: Asked,
    /// The versions one of which the caller saw (`If-Match`); none, when it was none of ours.
    pub if_version: Option<Vec<u32>>,
    /// What.
    pub command: Command,
}

/// A command that somebody waits for. Once begun it is carried out whoever still waits; given up
/// before its turn, it is left undone.
#[derive(Debug, Message)]
#[rtype(result = "Result<Reply, CheckoutRefused>")]
pub struct Awaited {
    /// What is asked.
    pub ask: Box<Ask>,
    /// Lives as long as somebody waits.
    pub waits: Weak<()>,
    /// What the log knows of who waits.
    pub span: Span,
}

/// The commands.
#[derive(Debug)]
pub enum Command {
    /// A new session. The checkout id is fresh.
    Create(Box<Draft>),
    /// Replaces the whole session.
    Update(Box<Draft>),
    /// Pays.
    Complete(Box<Tender>),
    /// Gives up.
    Cancel,
    /// Gives a cart up.
    CancelCart,
    /// Shows the session as the answer to this request.
    Present,
    /// Creates and pays in one. The checkout id is fresh.
    Express(Box<Draft>, Box<Tender>),
}

impl Command {
    /// Its name, for the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Complete(_) => "complete",
            Self::Cancel => "cancel",
            Self::CancelCart => "cancel_cart",
            Self::Present => "present",
            Self::Express(..) => "express",
        }
    }

    /// Whether it is for a cart rather than for a checkout.
    pub fn is_for_cart(&self) -> bool {
        match self {
            Self::Create(draft) | Self::Update(draft) => draft.is_cart,
            Self::CancelCart => true,
            Self::Complete(_) | Self::Cancel | Self::Present | Self::Express(..) => false,
        }
    }
}

/// Shows a session to its caller.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<Session>, CheckoutRefused>")]
pub struct Show {
    /// Which checkout.
    pub checkout: CheckoutId,
    /// Who asks.
    pub caller: String,
    /// Over which protocol.
    pub protocol: Protocol,
}

impl Show {
    /// The session as the ledger has it.
    pub(super) async fn read(self, desk: &Checkout) -> Result<Arc<Session>, CheckoutRefused> {
        let session = desk.load(self.checkout).await?;
        self.to_its_caller(session)
    }

    /// Shown to its own caller alone.
    pub(super) fn to_its_caller(
        &self,
        session: Option<Session>,
    ) -> Result<Arc<Session>, CheckoutRefused> {
        let session = session.ok_or(CheckoutRefused::NotFound(self.checkout))?;
        session.check_asker(&self.caller, self.protocol)?;
        Ok(Arc::new(session))
    }
}

/// Looks after a session nobody asked about: settles an overdue payment attempt, ends a session
/// whose time is over. Doing it twice is doing it once.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), CheckoutRefused>")]
pub struct Tend {
    /// Which checkout.
    pub checkout: CheckoutId,
}

/// Stops the actor when nothing is under way. Answers whether it stops.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "bool")]
pub struct Retire;
