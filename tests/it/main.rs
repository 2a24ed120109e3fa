//! Tests of the house as a whole, in one binary.

mod sessions_contract;
