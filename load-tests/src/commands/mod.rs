//! The command line: what can be asked of the binary besides comparing.
//!
//! **Owns:** arguments, and what each subcommand prints. **Invariant:** a run ends with a verdict:
//! the exit code says whether the service did what a healthy one does. **Not here:** the work
//! itself.

pub mod contender;
pub mod run;
pub mod shelves;
