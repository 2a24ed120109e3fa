//! A request to pay: what is wrong with its instrument counts only where there is something to pay.

use super::problem::Problem;
use crate::{
    base::{Address, Person},
    checkout::{CheckoutRefused, Means, Tender},
};

/// An instrument, and where its bill goes.
pub type Billed = (Means, Option<Box<Address>>);

/// A request to pay, as it was read.
#[derive(Debug)]
pub struct Paying {
    /// What the checkout is given.
    pub tender: Tender,
    /// What is wrong with the instrument; none where it reads, or where nobody sent one.
    pub lacks: Option<Problem>,
}

impl Paying {
    /// Of an instrument, if it reads, and of what came with it.
    pub fn of(instrument: Result<Option<Billed>, Problem>, mut person: Person) -> Self {
        let (means, lacks) = match instrument {
            Ok(Some((means, billing))) => {
                person.billing = billing;
                (Some(means), None)
            }
            Ok(None) => (None, None),
            Err(lacks) => (None, Some(lacks)),
        };
        Self { tender: Tender { means, expected_total: None, person }, lacks }
    }
}

/// Why a request to pay was refused: by its instrument where one is needed and does not read.
pub fn refused(
    error: CheckoutRefused,
    lacks: Option<Problem>,
    otherwise: fn(CheckoutRefused) -> Problem,
) -> Problem {
    match (error, lacks) {
        (CheckoutRefused::MeansMissing, Some(lacks)) => lacks,
        (error, _) => otherwise(error),
    }
}
