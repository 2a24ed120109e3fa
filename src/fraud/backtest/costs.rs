//! Thresholds from costs: of all pairs of a review and a decline threshold, the one that would have
//! cost least.
//!
//! Against an approved good order, which costs nothing: an approved fraud costs its goods and the
//! chargeback's fee, a declined good order its margin, a review its minutes. A reviewer is taken to
//! find out the truth; what that is worth shows in `reviews_per_day`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Again,
    report::{Truth, money},
};
use crate::{
    base::Currency,
    fraud::{bench::Written, history::Past, policy::NEVER},
};

/// What things cost, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Orders of other currencies are left out.
    pub currency: Currency,
    /// Of a price, what is left after the goods: 0.3 is 30%.
    pub margin: f64,
    /// What the bank takes for a chargeback.
    pub chargeback_fee_minor: i64,
    /// Minutes a review takes.
    pub review_minutes: f64,
    /// What a minute of it costs.
    pub review_minute_minor: f64,
    /// Orders the reviewers can look at on a day.
    pub reviews_per_day: f64,
}

/// A pair of thresholds and what it would have cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Fitted {
    /// From this score on a person looks at it.
    pub review: u16,
    /// From this score on it is declined.
    pub decline: u16,
    /// What it would have cost in the whole span, in minor units.
    pub cost_minor: i64,
    /// Orders to review on a day.
    pub reviews_per_day: f64,
    /// What approving everything would have cost.
    pub cost_of_approving_minor: i64,
    /// Orders it rests on.
    pub orders: u64,
    /// Frauds among them.
    pub frauds: u64,
    /// Orders in other currencies, without a score, or that something stronger decides.
    pub left_out: u64,
}

const SCORES: usize = NEVER as usize;

/// What each score's orders cost by what is done with them.
#[derive(Debug, Clone)]
pub struct Bill {
    costs: Costs,
    approved: Vec<f64>,
    reviewed: Vec<f64>,
    declined: Vec<f64>,
    orders_at: Vec<u64>,
    frauds: u64,
    left_out: u64,
}

impl Bill {
    /// An empty bill.
    pub fn new(costs: Costs) -> Self {
        let nothing = vec![0.0; SCORES];
        Self {
            costs,
            approved: nothing.clone(),
            reviewed: nothing.clone(),
            declined: nothing,
            orders_at: vec![0; SCORES],
            frauds: 0,
            left_out: 0,
        }
    }

    /// Adds an attempt, if it is one whose costs are known.
    pub fn add(&mut self, (past, written): (&Past, &Written), again: &Again, truth: Truth) {
        let Some(fraud) = truth.fraud() else { return };
        let money =
            money(past, written).filter(|(currency, _)| currency == self.costs.currency.code());
        let score = again.score.filter(|_| again.by_score).map(usize::from);
        let (Some((_, minor)), Some(score)) = (money, score.filter(|score| *score < SCORES)) else {
            self.left_out += 1;
            return;
        };
        let (price, costs) = (minor as f64, &self.costs);
        self.orders_at[score] += 1;
        self.frauds += u64::from(fraud);
        self.reviewed[score] += costs.review_minutes * costs.review_minute_minor;
        if fraud {
            let goods = (1.0 - costs.margin) * price;
            self.approved[score] += goods + costs.chargeback_fee_minor as f64;
        } else {
            self.declined[score] += costs.margin * price;
        }
    }

    /// The cheapest pair whose reviews fit into the queue; of equals the one that troubles fewer.
    pub fn cheapest(&self, days: f64) -> Fitted {
        let below = |costs: &[f64]| sums(costs.iter().copied());
        let (approved, reviewed, declined) =
            (below(&self.approved), below(&self.reviewed), below(&self.declined));
        let orders = sums(self.orders_at.iter().map(|count| *count as f64));
        let mut best: Option<(f64, usize, usize)> = None;
        for review in 0..=SCORES {
            for decline in review..=SCORES {
                let per_day = (orders[decline] - orders[review]) / days;
                if per_day > self.costs.reviews_per_day {
                    break;
                }
                let cost = approved[review]
                    + (reviewed[decline] - reviewed[review])
                    + (declined[SCORES] - declined[decline]);
                // Later pairs touch fewer orders: of equals the last stands.
                if best.is_none_or(|(least, ..)| cost <= least) {
                    best = Some((cost, review, decline));
                }
            }
        }
        let (cost, review, decline) = best.unwrap_or((approved[SCORES], SCORES, SCORES));
        let score = |at: usize| u16::try_from(at).unwrap_or(NEVER);
        Fitted {
            review: score(review),
            decline: score(decline),
            cost_minor: whole(cost),
            reviews_per_day: (orders[decline] - orders[review]) / days,
            cost_of_approving_minor: whole(approved[SCORES]),
            orders: self.orders_at.iter().sum(),
            frauds: self.frauds,
            left_out: self.left_out,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "sums of money stay far below 2⁵³")]
fn whole(cost: f64) -> i64 {
    cost.round() as i64
}

/// What stands below each place, and in all.
fn sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums.push(sums[sums.len() - 1] + value);
    }
    sums
}
