//! One number that tells an autoscaler how full this process is.

/// What saturation is made of. A bound of zero means "no such bound", and counts as empty.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Readings {
    /// Requests inside the door.
    pub in_flight: u64,
    /// Requests the door lets in (`limits.in_flight`).
    pub in_flight_limit: u64,
    /// Facts that wait for the ledger writer.
    pub queue_depth: u64,
    /// Facts that may wait.
    pub queue_bound: u64,
    /// Share of the last interval in which every writer connection was busy committing, 0–1.
    pub commit_share: f64,
}

/// How full this process is, from 0 (idle) to 1 (refuses work).
///
/// Saturation = max(requests in flight ÷ their limit, facts queued for the ledger ÷ their bound,
/// share of time in which all writer connections were committing). The largest, not the average:
/// the first resource to run out is the one that refuses. Scale out above 0.7, in below 0.3.
pub fn saturation(readings: Readings) -> f64 {
    let share = |used: u64, bound: u64| if bound == 0 { 0.0 } else { used as f64 / bound as f64 };
    let door = share(readings.in_flight, readings.in_flight_limit);
    let queue = share(readings.queue_depth, readings.queue_bound);
    // `max` drops a NaN, and an interval of no length gives one.
    door.max(queue).max(readings.commit_share).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUSY: Readings = Readings {
        in_flight: 256,
        in_flight_limit: 1024,
        queue_depth: 500,
        queue_bound: 1000,
        commit_share: 0.25,
    };

    #[test]
    fn the_fullest_resource_decides() {
        assert_eq!(saturation(Readings::default()), 0.0);
        assert_eq!(saturation(BUSY), 0.5);
        assert_eq!(saturation(Readings { commit_share: 0.9, ..BUSY }), 0.9);
        assert_eq!(saturation(Readings { in_flight: 1024, ..BUSY }), 1.0);
        assert_eq!(saturation(Readings { commit_share: f64::NAN, ..BUSY }), 0.5);
    }

    proptest! {
        #[test]
        fn it_stays_between_zero_and_one_and_never_falls_with_load(
            in_flight in 0..5000_u64,
            queue_depth in 0..5000_u64,
            commit_share in 0.0..2.0_f64,
        ) {
            let readings = Readings { in_flight, queue_depth, commit_share, ..BUSY };
            let now = saturation(readings);
            prop_assert!((0.0..=1.0).contains(&now));
            let with_request = Readings { in_flight: in_flight + 1, ..readings };
            prop_assert!(saturation(with_request) >= now);
            let with_fact = Readings { queue_depth: queue_depth + 1, ..readings };
            prop_assert!(saturation(with_fact) >= now);
        }
    }
}
