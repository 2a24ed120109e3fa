//! How a call out of the house fails.

/// No usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundFault {
    /// The request never left: no connection, a malformed address, a body that does not serialize.
    #[error("the request was not sent: {0}")]
    NotSent(String),
    /// The deadline passed. The other side may have acted.
    #[error("no answer before the deadline")]
    TimedOut,
    /// An answer of another class than 2xx, with the beginning of its body.
    #[error("the answer was {0}: {1}")]
    Status(u16, String),
    /// The connection broke, or the answer was too long or not what it should be. The other side
    /// may have acted.
    #[error("the answer cannot be used: {0}")]
    Broken(String),
}

impl OutboundFault {
    /// What whoever named the address may hear of it. How a connection failed would tell which
    /// names and ports there are in the network the service runs in.
    pub fn told(&self) -> String {
        match self {
            Self::NotSent(_) => "no connection to a public address by that name".to_owned(),
            Self::TimedOut => "no answer before the deadline".to_owned(),
            Self::Status(status, _) => format!("the answer was {status}"),
            Self::Broken(_) => "the answer cannot be used".to_owned(),
        }
    }

    /// Whether the other side may have done what it was asked to. A 4xx says that it did not.
    pub const fn may_have_acted(&self) -> bool {
        match self {
            Self::NotSent(_) => false,
            Self::Status(status, _) => *status < 400 || *status > 499,
            Self::TimedOut | Self::Broken(_) => true,
        }
    }
}
