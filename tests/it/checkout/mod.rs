//! The checkout in one process: every step failed, repeated and crashed, and everybody at once.

mod replicas;
