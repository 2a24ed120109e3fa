//! Pictures of an evaluation, as SVG that any browser shows.

use std::fmt::Write;

use super::metrics::ranking;

const SIDE: f64 = 400.0;
const MARGIN: f64 = 56.0;

/// More points than this a line of 400 pixels does not show.
const MOST_POINTS: usize = 400;

/// Rows of one dot in the calibration picture are at least so many.
const LEAST_PER_DOT: usize = 50;

/// Precision over recall.
pub fn precision_recall(rows: &[(f64, bool)], average_precision: f64) -> String {
    let steps = ranking(rows);
    let frauds = steps.last().map_or(1, |last| last.hits.max(1));
    let every = steps.len().div_ceil(MOST_POINTS).max(1);
    let shown = steps
        .iter()
        .enumerate()
        .filter(|(place, step)| step.hits > 0 && (place % every == 0 || place + 1 == steps.len()));
    let points: Vec<(f64, f64)> = shown
        .map(|(_, step)| {
            let recall = step.hits as f64 / frauds as f64;
            (recall, step.hits as f64 / (step.hits + step.misses) as f64)
        })
        .collect();
    let title = format!("precision and recall, average precision {average_precision:.3}");
    let mut svg = frame(&title, "recall", "precision", ["0", "0.5", "1"], ["0", "0.5", "1"]);
    line(&mut svg, &points);
    svg.push_str("</svg>\n");
    svg
}

/// The share of fraud over the probability, both in powers of ten: most rows are near zero.
pub fn calibration(rows: &[(f64, bool)], brier: f64) -> String {
    let title = format!("calibration, Brier score {brier:.5}");
    let ticks = ["0.0001", "0.01", "1"];
    let mut svg = frame(&title, "predicted probability", "share of fraud", ticks, ticks);
    let _ = writeln!(
        svg,
        "<line x1=\"{MARGIN}\" y1=\"{}\" x2=\"{}\" y2=\"{MARGIN}\" stroke=\"#999\" \
         stroke-dasharray=\"4\"/>",
        MARGIN + SIDE,
        MARGIN + SIDE
    );
    let points: Vec<(f64, f64)> =
        bins(rows).iter().map(|(said, found)| (log(*said), log(*found))).collect();
    line(&mut svg, &points);
    for (x, y) in points {
        let (x, y) = (across(x), down(y));
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#06c\"/>");
    }
    svg.push_str("</svg>\n");
    svg
}

/// Mean probability and share of fraud, the rows cut into bins that each hold a twentieth of the
/// frauds.
fn bins(rows: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let per_bin = (sorted.iter().filter(|(_, fraud)| *fraud).count() / 20).max(1);
    let mut bins = Vec::new();
    let (mut said, mut frauds, mut count) = (0.0, 0, 0);
    for (place, (score, fraud)) in sorted.iter().enumerate() {
        said += score;
        frauds += usize::from(*fraud);
        count += 1;
        let full = frauds >= per_bin && count >= LEAST_PER_DOT;
        if full || place + 1 == sorted.len() {
            bins.push((said / count as f64, frauds as f64 / count as f64));
            (said, frauds, count) = (0.0, 0, 0);
        }
    }
    bins
}

/// 0.0001 … 1 as 0 … 1.
fn log(share: f64) -> f64 {
    1.0 + share.max(1e-4).log10() / 4.0
}

fn across(x: f64) -> f64 {
    MARGIN + x * SIDE
}

fn down(y: f64) -> f64 {
    MARGIN + (1.0 - y) * SIDE
}

fn line(svg: &mut String, points: &[(f64, f64)]) {
    svg.push_str("<polyline fill=\"none\" stroke=\"#06c\" stroke-width=\"2\" points=\"");
    for (x, y) in points {
        let _ = write!(svg, "{:.1},{:.1} ", across(*x), down(*y));
    }
    svg.push_str("\"/>\n");
}

fn frame(title: &str, x: &str, y: &str, x_ticks: [&str; 3], y_ticks: [&str; 3]) -> String {
    let (whole, half, end) = (SIDE + 2.0 * MARGIN, MARGIN + SIDE / 2.0, MARGIN + SIDE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" \
         font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n<title>{title}</title>\n\
         <rect width=\"{whole}\" height=\"{whole}\" fill=\"#fff\"/>\n\
         <rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" \
         stroke=\"#333\"/>\n<text x=\"{half}\" y=\"32\" text-anchor=\"middle\">{title}</text>\n\
         <text x=\"{half}\" y=\"{}\" text-anchor=\"middle\">{x}</text>\n\
         <text transform=\"translate(16 {half}) rotate(-90)\" text-anchor=\"middle\">{y}</text>\n",
        end + 42.0
    );
    for (place, (x, y)) in x_ticks.iter().zip(y_ticks).enumerate() {
        let share = place as f64 / 2.0;
        let (at_x, at_y) = (across(share), down(share));
        let _ = writeln!(
            svg,
            "<text x=\"{at_x}\" y=\"{}\" text-anchor=\"middle\">{x}</text>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{y}</text>",
            end + 18.0,
            MARGIN - 6.0,
            at_y + 4.0
        );
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stay_small_and_within_their_frame() {
        let rows: Vec<(f64, bool)> =
            (0..20_000).map(|n| (f64::from(n) / 20_000.0, n % 97 == 0 || n > 19_900)).collect();
        for svg in [precision_recall(&rows, 0.5), calibration(&rows, 0.01)] {
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.len() < 20_000);
            let (_, points) = svg.split_once("points=\"").expect("a line");
            let points = points.split_once('"').expect("its end").0;
            assert!(points.split_whitespace().count() > 5, "{points}");
            for point in points.split_whitespace() {
                let (x, y) = point.split_once(',').expect("a pair");
                for at in [x, y] {
                    let at: f64 = at.parse().expect("a number");
                    assert!((MARGIN..=MARGIN + SIDE).contains(&at), "{point}");
                }
            }
        }
    }
}
