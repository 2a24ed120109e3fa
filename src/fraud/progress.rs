//! How far a long piece of work has come, told to whoever shows it.

/// Something that shows progress.
pub trait Progress {
    /// A new stage of so many steps begins.
    fn stage(&mut self, what: &'static str, steps: u64);

    /// So many more steps of it are done.
    fn advance(&mut self, steps: u64);
}

/// Shows nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&mut self, _: &'static str, _: u64) {}

    fn advance(&mut self, _: u64) {}
}
