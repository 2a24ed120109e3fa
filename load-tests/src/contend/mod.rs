//! The baselines: the same checkout, written the ways shops are usually written, each as fast as we
//! can make it.
//!
//! **Owns:** their HTTP, their SQL, their schema and their gateway. **Invariant:** each answers the
//! same JSON as Doorbuster does, after the same durability: the hold before the answer to create
//! (N3 aside, whose holds are in Redis), the attempt before the gateway, the order before the
//! answer to complete. **Not here:** who races whom (see `compare`).
//!
//! | | takes stock | commits per order |
//! |---|---|---|
//! | N1 | `select … for update` on the stock row, `update`, in create's transaction | 3 |
//! | N2 | a conditional `update` within create's only statement | 3 |
//! | N3 | a Lua script in Redis; holds and sessions live there, too | 2 |
//! | P | as N2, told by `pgbench`: no HTTP, no JSON | 3 |
//! | E | not at all | 0 |
//! | B | summed per batch of 256, on one connection | 3 per 256 |

pub mod batch;
pub mod book;
pub mod echo;
pub mod http;
pub mod lines;
pub mod n1;
pub mod n2;
pub mod n3;

pub mod pgbench;
pub mod schema;
pub mod shop;
pub mod wire;

/// How a contender says where it serves, on standard output; whoever started it waits for that.
pub const SERVES: &str = "load-tests serves ";

/// Says where this process serves.
pub fn announce(base: &str) {
    use std::io::Write;
    let mut out = std::io::stdout();
    // Nobody listens any more: then nobody needs to know.
    let _ = writeln!(out, "{SERVES}{base}").and_then(|()| out.flush());
}
