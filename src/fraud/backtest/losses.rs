//! Thresholds of the expected loss from costs: of all pairs of one to challenge and one to review,
//! the pair that would have cost least within the queue.
//!
//! Against an approved good order, which costs nothing: an approved fraud costs its goods and the
//! chargeback's fee; a challenge lets through a share of the fraud and loses a share of the good
//! buyers with their margin; a review costs its minutes and finds out the truth.

use schemars::JsonSchema;
use serde::Serialize;
use std::cmp::Reverse;

use super::costs::Costs;
use crate::fraud::policy::Thresholds;

/// Places of the sorted orders that are tried: every one at the top, then thinning out by so much.
const THINNING: f64 = 1.04;

/// Points of a curve: what a screen shows.
const POINTS_MAX: usize = 40;

/// An order with its expected loss and what each way to treat it costs, in minor units.
#[derive(Debug, Clone, Copy)]
struct Order {
    loss: i64,
    fraud: bool,
    price: f64,
}

/// Orders whose costs are known.
#[derive(Debug, Clone)]
pub struct LossBill {
    costs: Costs,
    orders: Vec<Order>,
}

/// A pair of thresholds and what it would have come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct LossPoint {
    /// From this expected loss on the buyer proves who they are; 0 is never.
    pub challenge_loss_minor: i64,
    /// From this expected loss on a person looks at it; 0 is never.
    pub review_loss_minor: i64,
    /// What it would have cost in the whole span, in minor units.
    pub cost_minor: i64,
    /// Orders to challenge on a day.
    pub challenges_per_day: f64,
    /// Orders to review on a day.
    pub reviews_per_day: f64,
    /// Frauds neither challenged nor reviewed.
    pub frauds_approved: u64,
    /// Of the money of all frauds, the share that is in review: 0–1.
    pub fraud_money_reviewed: f64,
}

/// Thresholds of the expected loss, fitted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FittedLosses {
    /// The cheapest pair.
    pub cheapest: LossPoint,
    /// Those in force.
    pub in_force: LossPoint,
    /// How it goes with the review threshold, from the strictest on; each with the cheapest
    /// threshold to challenge beside it.
    pub curve: Vec<LossPoint>,
    /// Orders it rests on.
    pub orders: u64,
    /// Frauds among them.
    pub frauds: u64,
}

/// Sums over the orders in front of each place, the greatest loss first.
struct Sums<'a> {
    bill: &'a LossBill,
    days: f64,
    approved: Vec<f64>,
    challenged: Vec<f64>,
    frauds: Vec<f64>,
    fraud_money: Vec<f64>,
}

impl LossBill {
    /// An empty bill.
    pub const fn new(costs: Costs) -> Self {
        Self { costs, orders: Vec::new() }
    }

    /// Adds an order that score and loss alone decide about.
    pub fn add(&mut self, loss: i64, fraud: bool, price_minor: i64) {
        #[expect(clippy::cast_precision_loss, reason = "amounts of shops stay below 2⁵³")]
        let price = price_minor as f64;
        self.orders.push(Order { loss, fraud, price });
    }

    /// The cheapest pair whose reviews fit into the queue; of equals the one that troubles fewer.
    pub fn cheapest(mut self, days: f64, in_force: Thresholds) -> FittedLosses {
        self.orders.sort_unstable_by_key(|order| Reverse(order.loss));
        let sums = Sums::of(&self, days.max(1.0));
        let places = self.places();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates; a queue is far shorter"
        )]
        let room = (self.costs.reviews_per_day * days.max(1.0)) as usize;
        let fitting: Vec<usize> = places.iter().copied().filter(|place| *place <= room).collect();
        let best = |review: usize| {
            let after = places.iter().copied().filter(|place| *place >= review);
            let costs = after.map(|challenge| (challenge, sums.cost(challenge, review)));
            costs.min_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or((review, f64::INFINITY))
        };
        let pairs = fitting.iter().map(|review| (*review, best(*review)));
        let pairs: Vec<(usize, (usize, f64))> = pairs.collect();
        let least = pairs.iter().min_by(|one, other| one.1.1.total_cmp(&other.1.1));
        let (review, (challenge, _)) = *least.unwrap_or(&(0, (0, 0.0)));
        let step = pairs.len().div_ceil(POINTS_MAX).max(1);
        let shown = pairs.iter().rev().step_by(step);
        let reached = |threshold: i64| match threshold {
            0 => 0,
            _ => self.orders.partition_point(|order| order.loss >= threshold),
        };
        let reviewed = reached(in_force.review_loss);
        let challenged = reached(in_force.challenge_loss).max(reviewed);
        FittedLosses {
            cheapest: sums.point(challenge, review),
            in_force: LossPoint {
                challenge_loss_minor: in_force.challenge_loss,
                review_loss_minor: in_force.review_loss,
                ..sums.point(challenged, reviewed)
            },
            curve: shown.map(|(review, (at, _))| sums.point(*at, *review)).collect(),
            orders: self.orders.len() as u64,
            frauds: self.orders.iter().filter(|order| order.fraud).count() as u64,
        }
    }

    /// Places between orders of different losses, where a threshold can stand.
    fn places(&self) -> Vec<usize> {
        let (mut places, mut next) = (vec![0], 1.0_f64);
        for place in 1..=self.orders.len() {
            let before = self.orders[place - 1].loss;
            let apart = self.orders.get(place).is_none_or(|order| order.loss < before);
            // Nobody is treated for an order that is expected to lose nothing.
            if before > 0 && apart && place as f64 >= next {
                places.push(place);
                next = (next * THINNING).max(place as f64 + 1.0);
            }
        }
        places
    }
}

impl<'a> Sums<'a> {
    fn of(bill: &'a LossBill, days: f64) -> Self {
        let Costs { margin, chargeback_fee_minor, challenge_lost, challenge_stops, .. } =
            bill.costs;
        let approved = |order: &Order| match order.fraud {
            true => (1.0 - margin) * order.price + chargeback_fee_minor as f64,
            false => 0.0,
        };
        let challenged = |order: &Order| match order.fraud {
            true => (1.0 - challenge_stops) * approved(order),
            false => challenge_lost * margin * order.price,
        };
        let fraud = |order: &Order| f64::from(u8::from(order.fraud));
        Self {
            bill,
            days,
            approved: sums(&bill.orders, approved),
            challenged: sums(&bill.orders, challenged),
            frauds: sums(&bill.orders, fraud),
            fraud_money: sums(&bill.orders, |order| fraud(order) * order.price),
        }
    }

    /// What it costs to review what stands before `review`, and to challenge what stands between
    /// it and `challenge`.
    fn cost(&self, challenge: usize, review: usize) -> f64 {
        let Costs { review_minutes, review_minute_minor, .. } = self.bill.costs;
        let all = self.bill.orders.len();
        review as f64 * review_minutes * review_minute_minor
            + (self.challenged[challenge] - self.challenged[review])
            + (self.approved[all] - self.approved[challenge])
    }

    fn point(&self, challenge: usize, review: usize) -> LossPoint {
        let all = self.bill.orders.len();
        let threshold = |place: usize| match place {
            0 => 0,
            place => self.bill.orders[place - 1].loss,
        };
        let whole = self.fraud_money[all];
        LossPoint {
            challenge_loss_minor: if challenge > review { threshold(challenge) } else { 0 },
            review_loss_minor: threshold(review),
            cost_minor: super::costs::whole(self.cost(challenge, review)),
            challenges_per_day: (challenge - review) as f64 / self.days,
            reviews_per_day: review as f64 / self.days,
            frauds_approved: super::costs::count(self.frauds[all] - self.frauds[challenge]),
            fraud_money_reviewed: match whole > 0.0 {
                true => self.fraud_money[review] / whole,
                false => 0.0,
            },
        }
    }
}

fn sums(orders: &[Order], of: impl Fn(&Order) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0];
    for order in orders {
        sums.push(sums[sums.len() - 1] + of(order));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(reviews_per_day: f64) -> Costs {
        Costs {
            currency: crate::base::Currency::EUR,
            margin: 0.3,
            chargeback_fee_minor: 2_000,
            review_minutes: 5.0,
            review_minute_minor: 60.0,
            reviews_per_day,
            challenge_lost: 0.1,
            challenge_stops: 0.8,
        }
    }

    /// A thousand good orders that lose little, ten dear ones of which half are fraud, and as many
    /// of middling loss with two frauds.
    fn fitted(reviews_per_day: f64) -> FittedLosses {
        let mut bill = LossBill::new(costs(reviews_per_day));
        for number in 0..1_000 {
            bill.add(number % 50, false, 5_000);
        }
        for number in 0..10 {
            bill.add(50_000 + number, number % 2 == 0, 100_000);
            bill.add(1_000 + number, number < 2, 10_000);
        }
        let in_force = Thresholds { review_loss: 50_000, ..Thresholds::NEVER };
        bill.cheapest(1.0, in_force)
    }

    // breaks: leave the room of the queue out, or the share that a challenge stops
    #[test]
    fn a_person_looks_at_what_is_dear_and_a_challenge_at_what_is_less() {
        let roomy = fitted(100.0);
        let least = roomy.cheapest;
        assert_eq!((roomy.orders, roomy.frauds), (1_020, 7));
        // A review costs 300: dear and middling orders are worth it, others are not.
        assert!((50..=1_009).contains(&least.review_loss_minor), "{least:?}");
        assert_eq!((least.frauds_approved, least.fraud_money_reviewed), (0, 1.0));

        let tight = fitted(10.0).cheapest;
        assert_eq!((tight.review_loss_minor, tight.reviews_per_day), (50_000, 10.0));
        assert!((50..=1_009).contains(&tight.challenge_loss_minor), "{tight:?}");
        assert_eq!((tight.challenges_per_day, tight.frauds_approved), (10.0, 0));
        // Two frauds of 10,000 lose a fifth of 9,000 each, eight good ones a tenth of 3,000.
        assert_eq!(tight.cost_minor, 10 * 300 + 2 * 1_800 + 8 * 300);

        let nobody = fitted(0.0).cheapest;
        assert_eq!((nobody.review_loss_minor, nobody.reviews_per_day), (0, 0.0), "{nobody:?}");
        assert!(nobody.challenge_loss_minor > 0, "{nobody:?}");
    }

    #[test]
    fn what_is_in_force_is_told_beside_it() {
        let now = fitted(100.0).in_force;
        assert_eq!((now.challenge_loss_minor, now.review_loss_minor), (0, 50_000));
        assert_eq!((now.reviews_per_day, now.frauds_approved), (10.0, 2));
        assert_eq!(now.cost_minor, 10 * 300 + 2 * 9_000);
        let empty = LossBill::new(costs(1.0)).cheapest(1.0, Thresholds::NEVER);
        assert_eq!((empty.cheapest, empty.orders), (LossPoint::default(), 0));
    }
}
