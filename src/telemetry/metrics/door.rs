//! Who comes in, and who does not.

use super::{ConnectionEnd, record};

/// So many requests are inside the door.
pub fn admission_in_flight(requests: usize) {
    record(|meters| meters.admission_in_flight.set(requests as f64));
}

/// A request was refused at the door.
pub fn admission_refused() {
    record(|meters| meters.admission_refused.increment(1));
}

/// A connection was closed from here.
pub fn connection_closed(why: ConnectionEnd) {
    record(|meters| meters.connections_closed.of(why).increment(1));
}
