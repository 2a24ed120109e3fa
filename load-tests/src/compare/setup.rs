//! What was measured on what: the machine, the commit, the day, the disk.

use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

use super::{house::House, options::Options};
use crate::{contend::wire::now, servers::postgres::Postgres};

/// Everything that a figure means nothing without.
pub fn describe(house: &House, options: &Options) -> Value {
    let mut setup = machine(&house.postgres);
    let more = json!({
        "seconds": options.seconds,
        "warm_up": options.warm_up,
        "repeat": options.repeat,
        "in_flight": options.in_flight,
        "driver_threads": options.threads,
        "capture": format!("{:?}", options.capture).to_lowercase(),
        "sessions": if options.redis_sessions { "redis" } else { "in process" },
    });
    if let (Value::Object(setup), Value::Object(more)) = (&mut setup, more) {
        setup.extend(more);
    }
    setup
}

/// The machine, the commit, the day, the disk.
pub fn machine(postgres: &Postgres) -> Value {
    let fsyncs = postgres.fsyncs_per_second().unwrap_or_default();
    json!({
        "date": now(),
        "commit": commit(),
        "processor": field("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": field("/proc/meminfo", "MemTotal"),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "postgres": said(Command::new(postgres.client_program("postgres")).arg("--version")),
        "pg_test_fsync_fdatasync_per_second": fsyncs.round(),
    })
}

/// The commit that is checked out, and whether files differ from it.
fn commit() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let git = |arguments: &[&str]| said(Command::new("git").args(arguments).current_dir(&root));
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    format!("{}{}", git(&["rev-parse", "--short", "HEAD"]), if changed { " + changes" } else { "" })
}

fn said(command: &mut Command) -> String {
    let done = command.output().map(|done| done.stdout).unwrap_or_default();
    String::from_utf8_lossy(&done).trim().to_owned()
}

fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
}
