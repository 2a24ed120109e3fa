//! The ends of a session that are no order: canceled by somebody, expired by time.

use super::{
    answer::{Asked, CheckoutRefused, Operation, Reply, Shown},
    count,
    desk::Checkout,
    open::{ended, stale},
    record::session_write,
    session::Session,
};
use crate::ledger::{LedgerRefused, row::SessionState};

impl Checkout {
    /// Gives a session up and its holds back. Refused while a payment is under way.
    pub async fn cancel(
        &self,
        session: &mut Session,
        asked: &Asked,
    ) -> Result<Reply, CheckoutRefused> {
        self.give_up(session).await?;
        match session.state {
            SessionState::Open => {}
            SessionState::Completing => {
                return self.earlier_or(asked, CheckoutRefused::Completing).await;
            }
            state => return self.earlier_or(asked, ended(state)).await,
        }
        let after = over(session, SessionState::Canceled);
        let shown = Shown::Session { session: &after, operation: Operation::Cancel };
        let answer = self.render.render(asked.origin.protocol, shown);
        let key = asked.write(Some(answer.clone()), self.now());
        let write = session_write(&after, Vec::new(), false, None, Some(key), self.now());
        match self.commit(write).await? {
            Ok(_) => {
                count::released(&session.held, &after.held);
                self.unpaid.forget(after.id);
                *session = after;
                Ok(Reply::Done(answer))
            }
            Err(LedgerRefused::KeyTaken(row)) => self.replay(asked, *row).await,
            Err(refused) => Err(stale(&refused)),
        }
    }

    /// Ends an open session whose time is over. Anything else is left as it is.
    pub async fn expire(&self, session: &mut Session) -> Result<(), CheckoutRefused> {
        if session.state != SessionState::Open || session.expires_at > self.now() {
            return Ok(());
        }
        let after = over(session, SessionState::Expired);
        let write = session_write(&after, Vec::new(), false, None, None, self.now());
        match self.commit(write).await? {
            Ok(_) => {
                *session = after;
                Ok(())
            }
            Err(refused) => Err(stale(&refused)),
        }
    }
}

fn over(session: &Session, state: SessionState) -> Session {
    let mut after = session.clone();
    after.version += 1;
    after.state = state;
    after.held.clear();
    after.notices.clear();
    after
}
