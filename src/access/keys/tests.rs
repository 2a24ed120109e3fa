//! Keys at the door, on the embedded database. The same runs on PostgreSQL in `tests/it`.

use super::*;
use crate::{
    access::{Access, AccessRefused, Scope},
    base::{ManualClock, SeededChance},
    ledger::DatabaseOptions,
};

struct Door {
    keys: Arc<Keys>,
    access: Access,
    clock: Arc<ManualClock>,
    chance: SeededChance,
    _folder: tempfile::TempDir,
}

async fn door() -> Door {
    let folder = tempfile::tempdir().unwrap();
    let options = DatabaseOptions::new(folder.path().to_string_lossy());
    let database = Database::open(&options).await.unwrap();
    database.migrate().await.unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000)));
    let keys = Arc::new(Keys::new(database, clock.clone()));
    let access = Access::Keys(keys.clone());
    Door { keys, access, clock, chance: SeededChance::new(3), _folder: folder }
}

fn wish(scopes: &[Scope]) -> KeyWish {
    KeyWish { label: "till".into(), scopes: scopes.to_vec(), ..KeyWish::default() }
}

impl Door {
    async fn make(&self, scopes: &[Scope]) -> NewKey {
        self.keys.create(&wish(scopes), &self.chance).await.unwrap()
    }

    async fn admits(&self, text: &str) -> bool {
        match self.access.caller(None, Some(text)).await {
            Ok(_) => true,
            Err(AccessRefused::KeyInvalid) => false,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_key_is_known_by_either_header() {
    let door = door().await;
    let NewKey { record, text } = door.make(&[Scope::BackofficeRead]).await;
    let bearer = format!("bearer {text}");
    let caller = door.access.caller(Some(&bearer), None).await.unwrap();
    assert_eq!(caller, door.access.caller(None, Some(&text)).await.unwrap());
    assert_eq!(caller.id, record.id.to_string());
    assert!(caller.may(Scope::BackofficeRead).is_ok());
    let refused = caller.may(Scope::BackofficeWrite).unwrap_err().to_string();
    assert_eq!(refused, "the API key lacks the scope `backoffice:write`");
    let used = KeyRecord { used_at: Some(door.clock.now()), ..record };
    assert_eq!(door.keys.list().await.unwrap(), [used]);
}

#[tokio::test]
async fn without_a_valid_key_nobody_comes_in() {
    let door = door().await;
    let text = door.make(&[Scope::Checkout]).await.text;
    assert!(matches!(door.access.caller(None, None).await, Err(AccessRefused::KeyMissing)));
    let basic = door.access.caller(Some("Basic dTpw"), Some(&text)).await;
    assert!(matches!(basic, Err(AccessRefused::KeyInvalid)));
    assert!(!door.admits("db_nonsense").await);
    let stranger = NewKey::make(&wish(&[Scope::Admin]), door.clock.now(), &SeededChance::new(9));
    assert!(!door.admits(&stranger.text).await);
    // The id of one key with the secret of another.
    let mixed = format!("{}{}", &text[..35], &stranger.text[35..]);
    assert!(!door.admits(&mixed).await);
    assert!(door.admits(&text).await);
}

#[tokio::test]
async fn a_key_revoked_elsewhere_is_noticed_within_seconds() {
    let door = door().await;
    let NewKey { record, text } = door.make(&[Scope::Checkout]).await;
    assert!(door.admits(&text).await);
    let elsewhere = Keys::new(door.keys.database.clone(), door.clock.clone());
    assert!(elsewhere.revoke(record.id).await.unwrap());
    assert!(!elsewhere.revoke(record.id).await.unwrap(), "a key is revoked once");
    assert!(door.admits(&text).await, "remembered for a moment");
    door.clock.advance(REMEMBERED);
    assert!(!door.admits(&text).await);
    assert!(door.keys.list().await.unwrap()[0].revoked_at.is_some());
}

#[tokio::test]
async fn open_access_asks_for_nothing() {
    let caller = Access::Open.caller(None, None).await.unwrap();
    assert_eq!(caller.id, "anonymous");
    assert!(caller.may(Scope::BackofficeWrite).is_ok());
}
