//! The command line: arguments → configuration → subcommand.

fn main() {}
