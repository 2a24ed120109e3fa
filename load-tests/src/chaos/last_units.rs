//! The end of a sale: the last units of the hot SKU, sold out exactly over all replicas.
//!
//! Nobody gives anything back here, so there are fewer units from moment to moment. Whoever is told
//! "sold out" before somebody else asks and gets a unit was told wrong.

use std::{sync::Arc, time::Instant};
use tokio::task::JoinSet;

use super::{
    buyer::{Buyer, Stuck, lines_of},
    sale::{Broken, HOT, Sale},
    stocker,
};
use crate::drive::request::Line;

/// How often a buyer asks again after "sold out", so that units left behind would be found.
const DISBELIEF: u32 = 5;

/// One answer to somebody who wanted one unit.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// When the request was sent.
    pub sent: Instant,
    /// When its answer was there.
    pub answered: Instant,
    /// Whether it got a unit.
    pub held: bool,
}

/// What the last units came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoldOut {
    /// Units there were.
    pub units: u64,
    /// Units that buyers got.
    pub sold: u64,
    /// Answers that there is nothing left.
    pub refused: u64,
    /// How many of those were wrong.
    pub wrong: u64,
}

/// Sells so many last units to so many buyers.
///
/// # Errors
/// When a buyer gets no answer.
pub async fn sell(sale: &Arc<Sale>, buyers: u32, units: u32) -> Result<SoldOut, Stuck> {
    let mut stocker = Buyer::new(sale, "closer".to_owned(), 1);
    stocker::clear(&mut stocker, HOT, i64::from(units)).await?;
    let mut crowd = JoinSet::new();
    for number in 0..buyers {
        let buyer = Buyer::new(sale, format!("last{number}"), u64::from(number));
        crowd.spawn(buy(buyer));
    }
    let mut all = Vec::new();
    while let Some(one) = crowd.join_next().await {
        all.extend(one.map_err(|_| Stuck)??);
    }
    let left = stocker::available(&mut stocker, HOT).await?;
    let came = judge(&all, u64::from(units), left);
    if came.wrong > 0 {
        let what = format!("{} of {} answers; {left} units are left", came.wrong, came.refused);
        sale.breaks(Broken::FalseSoldOut, what);
    }
    if came.sold + u64::try_from(left).unwrap_or_default() != came.units {
        let what = format!("{} units, {} sold, {left} left", came.units, came.sold);
        let broken = if came.sold > came.units { Broken::Oversold } else { Broken::Other };
        sale.breaks(broken, what);
    }
    Ok(came)
}

/// Buys one unit after another until there is none, and asks some more.
async fn buy(mut buyer: Buyer) -> Result<Vec<Asked>, Stuck> {
    let (mut all, mut refused) = (Vec::new(), 0);
    let cart = [Line { sku: HOT, quantity: 1 }];
    while refused < DISBELIEF {
        let sent = Instant::now();
        let created = buyer.create(&cart).await?;
        all.push(Asked { sent, answered: Instant::now(), held: created.is_some() });
        match created {
            Some((id, heard)) => {
                refused = 0;
                buyer.pay(&id, &lines_of(&heard.body), "success_token").await?;
            }
            None => refused += 1,
        }
    }
    Ok(all)
}

/// Which answers were wrong, given how many units are left at the end: those that were there before
/// somebody sent the request that got a unit, and all of them when a unit is left.
pub fn judge(all: &[Asked], units: u64, left: i64) -> SoldOut {
    let sold = all.iter().filter(|asked| asked.held).count() as u64;
    let last_got = all.iter().filter(|asked| asked.held).map(|asked| asked.sent).max();
    let is_wrong = |asked: &&Asked| {
        !asked.held && (left > 0 || last_got.is_some_and(|sent| asked.answered < sent))
    };
    let wrong = all.iter().filter(is_wrong).count() as u64;
    SoldOut { units, sold, refused: all.len() as u64 - sold, wrong }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_no_is_wrong_when_somebody_got_a_unit_who_asked_later() {
        let start = Instant::now();
        let asked = |sent: u64, answered: u64, held| {
            let at = |ms| start + Duration::from_millis(ms);
            Asked { sent: at(sent), answered: at(answered), held }
        };
        let right = [asked(0, 9, true), asked(1, 5, false), asked(4, 8, true), asked(6, 9, false)];
        let came = judge(&right, 2, 0);
        assert_eq!((came.sold, came.refused, came.wrong), (2, 2, 0));
        let late = [asked(0, 3, false), asked(4, 8, true)];
        assert_eq!(judge(&late, 1, 0).wrong, 1);
        assert_eq!(judge(&right, 3, 1).wrong, 2);
    }
}
