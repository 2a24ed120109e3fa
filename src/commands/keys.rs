//! `doorbuster keys`: API keys. With the embedded database the service must be stopped meanwhile,
//! since its folder belongs to one process; `/v1/keys` does the same while it serves.

use anyhow::Context;
use clap::{Args, Subcommand};
use std::{io::Write, sync::Arc};

use super::open_database;
use crate::{
    access::{KeyRecord, KeyWish, Keys, Scope},
    base::{AnchoredClock, KeyId, SystemChance, Timestamp},
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
    /// Make a key and show it, this once. To replace a key, make one for the same storefront, use
    /// it, and revoke the other.
    Create {
        /// What people will call it: one line.
        #[arg(long, value_parser = crate::access::check_label)]
        label: String,
        /// What it allows: checkout, backoffice:read, cases, backoffice:write, admin.
        /// Repeatable.
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
        /// The storefront it speaks for, as `keys list` shows it: what other keys of it opened is
        /// its own. Without, a new one.
        #[arg(long, value_name = "ID")]
        storefront: Option<KeyId>,
        /// When it ends by itself, such as 2027-11-27T08:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        expires_at: Option<Timestamp>,
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
        Action::Create { label, scopes, storefront, expires_at } => {
            let (label, scopes) = (label.clone(), scopes.clone());
            let (storefront, expires_at) = (*storefront, *expires_at);
            create(&keys, KeyWish { label, scopes, storefront, expires_at }, out).await
        }
        Action::List => list(&keys, out).await,
        Action::Revoke { id } => revoke(&keys, *id, out).await,
    }
}

fn moment(raw: &str) -> Result<Timestamp, String> {
    Timestamp::parse(raw).ok_or_else(|| "expected a time such as 2027-11-27T08:00:00Z".to_owned())
}

async fn create(keys: &Keys, wish: KeyWish, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let key = keys.create(&wish, &SystemChance).await?;
    let KeyRecord { id, storefront, .. } = key.record;
    writeln!(out, "{}", key.text)?;
    writeln!(
        out,
        "This is the only time it is shown. Its id is {id}, its storefront is {storefront}."
    )?;
    Ok(())
}

async fn list(keys: &Keys, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let now = keys.now();
    for key in keys.list().await? {
        let KeyRecord { id, storefront, label, scopes, created_at, .. } = &key;
        let scopes = scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(",");
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {at}"),
            (None, Some(at)) if key.is_in_force(now) => format!("in force until {at}"),
            (None, Some(at)) => format!("expired {at}"),
            (None, None) => "in force".to_owned(),
        };
        let used = key.used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
        // One that an older version took may move the cursor, or forge a line.
        let label = label.escape_debug();
        writeln!(
            out,
            "{id}  {created_at}  {scopes}  {state}  {label}  {used}  storefront {storefront}"
        )?;
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
        let label = "till 1".into();
        let create = Action::Create { label, scopes, storefront: None, expires_at: None };
        let made = keys(&config, create).await.unwrap();
        let text = made.lines().next().unwrap();
        assert!(text.starts_with("db_"), "{made}");
        let listed = keys(&config, Action::List).await.unwrap();
        assert!(listed.contains("checkout,backoffice:read  in force  till 1"), "{listed}");
        assert!(!listed.contains(&text[36..]), "{listed}");
        assert!(listed.contains("never used  storefront key_"), "{listed}");
        let id: KeyId = listed.split(' ').next().unwrap().parse().unwrap();
        let revoked = keys(&config, Action::Revoke { id }).await.unwrap();
        assert_eq!(revoked, format!("{id} is revoked\n"));
        let again = keys(&config, Action::Revoke { id }).await.unwrap_err().to_string();
        assert!(again.ends_with("is in force; `doorbuster keys list` shows them all"), "{again}");
    }
}
