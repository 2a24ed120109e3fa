//! Whole amounts in parts that sum to them.

/// Splits an amount by weight so that the parts sum to it exactly: each gets the whole part of its
/// share, and what is left goes, one each, to those with the largest remainders, the first of
/// equals (Hamilton's method). No part exceeds its weight when the amount does not exceed their
/// sum. Without any weight nothing is given.
pub fn share(amount: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum <= 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: &i64| i128::from(amount) * i128::from(*weight);
    let whole = |weight: &i64| i64::try_from(exact(weight) / sum).unwrap_or(i64::MAX);
    let mut parts: Vec<i64> = weights.iter().map(whole).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(exact(&weights[*at]) % sum));
    let given: i64 = parts.iter().sum();
    let rest = usize::try_from(amount - given).unwrap_or(0);
    for at in order.into_iter().take(rest) {
        parts[at] += 1;
    }
    parts
}

/// What the first `units` of `quantity` units cost that cost `amount` together: each the same, and
/// the first ones one minor unit more where it does not divide. All of them cost exactly `amount`.
pub const fn first_units(amount: i64, quantity: u32, units: u32) -> i64 {
    if quantity == 0 {
        return 0;
    }
    let (quantity, units) = (quantity as i64, units as i64);
    let rest = amount % quantity;
    let more = if units < rest { units } else { rest };
    amount / quantity * units + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_goes_to_the_largest_remainder() {
        assert_eq!(share(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(share(5, &[10, 0, 30]), [1, 0, 4]);
        assert_eq!(share(5, &[0, 0]), [0, 0]);
    }

    // breaks: leave `more` out of the sum.
    #[test]
    fn units_share_an_amount_to_the_last_minor_unit() {
        let one_by_one = |amount, quantity: u32| -> Vec<i64> {
            let until = |units| first_units(amount, quantity, units);
            (1..=quantity).map(|units| until(units) - until(units - 1)).collect()
        };
        assert_eq!(one_by_one(100, 3), [34, 33, 33]);
        assert_eq!(one_by_one(5_400, 2), [2_700, 2_700]);
        assert_eq!(first_units(7, 0, 0), 0);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole_and_none_exceeds_its_weight(
            weights in prop::collection::vec(0_i64..1_000_000_000_000, 1..40),
            percent in 0_i64..=100,
        ) {
            let sum: i64 = weights.iter().sum();
            let amount = i64::try_from(i128::from(sum) * i128::from(percent) / 100);
            let amount = amount.expect("a part of what fits");
            let parts = share(amount, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!((0..=*weight).contains(part), "{} of {}", part, weight);
            }
        }
    }
}
