//! Profiles, fetched when they are needed and kept for a while.

use moka::sync::Cache;
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Mutex;

use super::profile::Profile;
use crate::{
    base::{Clock, Timestamp},
    outbound::GuardedClient,
};

/// Profiles kept at once: platforms are few, and addresses anybody may make up are many.
const PROFILES_MAX: u64 = 1024;

/// Shortest time a profile is kept, whatever it says, and a failure is believed: the least the
/// protocol asks for, and what keeps us from being anybody's hammer.
const KEPT_LEAST: Duration = Duration::from_secs(60);

/// Longest time a profile is kept, whatever it says: a key that was withdrawn counts no longer.
const KEPT_MOST: Duration = Duration::from_secs(60 * 60);

/// How long a profile that cannot be fetched again still counts.
const STALE_MOST: Duration = Duration::from_secs(60 * 60);

/// How long fetching may take: a buyer may be waiting.
const DEADLINE: Duration = Duration::from_secs(2);

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileFault {
    /// Its address may not be asked.
    #[error("the profile's address is not asked: {0}")]
    Address(String),
    /// It cannot be fetched.
    #[error("the profile cannot be fetched: {0}")]
    Unreachable(String),
    /// It does not read.
    #[error("the profile is no JSON object")]
    Malformed,
}

type Fetched = Result<Arc<Profile>, ProfileFault>;

/// What is known of one profile.
#[derive(Debug, Clone, Default)]
struct Known {
    /// What was fetched last, when, and until when it is not fetched again.
    last: Option<(Fetched, Timestamp, Timestamp)>,
    /// The last that was good, and when it was.
    good: Option<(Arc<Profile>, Timestamp)>,
}

/// Platforms' profiles. Clones share what is kept.
#[derive(Clone)]
pub struct Platforms {
    client: GuardedClient,
    clock: Arc<dyn Clock>,
    // A slot is locked while its profile is fetched: those who want it wait for one fetch.
    kept: Cache<Box<str>, Arc<Mutex<Known>>>,
}

impl Platforms {
    /// Nothing fetched yet.
    pub fn new(client: GuardedClient, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock, kept: Cache::new(PROFILES_MAX) }
    }

    /// The profile at this address, as of an hour ago at most.
    ///
    /// # Errors
    /// When it cannot be had; then the answer is the same for a minute.
    pub async fn profile(&self, url: &str) -> Fetched {
        self.profile_since(url, None).await
    }

    /// The profile at this address, fetched again when what is kept is older than a minute: for
    /// whoever misses something in it.
    ///
    /// # Errors
    /// As [`profile`](Self::profile).
    pub async fn newer_profile(&self, url: &str) -> Fetched {
        self.profile_since(url, Some(KEPT_LEAST)).await
    }

    async fn profile_since(&self, url: &str, age_max: Option<Duration>) -> Fetched {
        let slot = self.kept.get_with(url.into(), Arc::default);
        let mut known = slot.lock().await;
        let now = self.clock.now();
        if let Some((last, at, fresh_until)) = &known.last
            && *fresh_until > now
            && age_max.is_none_or(|most| now.since(*at) < most)
        {
            return last.clone();
        }
        let (fetched, keep) = self.fetch(url).await;
        let now = self.clock.now();
        if let Ok(profile) = &fetched {
            known.good = Some((profile.clone(), now));
        }
        let stale = known.good.as_ref().filter(|(_, at)| now.since(*at) < STALE_MOST);
        let counts = fetched.or_else(|fault| stale.map(|(good, _)| good.clone()).ok_or(fault));
        known.last = Some((counts.clone(), now, now.plus(keep)));
        counts
    }

    /// Fetches a profile, and says for how long it counts.
    async fn fetch(&self, url: &str) -> (Fetched, Duration) {
        let target = match self.client.target(url) {
            Ok(target) => target,
            Err(refused) => return (Err(ProfileFault::Address(refused.to_string())), KEPT_LEAST),
        };
        match self.client.get(&target, DEADLINE).await {
            Ok(answer) if answer.status == 200 => {
                let keep = answer.max_age.unwrap_or_default().clamp(KEPT_LEAST, KEPT_MOST);
                let read = Profile::read(&answer.body).map(Arc::new);
                (read.ok_or(ProfileFault::Malformed), keep)
            }
            Ok(answer) => {
                let fault = format!("it answered {}", answer.status);
                (Err(ProfileFault::Unreachable(fault)), KEPT_LEAST)
            }
            Err(fault) => {
                tracing::info!(%fault, "a platform's profile was not read");
                (Err(ProfileFault::Unreachable(fault.told())), KEPT_LEAST)
            }
        }
    }
}

impl fmt::Debug for Platforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platforms").field("kept", &self.kept.entry_count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
