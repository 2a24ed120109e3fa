//! `doorbuster keys`: API keys. With the embedded database the service must be stopped meanwhile:
//! its folder belongs to one process.

use anyhow::Context;
use clap::{Args, Subcommand};
use std::{io::Write, sync::Arc};

use super::open_database;
use crate::{
    access::{KeyRecord, Keys, Scope},
    base::{AnchoredClock, KeyId, SystemChance},
    config::Config,
};

/// Makes, lists and revokes API keys.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make a key and show it, this once.
    Create {
        /// What people will call it: one line.
        #[arg(long, value_parser = crate::access::check_label)]
        label: String,
        /// What it allows: checkout, backoffice:read, backoffice:write, admin. Repeatable.
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
    },
    /// List all keys; secrets are not kept and cannot be shown.
    List,
    /// End a key. Running services notice within five seconds.
    Revoke {
        /// The key's id, as `keys list` shows it.
        id: KeyId,
    },
}

/// Carries out one action.
///
/// # Errors
/// When the database cannot be used, or there is no such key.
pub async fn run(
    arguments: &KeysArgs,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let database = open_database(config).await.context("cannot open the database")?;
    let keys = Keys::new(database, Arc::new(AnchoredClock::from_system()));
    match &arguments.action {
        Action::Create { label, scopes } => create(&keys, label, scopes, out).await,
        Action::List => list(&keys, out).await,
        Action::Revoke { id } => revoke(&keys, *id, out).await,
    }
}

async fn create(
    keys: &Keys,
    label: &str,
    scopes: &[Scope],
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let key = keys.create(label, scopes, &SystemChance).await?;
    writeln!(out, "{}", key.text)?;
    writeln!(out, "This is the only time it is shown. Its id is {}.", key.record.id)?;
    Ok(())
}

async fn list(keys: &Keys, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    for KeyRecord { id, label, scopes, created_at, revoked_at, .. } in keys.list().await? {
        let scopes = scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(",");
        let state = revoked_at.map_or_else(|| "in force".to_owned(), |at| format!("revoked {at}"));
        // One that an older version took may move the cursor, or forge a line.
        let label = label.escape_debug();
        writeln!(out, "{id}  {created_at}  {scopes}  {state}  {label}")?;
    }
    Ok(())
}

async fn revoke(keys: &Keys, id: KeyId, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    anyhow::ensure!(
        keys.revoke(id).await?,
        "no key {id} is in force; `doorbuster keys list` shows them all"
    );
    writeln!(out, "{id} is revoked")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Storage;

    async fn keys(config: &Config, action: Action) -> anyhow::Result<String> {
        let mut out = Vec::new();
        run(&KeysArgs { action }, config, &mut out).await?;
        Ok(String::from_utf8(out)?)
    }

    #[tokio::test]
    async fn a_key_is_shown_once_listed_without_its_secret_and_revoked_once() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage { data: folder.path().into(), ..Storage::default() };
        let config = Config { storage, ..Config::default() };
        let scopes = vec![Scope::Checkout, Scope::BackofficeRead];
        let made = keys(&config, Action::Create { label: "till 1".into(), scopes }).await.unwrap();
        let text = made.lines().next().unwrap();
        assert!(text.starts_with("db_"), "{made}");
        let listed = keys(&config, Action::List).await.unwrap();
        assert!(listed.contains("checkout,backoffice:read  in force  till 1"), "{listed}");
        assert!(!listed.contains(&text[36..]), "{listed}");
        let id: KeyId = listed.split(' ').next().unwrap().parse().unwrap();
        let revoked = keys(&config, Action::Revoke { id }).await.unwrap();
        assert_eq!(revoked, format!("{id} is revoked\n"));
        let again = keys(&config, Action::Revoke { id }).await.unwrap_err().to_string();
        assert!(again.ends_with("is in force; `doorbuster keys list` shows them all"), "{again}");
    }
}
