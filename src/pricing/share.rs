//! Portions of whole amounts.

/// A hundredth of a percent: `10_000` is all of it.
pub(super) const WHOLE: u32 = 10_000;

/// So many basis points of an amount, rounded half up.
pub(super) fn portion(amount: i64, basis_points: u32) -> i64 {
    let exact = i128::from(amount) * i128::from(basis_points);
    let rounded = (exact + i128::from(WHOLE / 2)).div_euclid(i128::from(WHOLE));
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// So many basis points of an amount, without the rest of a minor unit: what a discount gives never
/// exceeds what it says.
pub(super) fn truncated(amount: i64, basis_points: u32) -> i64 {
    let exact = i128::from(amount) * i128::from(basis_points);
    i64::try_from(exact.div_euclid(i128::from(WHOLE))).unwrap_or(i64::MAX)
}

/// The part of an amount that is tax when the tax is contained in it, rounded half up.
pub(super) fn contained(amount: i64, basis_points: u32) -> i64 {
    let (rate, whole) = (i128::from(basis_points), i128::from(WHOLE));
    let divisor = whole + rate;
    let rounded = (i128::from(amount) * rate * 2 + divisor).div_euclid(divisor * 2);
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// Splits an amount by weight so that the parts sum to it exactly: each gets the whole part of its
/// share, and what is left goes, one each, to those with the largest remainders, the first of
/// equals (Hamilton's method). No part exceeds its weight when the amount does not exceed their
/// sum. Without any weight nothing is given.
pub(super) fn share(amount: i64, weights: &[i64]) -> Vec<i64> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn taxes_are_rounded_half_up_and_discounts_truncated() {
        assert_eq!((truncated(1_999, 1_000), truncated(999, WHOLE)), (199, 999));
        assert_eq!(portion(1_005, 1_000), 101);
        assert_eq!(portion(1_004, 1_000), 100);
        assert_eq!(portion(999, WHOLE), 999);
        assert_eq!(contained(11_900, 1_900), 1_900);
        assert_eq!(contained(100, 700), 7);
    }

    #[test]
    fn what_is_left_goes_to_the_largest_remainder() {
        assert_eq!(share(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(share(5, &[10, 0, 30]), [1, 0, 4]);
        assert_eq!(share(5, &[0, 0]), [0, 0]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole_and_none_exceeds_its_weight(
            weights in prop::collection::vec(0_i64..1_000_000_000_000, 1..40),
            numerator in 0_u32..=WHOLE,
        ) {
            let sum: i64 = weights.iter().sum();
            let amount = truncated(sum, numerator);
            let parts = share(amount, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!((0..=*weight).contains(part), "{} of {}", part, weight);
            }
        }
    }
}
