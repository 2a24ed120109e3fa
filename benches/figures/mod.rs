//! Figures as people read them: medians with their spread, in a table, and the machine they come
//! from.

use std::{
    fmt, fs,
    io::{self, Write},
    time::{Duration, Instant},
};

/// What several rounds came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    /// The spread of at least one value.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { least: sorted[0], median: middle(&sorted), most: sorted[sorted.len() - 1] }
    }

    /// The spread of one series divided by another, round by round: what shook both in one round
    /// shakes neither the ratio.
    pub(crate) fn of_ratios(above: &[f64], below: &[f64]) -> Self {
        let ratios: Vec<f64> =
            above.iter().zip(below).map(|(above, below)| above / below).collect();
        Self::of(&ratios)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Self { least, median, most } = self;
        write!(f, "{median:.digits$} ({least:.digits$}–{most:.digits$})")
    }
}

/// The middle of sorted values; between the two in the middle when their number is even.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// The middle of durations, in milliseconds.
pub(crate) fn p50_ms(took: &[Duration]) -> f64 {
    let mut sorted: Vec<f64> = took.iter().map(|took| took.as_secs_f64() * 1000.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    middle(&sorted)
}

/// Now. A bench measures real time, and may ask for it.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a bench measures the time that really passes")]
    Instant::now()
}

/// Prints a table: a row of heads, then the rows.
pub(crate) fn print(heads: &[&str], rows: &[Vec<String>]) {
    println!("| {} |", heads.join(" | "));
    println!("|{}", "---|".repeat(heads.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}

/// Cores, processor, memory and kernel of this machine, in one line.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name");
    let memory = field("/proc/meminfo", "MemTotal");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores, {processor}, {memory}, kernel {}", kernel.trim())
}

/// What one durable write costs on the disk of temporary folders, where the servers keep theirs:
/// the middle of a hundred, in milliseconds. Every commit waits for at least one.
pub(crate) fn sync_ms() -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile()?;
    let mut sync = || {
        file.write_all(&[0; 512])?;
        let began = now();
        file.sync_data()?;
        Ok(began.elapsed())
    };
    let took: Vec<Duration> = (0..100).map(|_| sync()).collect::<io::Result<_>>()?;
    Ok(p50_ms(&took))
}

/// The value of the first line with this name in a file of `name: value` lines.
pub(crate) fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    });
    value.unwrap_or_else(|| format!("unknown {name}"))
}
