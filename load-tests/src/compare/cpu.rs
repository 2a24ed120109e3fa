//! What processes spend of the processor, from `/proc`.

use anyhow::Context;
use std::{fs, time::Duration};

/// The processor time that a process and those children of it that it has waited for have used.
///
/// # Errors
/// When it is gone.
pub fn of_process(id: u32) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{id}/stat"));
    let text = text.with_context(|| format!("process {id} is gone"))?;
    parse(&text).map(|stat| stat.used).with_context(|| format!("/proc/{id}/stat does not read"))
}

/// The same of a process and all its living children, such as PostgreSQL's.
///
/// # Errors
/// When it is gone.
pub fn of_family(id: u32) -> anyhow::Result<Duration> {
    let mut sum = of_process(id)?;
    for entry in fs::read_dir("/proc")?.flatten() {
        // Processes come and go while we read.
        let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
        if let Some(stat) = parse(&text).filter(|stat| stat.parent == id) {
            sum += stat.used;
        }
    }
    Ok(sum)
}

struct Stat {
    parent: u32,
    used: Duration,
}

/// proc(5): after the name in parentheses come state, parent; fields 14 to 17 are the ticks in user
/// and kernel mode, of the process and of the children it has waited for.
fn parse(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11..15)?.iter().map_while(|field| field.parse::<u64>().ok()).sum();
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let used = Duration::from_secs_f64(ticks as f64 / per_second as f64);
    Some(Stat { parent: fields.get(1)?.parse().ok()?, used })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_an_odd_name_is_read() {
        let text = "7 (a) b (c)) S 3 7 7 0 -1 4194304 1 2 3 4 100 50 20 30 20 0 1 0 5 6 7";
        let stat = parse(text).expect("it reads");
        assert_eq!(stat.parent, 3);
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert!((stat.used.as_secs_f64() * ticks - 200.0).abs() < 1e-6);
        assert!(parse("7 (a) S").is_none());
    }

    #[test]
    fn our_own_time_grows() {
        let id = std::process::id();
        let before = of_family(id).expect("we live");
        let mut spin = 0_u64;
        while of_process(id).expect("we live") <= before && spin < u64::MAX {
            spin += 1;
        }
    }
}
