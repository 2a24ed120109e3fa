//! Several replicas over one PostgreSQL and one Redis, behind nothing but round-robin: every
//! request goes to the next one, so carts hop between them in the middle of a checkout.
//!
//! The buyers, the actions and the reckoning are those of `load-tests chaos`, on this build.

use load_tests::{
    chaos::{self, Options},
    drive::window::Live,
};
use std::{env, io::stderr, sync::Arc};

fn options(replicas: u8, rounds: u32) -> Options {
    let seed = env::var("DOORBUSTER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    Options {
        replicas,
        rounds,
        only: Vec::new(),
        full: false,
        seconds: 600,
        seed: seed.unwrap_or(1),
        redis_cluster: false,
        buyers: 16,
        last_units: 300,
        json: None,
        keep: None,
        service: Some(env!("CARGO_BIN_EXE_doorbuster").into()),
    }
}

#[test]
fn three_replicas_behind_round_robin_sell_out_exactly() {
    let sale = chaos::run(&options(3, 0), &Arc::new(Live::default()), &mut stderr());
    sale.expect("sold out exactly, and every promise kept");
}

#[test]
fn no_promise_breaks_while_replicas_and_servers_do() {
    let rounds = if env::var_os("DOORBUSTER_TEST_FULL").is_some() { 8 } else { 2 };
    let options = Options { last_units: 100, ..options(4, rounds) };
    let sale = chaos::run(&options, &Arc::new(Live::default()), &mut stderr());
    sale.expect("every promise kept");
}
