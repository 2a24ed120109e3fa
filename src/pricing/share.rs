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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taxes_are_rounded_half_up_and_discounts_truncated() {
        assert_eq!((truncated(1_999, 1_000), truncated(999, WHOLE)), (199, 999));
        assert_eq!(portion(1_005, 1_000), 101);
        assert_eq!(portion(1_004, 1_000), 100);
        assert_eq!(portion(999, WHOLE), 999);
        assert_eq!(contained(11_900, 1_900), 1_900);
        assert_eq!(contained(100, 700), 7);
    }
}
