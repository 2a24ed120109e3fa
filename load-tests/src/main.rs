//! Drives load.
use load_tests::drive;
use {actix_web as _, redis as _, tokio_postgres as _, mimalloc as _, sha2 as _, time as _, toml as _, clap as _, uuid as _};
fn main() { let _ = drive::target::Target::parse("x"); }
