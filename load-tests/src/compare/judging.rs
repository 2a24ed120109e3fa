//! How long judging took, as the service tells it at `/metrics`.

use anyhow::Context;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::drive::target::Target;

/// The histogram's buckets: seconds from asking the fraud actor to its judgement.
const BUCKETS: &str = "fraud_duration_seconds_bucket{le=\"";

/// How long `/metrics` may take to be told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads what the service at this address tells.
///
/// # Errors
/// When it does not answer.
pub fn figures(target: &Target) -> anyhow::Result<String> {
    let mut line = TcpStream::connect_timeout(&target.address, PATIENCE)?;
    line.set_read_timeout(Some(PATIENCE))?;
    let host = &target.host;
    write!(line, "GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    line.read_to_string(&mut text).context("the figures are no text")?;
    Ok(text)
}

/// The edge in microseconds below which this share of all judgements took, as fine as the buckets
/// are. None when nothing was judged, or the share lies beyond the last edge.
pub fn within(figures: &str, share: f64) -> Option<f64> {
    let edge = |line: &str| {
        let (edge, rest) = line.strip_prefix(BUCKETS)?.split_once('"')?;
        let count: f64 = rest.rsplit(' ').next()?.parse().ok()?;
        Some((edge.parse::<f64>().ok()?, count))
    };
    let edges: Vec<(f64, f64)> = figures.lines().filter_map(edge).collect();
    let all = edges.last().map(|(_, all)| *all).filter(|all| *all > 0.0)?;
    let found = edges.iter().find(|(_, count)| *count >= share * all)?;
    Some(found.0 * 1e6).filter(|edge| edge.is_finite())
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn a_share_lies_below_the_edge_of_its_bucket() {
        let told = "# TYPE fraud_duration_seconds histogram\n\
            fraud_duration_seconds_bucket{le=\"0.0005\"} 50\n\
            fraud_duration_seconds_bucket{le=\"0.002\"} 99\n\
            fraud_duration_seconds_bucket{le=\"0.05\"} 99\n\
            fraud_duration_seconds_bucket{le=\"+Inf\"} 100\n\
            fraud_duration_seconds_sum 1\n";
        assert_eq!(within(told, 0.5).map(f64::round), Some(500.0));
        assert_eq!(within(told, 0.99).map(f64::round), Some(2000.0));
        assert_eq!(within(told, 0.999), None, "beyond the last edge");
        assert_eq!(within("", 0.5), None);
    }
}
