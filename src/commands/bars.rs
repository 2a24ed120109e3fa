//! Progress bars on standard error, where a terminal is.

use indicatif::{ProgressBar, ProgressStyle};

use crate::fraud::progress::Progress;

/// One bar per stage.
#[derive(Debug, Default)]
pub struct Bars {
    bar: Option<ProgressBar>,
}

impl Bars {
    /// Ends the last bar.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}

impl Progress for Bars {
    fn stage(&mut self, what: &'static str, steps: u64) {
        self.end();
        let style = ProgressStyle::with_template("{msg:>10} {bar:30} {pos}/{len}, {eta} left");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar = Some(ProgressBar::new(steps).with_style(style).with_message(what));
    }

    fn advance(&mut self, steps: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(steps);
        }
    }
}
