//! What a run came to, as a table.

use std::fmt;

use super::figures::{Figures, Latency};

/// The figures of a run, for people.
#[derive(Debug)]
pub struct Summary<'a>(pub &'a Figures);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.0;
        writeln!(
            f,
            "{:.0} orders/s over {:.1} s; {} orders and {} units within, {} orders in all",
            figures.orders_per_second(),
            figures.window.as_secs_f64(),
            figures.orders,
            figures.units,
            figures.all_orders,
        )?;
        heading(f, "flow, from the intended start")?;
        for (flow, seen) in &figures.flows {
            row(f, flow.name(), &seen.good)?;
            if seen.refused.count() > 0 {
                row(f, "  refused", &seen.refused)?;
            }
            if seen.bad.count() > 0 {
                row(f, "  otherwise", &seen.bad)?;
            }
            for (ending, count) in &seen.endings {
                writeln!(f, "    {ending:<26} {count:>9}")?;
            }
        }
        heading(f, "request")?;
        for (step, latency) in &figures.steps {
            row(f, step, latency)?;
        }
        if figures.reopened > 0 {
            writeln!(f, "{} connections were opened again", figures.reopened)?;
        }
        for complaint in &figures.complaints {
            writeln!(f, "! {complaint}")?;
        }
        Ok(())
    }
}

fn heading(f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
    writeln!(
        f,
        "{what:<30} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "count", "p50 ms", "p90", "p99", "p99.9", "max"
    )
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, latency: &Latency) -> fmt::Result {
    write!(f, "{name:<30} {:>9}", latency.count())?;
    for quantile in [0.5, 0.9, 0.99, 0.999] {
        write!(f, " {:>9.2}", latency.millis(quantile))?;
    }
    writeln!(f, " {:>9.2}", latency.max_millis())
}
