//! `doorbuster openapi`: what can be asked, for tools.

use clap::Args;
use std::io::Write;

use crate::{
    config::Config,
    http::docs::{openapi::document, postman::collection},
};

/// In which form.
#[derive(Debug, Args)]
pub struct OpenApi {
    /// As a Postman collection (format 2.1)
    #[arg(long)]
    postman: bool,
}

/// Prints the OpenAPI document, or the Postman collection, of a service with this configuration.
///
/// # Errors
/// When the output is closed.
pub fn run(arguments: &OpenApi, config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    let here = || format!("http://{}", config.server.listen);
    let base_url = config.server.public_url.clone().unwrap_or_else(here);
    let printed = if arguments.postman { collection(&base_url) } else { document(&base_url) };
    writeln!(out, "{printed:#}")?;
    Ok(())
}
