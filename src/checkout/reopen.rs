//! A payment that does not begin: the session stays open with what it can still have, and says so.

use super::{
    answer::{Asked, CheckoutRefused, Reply},
    count,
    desk::Checkout,
    open::{merge, stale},
    quote::shortage_notice,
    record::session_write,
    session::{Line, Notice, NoticeCode, Session},
};
use crate::{
    base::Sku,
    ledger::{
        LedgerRefused, Shortage,
        entry::{HoldWanted, Source},
        review::NewAssessment,
    },
};

/// How often the session is cut down to what there is: each round another hold lapsed meanwhile.
const DECISIONS_MAX: u32 = 4;

/// How the session is to stand open.
pub(super) struct Reopened {
    /// The session, at the version that stands.
    pub session: Session,
    /// What it says besides what it can no longer have.
    pub notices: Vec<Notice>,
    /// Whether what is known of the person has changed.
    pub personal: bool,
    /// The judgement that kept the payment from beginning.
    pub assessment: Option<NewAssessment>,
}

impl Checkout {
    /// Writes the session's next version, open, and the answer with it. Lapsed holds are
    /// taken again; those that are gone are named.
    pub(super) async fn reopen(
        &self,
        asked: &Asked,
        reopened: Reopened,
        mut shortages: Vec<Shortage>,
    ) -> Result<(Session, Reply), CheckoutRefused> {
        for _ in 0..DECISIONS_MAX {
            let after = self.without(&reopened, &shortages);
            let keep = |(sku, quantity): &(Sku, u32)| HoldWanted {
                sku: sku.clone(),
                quantity: *quantity,
                source: Source::Direct,
            };
            let holds = after.held.iter().map(keep).collect();
            let (key, answer) = self.answered(&asked.write(None, self.now()), &after);
            let personal = reopened.personal;
            let mut write = session_write(&after, holds, personal, None, Some(key), self.now());
            write.assessment.clone_from(&reopened.assessment);
            match self.commit(write).await? {
                Ok(_) => {
                    count::told(&after.notices);
                    return Ok((after, Reply::Done(answer)));
                }
                Err(LedgerRefused::Short(more)) => {
                    count::short(&more);
                    merge(&mut shortages, more);
                }
                Err(LedgerRefused::KeyTaken(row)) => {
                    let reply = self.replay(asked, *row).await?;
                    return Ok((reopened.session, reply));
                }
                Err(refused) => return Err(stale(&refused)),
            }
        }
        Err(CheckoutRefused::Busy)
    }

    /// The session as it stands without what it can no longer have, one version on.
    fn without(&self, reopened: &Reopened, shortages: &[Shortage]) -> Session {
        let is_short = |sku: &Sku| shortages.iter().find(|short| short.sku == *sku);
        let mut after = reopened.session.clone();
        let short = short_notices(&after, shortages);
        after.notices = short.into_iter().chain(reopened.notices.iter().cloned()).collect();
        after.version += 1;
        self.renew_lapsed(&mut after);
        after.held.retain(|(sku, _)| is_short(sku).is_none());
        after
    }
}

/// What each line says that there are too few units for.
pub(super) fn short_notices(session: &Session, shortages: &[Shortage]) -> Vec<Notice> {
    let short = |line: &Line| {
        let short = shortages.iter().find(|short| short.sku == line.sku)?;
        Some(shortage_notice(line, short.available.min(line.quantity.saturating_sub(1))))
    };
    let lost = |sku: &Sku| {
        shortages.iter().any(|short| short.sku == *sku).then(|| {
            let text = match sku.is_of_one_buyer() {
                true => {
                    "A discount counts once for each buyer, and another checkout with this e-mail \
                     address has it; update the checkout."
                }
                false => "A discount has been used up by others meanwhile; update the checkout.",
            };
            Notice::of(NoticeCode::DiscountLost, text.to_owned())
        })
    };
    let goods = session.lines.iter().filter_map(short);
    goods.chain(session.uses().iter().filter_map(lost)).collect()
}
