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
    losses::{FittedLosses, LossBill},
    report::{Truth, money},
};
use crate::{
    base::Currency,
    fraud::{
        bench::Written,
        history::Past,
        policy::{NEVER, Thresholds},
    },
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
    /// Of the good buyers who are challenged, the share that gives up: 0–1.
    #[serde(default = "usually_lost")]
    pub challenge_lost: f64,
    /// Of the frauds that are challenged, the share that fails, or is the issuer's loss: 0–1.
    #[serde(default = "usually_stopped")]
    pub challenge_stops: f64,
}

/// A guess to begin with: of 20 buyers who are asked one gives up.
pub const USUALLY_LOST: f64 = 0.05;

/// A guess to begin with: of 10 frauds that are asked eight fail or are the issuer's loss.
pub const USUALLY_STOPPED: f64 = 0.8;

const fn usually_lost() -> f64 {
    USUALLY_LOST
}

const fn usually_stopped() -> f64 {
    USUALLY_STOPPED
}

/// A pair of thresholds and what it would have cost.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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
    /// What the thresholds in force would have cost, as far as scores decide.
    pub in_force: Point,
    /// How the cost goes with the review threshold, from the strictest on: each with the cheapest
    /// threshold to decline beside it.
    pub curve: Vec<Point>,
    /// Thresholds of the expected loss instead: whom to challenge, whom to review.
    pub by_expected_loss: FittedLosses,
}

/// A pair of thresholds on the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Point {
    /// From this score on a person looks at it.
    pub review: u16,
    /// From this score on it is declined.
    pub decline: u16,
    /// What it would have cost in the whole span, in minor units.
    pub cost_minor: i64,
    /// Orders to review on a day.
    pub reviews_per_day: f64,
    /// Frauds that would have been approved.
    pub frauds_approved: u64,
    /// Good orders that would have been declined.
    pub good_declined: u64,
}

/// Points of a curve: what a screen shows, and one more for the end.
const POINTS_MAX: usize = 41;

const SCORES: usize = NEVER as usize;

/// What each score's orders cost by what is done with them.
#[derive(Debug, Clone)]
pub struct Bill {
    costs: Costs,
    approved: Vec<f64>,
    reviewed: Vec<f64>,
    declined: Vec<f64>,
    orders_at: Vec<u64>,
    frauds_at: Vec<u64>,
    losses: LossBill,
    left_out: u64,
}

/// The same summed up: at each place what stands below it.
struct Sums<'a> {
    costs: &'a Costs,
    days: f64,
    approved: Vec<f64>,
    reviewed: Vec<f64>,
    declined: Vec<f64>,
    orders: Vec<f64>,
    frauds: Vec<f64>,
}

impl Sums<'_> {
    fn per_day(&self, review: usize, decline: usize) -> f64 {
        (self.orders[decline] - self.orders[review]) / self.days
    }

    fn cost(&self, review: usize, decline: usize) -> f64 {
        self.approved[review]
            + (self.reviewed[decline] - self.reviewed[review])
            + (self.declined[SCORES] - self.declined[decline])
    }

    /// For a review threshold the cheapest one to decline whose reviews fit into the queue; of
    /// equals the one that declines fewer.
    fn best(&self, review: usize) -> Option<(f64, usize)> {
        let fits = |decline: &usize| self.per_day(review, *decline) <= self.costs.reviews_per_day;
        let mut best: Option<(f64, usize)> = None;
        for decline in (review..=SCORES).take_while(fits) {
            let cost = self.cost(review, decline);
            if best.is_none_or(|(least, _)| cost <= least) {
                best = Some((cost, decline));
            }
        }
        best
    }

    fn point(&self, review: usize, decline: usize) -> Point {
        let good = |below: usize| self.orders[below] - self.frauds[below];
        Point {
            review: score(review),
            decline: score(decline),
            cost_minor: whole(self.cost(review, decline)),
            reviews_per_day: self.per_day(review, decline),
            frauds_approved: count(self.frauds[review]),
            good_declined: count(good(SCORES) - good(decline)),
        }
    }

    /// Points where something changes, thinned out evenly.
    fn curve(&self) -> Vec<Point> {
        let changes = |at: &usize| *at == SCORES || self.orders[at + 1] > self.orders[*at];
        let places: Vec<usize> = (0..=SCORES).filter(changes).collect();
        let last = places.len() - 1;
        let step = last.div_ceil(POINTS_MAX - 1).max(1);
        let shown = places.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last);
        let point = |review: usize| {
            let (_, decline) = self.best(review)?;
            Some(self.point(review, decline))
        };
        shown.filter_map(|(_, review)| point(*review)).collect()
    }
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
            frauds_at: vec![0; SCORES],
            losses: LossBill::new(costs),
            left_out: 0,
        }
    }

    /// Adds an attempt, if it is one whose costs are known.
    pub fn add(&mut self, (past, written): (&Past, &Written), again: &Again, truth: Truth) {
        let Some(fraud) = truth.fraud() else { return };
        let money = money(past, written).filter(|(currency, _)| *currency == self.costs.currency);
        let score = again.score.filter(|_| again.by_score).map(usize::from);
        let (Some((_, minor)), Some(score)) = (money, score.filter(|score| *score < SCORES)) else {
            self.left_out += 1;
            return;
        };
        let (price, costs) = (minor as f64, &self.costs);
        if let Some(loss) = again.expected_loss_minor {
            self.losses.add(loss, fraud, minor);
        }
        self.orders_at[score] += 1;
        self.frauds_at[score] += u64::from(fraud);
        self.reviewed[score] += costs.review_minutes * costs.review_minute_minor;
        if fraud {
            let goods = (1.0 - costs.margin) * price;
            self.approved[score] += goods + costs.chargeback_fee_minor as f64;
        } else {
            self.declined[score] += costs.margin * price;
        }
    }

    /// The cheapest pair whose reviews fit into the queue, beside those in force; of equals the one
    /// that troubles fewer.
    pub fn cheapest(&self, days: f64, in_force: Thresholds) -> Fitted {
        let sums = self.sums(days);
        let mut best: Option<(f64, usize, usize)> = None;
        for review in 0..=SCORES {
            let Some((cost, decline)) = sums.best(review) else { continue };
            // Later pairs touch fewer orders: of equals the last stands.
            if best.is_none_or(|(least, ..)| cost <= least) {
                best = Some((cost, review, decline));
            }
        }
        let (cost, review, decline) = best.unwrap_or((sums.approved[SCORES], SCORES, SCORES));
        let place = |score: u16| usize::from(score).min(SCORES);
        // Whatever is declined is not looked at any more.
        let decline_in_force = place(in_force.decline);
        let review_in_force = place(in_force.review).min(decline_in_force);
        Fitted {
            review: score(review),
            decline: score(decline),
            cost_minor: whole(cost),
            reviews_per_day: sums.per_day(review, decline),
            cost_of_approving_minor: whole(sums.approved[SCORES]),
            orders: self.orders_at.iter().sum(),
            frauds: self.frauds_at.iter().sum(),
            left_out: self.left_out,
            in_force: sums.point(review_in_force, decline_in_force),
            curve: sums.curve(),
            by_expected_loss: self.losses.clone().cheapest(days, in_force),
        }
    }

    fn sums(&self, days: f64) -> Sums<'_> {
        let below = |costs: &[f64]| sums(costs.iter().copied());
        let counted = |counts: &[u64]| sums(counts.iter().map(|count| *count as f64));
        Sums {
            costs: &self.costs,
            days,
            approved: below(&self.approved),
            reviewed: below(&self.reviewed),
            declined: below(&self.declined),
            orders: counted(&self.orders_at),
            frauds: counted(&self.frauds_at),
        }
    }
}

fn score(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(NEVER)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a difference of counts below 2⁵³ that grow"
)]
pub(super) fn count(orders: f64) -> u64 {
    orders.round() as u64
}

#[expect(clippy::cast_possible_truncation, reason = "sums of money stay far below 2⁵³")]
pub(super) fn whole(cost: f64) -> i64 {
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
