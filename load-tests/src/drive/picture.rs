//! A picture of a run, as SVG: latency by percentile, and orders per second over time.

use std::fmt::Write as _;

use super::figures::{Figures, Latency};

/// Size of each of the two panels, and the room around.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;

/// From the median to one in a hundred thousand; each step leaves a tenth of the rest.
const NINES: f64 = 5.0;

const COLORS: [&str; 6] = ["#1b6ca8", "#c1440e", "#2e7d32", "#7b1fa2", "#b8860b", "#455a64"];

/// Draws a run.
pub fn draw(title: &str, figures: &Figures) -> String {
    let mut svg = String::new();
    let whole = (WIDTH + LEFT + 40.0, 2.0 * (HEIGHT + TOP) + 60.0);
    push(
        &mut svg,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" \
             font-family=\"sans-serif\" font-size=\"12\">\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
            whole.0, whole.1
        ),
    );
    text(&mut svg, (LEFT, 22.0), "start", &format!("{title}: latency from the intended start"));
    latencies(&mut svg, figures);
    let top = HEIGHT + 2.0 * TOP;
    text(&mut svg, (LEFT, top - 10.0), "start", "orders per second, over time");
    rates(&mut svg, figures, top);
    svg.push_str("</svg>\n");
    svg
}

fn push(svg: &mut String, what: std::fmt::Arguments<'_>) {
    svg.write_fmt(what).expect("a string takes what is written to it");
    svg.push('\n');
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, what: &str) {
    let what = what.replace('&', "&amp;").replace('<', "&lt;");
    push(
        svg,
        format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>"),
    );
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    push(
        svg,
        format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
        ),
    );
}

/// Each kind of flow is a line, through the percentiles on a scale of nines.
fn latencies(svg: &mut String, figures: &Figures) {
    let seen: Vec<(String, &Latency)> = figures
        .flows
        .iter()
        .flat_map(|(flow, seen)| {
            [(flow.name().to_owned(), &seen.good), (format!("{flow}, refused"), &seen.refused)]
        })
        .filter(|(_, latency)| latency.count() > 0)
        .collect();
    let slowest = seen.iter().map(|(_, latency)| latency.max_millis()).fold(0.1, f64::max);
    let decades = slowest.log10().ceil().max(0.0);
    // From 0.1 ms up, a decade at a time.
    let y = |millis: f64| TOP + HEIGHT * (1.0 - (millis.max(0.1).log10() + 1.0) / (decades + 1.0));
    let x = |nines: f64| LEFT + WIDTH * nines / NINES;
    for decade in -1..=decades as i32 {
        let millis = 10_f64.powi(decade);
        line(svg, (LEFT, y(millis)), (LEFT + WIDTH, y(millis)));
        text(svg, (LEFT - 6.0, y(millis) + 4.0), "end", &format!("{millis} ms"));
    }
    for (nines, name) in ["0%", "90%", "99%", "99.9%", "99.99%", "99.999%"].iter().enumerate() {
        line(svg, (x(nines as f64), TOP), (x(nines as f64), TOP + HEIGHT));
        text(svg, (x(nines as f64), TOP + HEIGHT + 16.0), "middle", name);
    }
    for (at, ((name, latency), color)) in seen.iter().zip(COLORS.iter().cycle()).enumerate() {
        let most = (latency.count() as f64).log10().min(NINES);
        let points: Vec<String> = (0..=200)
            .map(|step| most * f64::from(step) / 200.0)
            .map(|nines| (x(nines), y(latency.millis(1.0 - 10_f64.powf(-nines)))))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        path(svg, &points, color);
        let row = TOP + 14.0 + 16.0 * at as f64;
        push(
            svg,
            format_args!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" \
             fill=\"{color}\"/>",
                LEFT + 8.0,
                row - 9.0
            ),
        );
        text(svg, (LEFT + 24.0, row), "start", name);
    }
}

fn rates(svg: &mut String, figures: &Figures, top: f64) {
    let most = figures.each_second.iter().copied().max().unwrap_or(0).max(1);
    let seconds = figures.each_second.len().max(1);
    let y = |rate: f64| top + HEIGHT * (1.0 - rate / most as f64);
    let x = |second: f64| LEFT + WIDTH * second / seconds as f64;
    for part in 0..=4 {
        let rate = most as f64 * f64::from(part) / 4.0;
        line(svg, (LEFT, y(rate)), (LEFT + WIDTH, y(rate)));
        text(svg, (LEFT - 6.0, y(rate) + 4.0), "end", &format!("{rate:.0}"));
    }
    for second in (0..=seconds).step_by(seconds.div_ceil(10)) {
        let at = x(second as f64);
        text(svg, (at, top + HEIGHT + 16.0), "middle", &format!("{second} s"));
    }
    let points: Vec<String> = figures
        .each_second
        .iter()
        .enumerate()
        .map(|(second, count)| format!("{:.1},{:.1}", x(second as f64 + 0.5), y(*count as f64)))
        .collect();
    path(svg, &points, COLORS[0]);
}

fn path(svg: &mut String, points: &[String], color: &str) {
    let points = points.join(" ");
    push(
        svg,
        format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::flow::{Ending, Flow};
    use std::time::Duration;

    #[test]
    fn a_picture_has_a_line_per_flow_and_one_for_the_rate() {
        let mut figures = Figures { each_second: vec![5, 10, 7], ..Figures::default() };
        for millis in 1..200 {
            figures.note(Flow::Complete, Ending::Ordered, Duration::from_millis(millis));
            figures.note(Flow::Express, Ending::Refused, Duration::from_micros(millis));
        }
        let svg = draw("a < b", &figures);
        assert_eq!(svg.matches("<polyline").count(), 3);
        assert!(svg.contains("a &lt; b") && svg.contains("express, refused"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count());
        assert!(!draw("empty", &Figures::default()).contains("NaN"));
    }
}
