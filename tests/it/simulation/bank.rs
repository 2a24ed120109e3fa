//! The bank: the sandbox's own rules over a book in memory, behind a line that breaks, delays and
//! delivers late.

use async_trait::async_trait;
use doorbuster::{
    base::Timestamp,
    payment::{
        AuthorizeRequest, Authorized, Found, Gateway, GatewayFault, Lookup, MoneyRequest, Moved,
        sandbox::{Charge, Charges, Op, Outcome, Token},
    },
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::oneshot;

use super::{chaos::Chaos, ledger::elsewhere};

/// The bank all replicas share.
#[derive(Clone)]
pub(crate) struct Bank {
    chaos: Arc<Chaos>,
    book: Arc<Mutex<Charges>>,
}

/// What the line does with a call.
#[derive(Debug, Clone, Copy)]
enum Line {
    Good,
    /// It never gets there, and we know.
    NotSent,
    /// It never gets there, and we do not know.
    Lost,
    /// It acts; the answer is lost.
    Unanswered,
    /// It acts long after the caller was told nothing, and minds no deadline.
    Late,
    /// It acts in time, and the answer takes long; or it arrives too late and says so.
    Slow,
}

type Act<T> = Box<dyn FnOnce(&mut Charges, Timestamp, bool) -> Result<T, GatewayFault> + Send>;

impl Bank {
    pub(crate) fn new(chaos: Arc<Chaos>) -> Self {
        Self { chaos, book: Arc::default() }
    }

    pub(crate) fn charges(&self) -> Vec<Charge> {
        self.book.lock().unwrap().iter().cloned().collect()
    }

    fn line(&self) -> Line {
        if self.chaos.is_bank_away() {
            return if self.chaos.below(2) == 0 { Line::NotSent } else { Line::Lost };
        }
        if !self.chaos.strikes(self.chaos.plan.rates.bank) {
            return Line::Good;
        }
        match self.chaos.below(5) {
            0 => Line::NotSent,
            1 => Line::Lost,
            2 => Line::Unanswered,
            3 => Line::Late,
            _ => Line::Slow,
        }
    }

    async fn call<T: Send + 'static>(&self, what: String, act: Act<T>) -> Result<T, GatewayFault> {
        let line = self.line();
        let chaos = &self.chaos;
        let unknown = || GatewayFault::Unknown("the simulated line is silent".into());
        let (there, back, answers) = match line {
            Line::Good => (chaos.between(1, 60), chaos.between(1, 20), true),
            Line::NotSent => return Err(GatewayFault::NotSent("the simulated line is cut".into())),
            Line::Lost => {
                tokio::time::sleep(chaos.between(1, 4000)).await;
                return Err(unknown());
            }
            Line::Unanswered => (chaos.between(1, 60), chaos.between(1, 4000), false),
            Line::Late => (chaos.between(500, 40_000), Duration::ZERO, false),
            Line::Slow => (chaos.between(1, 5000), chaos.between(1, 5000), true),
        };
        let (reply, answer) = oneshot::channel();
        let bank = self.clone();
        let careless = matches!(line, Line::Late);
        elsewhere(async move {
            tokio::time::sleep(there).await;
            let now = bank.chaos.now();
            let outcome = act(&mut bank.book.lock().unwrap(), now, careless);
            bank.chaos.tell(|| format!("bank {line:?} {what}: {:?}", outcome.as_ref().err()));
            tokio::time::sleep(back).await;
            let _gone = if answers { reply.send(outcome) } else { Ok(()) };
        });
        // A client gives up long before a late call acts.
        let patience = chaos.between(2000, 5000);
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(unknown()),
        }
    }

    async fn moves(&self, op: Op, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let what = format!("{op:?} {}", request.reference);
        let request = request.clone();
        let act = move |book: &mut Charges, now: Timestamp, _: bool| {
            let record = book.judge_move(op, &request, now);
            book.apply(&record).map_err(GatewayFault::Unknown)?;
            match record.outcome {
                Outcome::Refused => Err(GatewayFault::Refused(record.code.unwrap_or_default())),
                _ => Ok(Moved::Done),
            }
        };
        self.call(what, Box::new(act)).await
    }
}

fn authorize(
    book: &mut Charges,
    request: &AuthorizeRequest,
    now: Timestamp,
) -> Result<Authorized, GatewayFault> {
    let token = Token::read(request.credential.expose());
    let record = book.judge_authorize(request.reference, request.amount, (token, false), now);
    book.apply(&record).map_err(GatewayFault::Unknown)?;
    match record.outcome {
        Outcome::Failed => Err(GatewayFault::Unknown("500 Internal Server Error".into())),
        Outcome::Refused => Err(GatewayFault::Refused(record.code.unwrap_or_default())),
        _ => {
            let answer = book.get(request.reference).and_then(|charge| charge.answer.clone());
            answer.ok_or_else(|| GatewayFault::Unknown("the book lost a charge".into()))
        }
    }
}

#[async_trait]
impl Gateway for Bank {
    fn name(&self) -> &str {
        "bank"
    }

    async fn authorize(&self, request: &AuthorizeRequest) -> Result<Authorized, GatewayFault> {
        let what = format!("Authorize {}", request.reference);
        let request = request.clone();
        let act = move |book: &mut Charges, now: Timestamp, careless: bool| {
            if now > request.not_after && !careless && !book.is_answered(request.reference) {
                return Err(GatewayFault::NotSent("the call came after its deadline".into()));
            }
            authorize(book, &request, now)
        };
        self.call(what, Box::new(act)).await
    }

    async fn capture(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.moves(Op::Capture, request).await
    }

    async fn void(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.moves(Op::Void, request).await
    }

    async fn refund(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        self.moves(Op::Refund, request).await
    }

    async fn end(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        let (reference, amount) = (lookup.reference, lookup.amount);
        let end = move |book: &mut Charges, now: Timestamp, _: bool| {
            let record = book.judge_end(reference, amount, now);
            book.apply(&record).map_err(GatewayFault::Unknown)?;
            Ok(book.get(reference).map_or(Found::Nothing, Charge::found))
        };
        self.call(format!("End {reference}"), Box::new(end)).await
    }

    async fn find(&self, lookup: &Lookup) -> Result<Found, GatewayFault> {
        let reference = lookup.reference;
        let look = move |book: &mut Charges, _: Timestamp, _: bool| {
            Ok(book.get(reference).map_or(Found::Nothing, Charge::found))
        };
        self.call(format!("Find {reference}"), Box::new(look)).await
    }
}
