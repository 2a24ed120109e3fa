//! The rulebook in force, and how it changes while it is asked.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::Mutex;

use super::{
    book::Rulebook,
    check::{Vocabulary, compile},
    facts::FeatureNames,
    list::{InvalidValue, List, ListKind},
    parse::ExpressionRefused,
    program::Program,
    rule::{Action, Draft, ListEntry, ListHead, Name, Pass, Rule, Snooze},
    starter,
    store::{By, RuleStore},
};
use crate::{
    base::{Clock, Timestamp},
    ledger::{Database, LedgerFault, keyed},
};

/// Rules of a shop: more than anybody oversees, and all are asked of every order.
pub const RULES_MAX: usize = 200;
/// Lists of a shop.
pub const LISTS_MAX: usize = 100;
/// Entries of a list: each replica keeps all of them in memory, about 100 bytes each.
pub const ENTRIES_MAX: usize = 100_000;
/// Snoozes of a shop. Many more mean that the rule is wrong.
pub const SNOOZES_MAX: usize = 10_000;

/// Who made what a shop starts with.
const STARTER: &str = "doorbuster";

/// A change that is not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RulesRefused {
    /// The expression does not do.
    #[error(transparent)]
    Expression(#[from] ExpressionRefused),
    /// There is nothing left to challenge.
    #[error("after authorization there is nothing left to challenge; a rule may review or block")]
    ChallengeTooLate,
    /// There is no such rule.
    #[error("there is no rule `{0}`")]
    NoSuchRule(Name),
    /// There is no such list.
    #[error("there is no list `{0}`")]
    NoSuchList(Name),
    /// Another change came first.
    #[error("the rule `{name}` is at version {found} by now")]
    VersionMismatch {
        /// Which rule.
        name: Name,
        /// Its last version; 0 when there is no such rule.
        found: u32,
    },
    /// A rule looks values up in the list.
    #[error("the rule `{rule}` looks values up in the list `{list}`")]
    ListInUse {
        /// Which list.
        list: Name,
        /// Which rule.
        rule: Name,
    },
    /// Others change the rulebook all the time.
    #[error("the rulebook is being changed by others; try again")]
    Busy,
    /// A list keeps its kind: rules rely on it.
    #[error("the list `{name}` holds {kind}, and a list keeps its kind")]
    OtherKind {
        /// Which list.
        name: Name,
        /// What it holds.
        kind: ListKind,
    },
    /// The value cannot stand there.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// A date that has passed.
    #[error("the date has passed")]
    Past,
    /// A limit is reached.
    #[error("there are at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        most: usize,
    },
    /// The ledger cannot be reached, or what it keeps does not read.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

/// A list as it was last read, with the version of the rulebook in which it had changed.
type Seen = HashMap<Name, (u64, Arc<List>)>;

/// The rules of a shop: those in force, and the way to change them.
pub struct Rules {
    store: RuleStore,
    clock: Arc<dyn Clock>,
    current: RwLock<Arc<Rulebook>>,
    features: RwLock<Option<Arc<FeatureNames>>>,
    /// One reading at a time; lists that have not changed are not read again.
    seen: Mutex<Seen>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("version", &self.current().version()).finish_non_exhaustive()
    }
}

impl Rules {
    /// The rules of this database; on the first start, those that a shop starts with.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn load(database: Database, clock: Arc<dyn Clock>) -> Result<Self, LedgerFault> {
        let rules = Self {
            store: RuleStore::new(database),
            clock,
            current: RwLock::default(),
            features: RwLock::default(),
            seen: Mutex::default(),
        };
        if rules.store.version().await? == 0 {
            rules.start().await?;
        }
        rules.refresh_if_changed().await?;
        Ok(rules)
    }

    /// Two replicas may do this at once: what stands already is not written again.
    async fn start(&self) -> Result<(), LedgerFault> {
        let by = self.by(STARTER);
        for (name, kind, note) in starter::lists() {
            self.store.save_list(&name, kind, note, &by).await?;
        }
        for (list, values) in starter::entries() {
            let entry = |(value, note)| ListEntry {
                value,
                expires_at: None,
                note,
                author: by.author.clone(),
                added_at: by.at,
            };
            let entries: Vec<ListEntry> = values.into_iter().map(entry).collect();
            self.store.add_entries(&list, &entries, &by).await?;
        }
        for draft in starter::rules() {
            self.store.save_rule((&draft, &[]), Some(0), &by).await?;
        }
        Ok(())
    }

    /// The rulebook in force. It stays as it is, whatever changes meanwhile.
    pub fn current(&self) -> Arc<Rulebook> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Rules, lists and snoozes as they are kept.
    pub const fn store(&self) -> &RuleStore {
        &self.store
    }

    /// The features that rules may name from now on: those of the model in force. Before this was
    /// said, a rule may name any.
    pub fn know_features(&self, names: FeatureNames) {
        let mut features = self.features.write().unwrap_or_else(PoisonError::into_inner);
        *features = Some(Arc::new(names));
    }

    /// The features that rules may name, sorted.
    pub fn features(&self) -> Vec<String> {
        let features = self.features.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut names: Vec<String> =
            features.iter().flat_map(|names| names.iter().map(str::to_owned)).collect();
        names.sort_unstable();
        names
    }

    /// Reads the rulebook again when somebody changed it, here or elsewhere. Whether it did. One
    /// cheap question when nothing changed.
    ///
    /// # Errors
    /// When the ledger cannot be reached; the rulebook in force stays.
    pub async fn refresh_if_changed(&self) -> Result<bool, LedgerFault> {
        // What may still be taken back is not in force.
        if keyed::is_open() {
            return Ok(false);
        }
        let mut seen = self.seen.lock().await;
        // What is read after this may be newer: then the next look finds a greater version.
        let version = self.store.version().await?;
        if version == self.current().version() {
            return Ok(false);
        }
        let mut now_seen = Seen::new();
        for head in self.store.lists().await? {
            let list = match seen.get(&head.name) {
                Some((changed_in, list)) if *changed_in == head.changed_in => list.clone(),
                _ => Arc::new(self.read_list(&head).await?),
            };
            now_seen.insert(head.name, (head.changed_in, list));
        }
        let rules = self.store.rules().await?;
        let snoozes = self.store.snoozes(None, self.clock.now()).await?;
        let lists: BTreeMap<Name, Arc<List>> =
            now_seen.iter().map(|(name, (_, list))| (name.clone(), list.clone())).collect();
        let book = Rulebook::new(version, rules, lists, snoozes);
        for (name, refused) in book.broken() {
            tracing::warn!(rule.name = %name, "the rule {name} is not asked: {refused}");
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
        *seen = now_seen;
        Ok(true)
    }

    async fn read_list(&self, head: &ListHead) -> Result<List, LedgerFault> {
        let most = u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX);
        let mut list = List::new(head.kind);
        for entry in self.store.entries(&head.name, None, most).await? {
            list.add(&entry.value, entry.expires_at);
        }
        Ok(list)
    }

    /// Checks an expression as it would be checked when it is saved.
    ///
    /// # Errors
    /// When it does not do.
    pub fn check(&self, expression: &str, pass: Pass) -> Result<Program, ExpressionRefused> {
        let features = self.features.read().unwrap_or_else(PoisonError::into_inner).clone();
        let book = self.current();
        let lists = |name: &str| book.list(name).map(|list| list.kind());
        compile(expression, Vocabulary { features: features.as_deref(), lists: &lists, pass })
    }

    /// Writes another version of a rule, when `expected` is its last one or nothing is expected.
    /// A rule that says this already keeps its version.
    ///
    /// # Errors
    /// When the expression does not do, or another change came first.
    pub async fn save(
        &self,
        draft: Draft,
        expected: Option<u32>,
        author: &str,
    ) -> Result<Rule, RulesRefused> {
        self.refresh_if_changed().await?;
        if draft.action == Action::Challenge && draft.pass == Pass::After {
            return Err(RulesRefused::ChallengeTooLate);
        }
        let program = self.check(&draft.expression, draft.pass)?;
        let lists: Vec<&str> = program.lists().collect();
        let found = self.store.find_rule(&draft.name).await?;
        if found.is_none() && self.store.rules().await?.len() >= RULES_MAX {
            return Err(RulesRefused::TooMany { what: "rules", most: RULES_MAX });
        }
        let written = self.store.save_rule((&draft, &lists), expected, &self.by(author)).await?;
        self.refresh_if_changed().await?;
        // Somebody else's version may stand on top of ours by now, or have kept ours out.
        let recent = self.store.versions(&draft.name, None, if written { 10 } else { 1 }).await?;
        let found = recent.first().map_or(0, |rule| rule.version);
        let ours = recent.into_iter().find(|rule| rule.draft == draft);
        ours.ok_or(RulesRefused::VersionMismatch { name: draft.name, found })
    }

    /// Makes a list, or changes its note.
    ///
    /// # Errors
    /// When there is one of another kind.
    pub async fn save_list(
        &self,
        name: &Name,
        kind: ListKind,
        note: &str,
        author: &str,
    ) -> Result<ListHead, RulesRefused> {
        let lists = self.store.lists().await?;
        match lists.iter().find(|head| head.name == *name) {
            Some(head) if head.kind != kind => {
                return Err(RulesRefused::OtherKind { name: name.clone(), kind: head.kind });
            }
            None if lists.len() >= LISTS_MAX => {
                return Err(RulesRefused::TooMany { what: "lists", most: LISTS_MAX });
            }
            _ => {}
        }
        self.store.save_list(name, kind, note, &self.by(author)).await?;
        self.refresh_if_changed().await?;
        self.find_list(name).await
    }

    /// A list without its entries.
    ///
    /// # Errors
    /// When there is no such list.
    pub async fn find_list(&self, name: &Name) -> Result<ListHead, RulesRefused> {
        let found = self.store.lists().await?.into_iter().find(|head| head.name == *name);
        found.ok_or_else(|| RulesRefused::NoSuchList(name.clone()))
    }

    /// Adds entries to a list, or changes the ends and notes of those that are there. Of one value
    /// given twice the last counts. Values stand in their normal form.
    ///
    /// # Errors
    /// When there is no such list, or no room in it.
    pub async fn add_entries(
        &self,
        list: &Name,
        mut entries: Vec<ListEntry>,
        author: &str,
    ) -> Result<(), RulesRefused> {
        let head = self.find_list(list).await?;
        let mut known = HashSet::new();
        entries.reverse();
        entries.retain(|entry| known.insert(entry.value.clone()));
        let there = usize::try_from(head.entries).unwrap_or(usize::MAX);
        if there.saturating_add(entries.len()) > ENTRIES_MAX {
            return Err(RulesRefused::TooMany { what: "entries in a list", most: ENTRIES_MAX });
        }
        self.store.add_entries(list, &entries, &self.by(author)).await?;
        self.refresh_if_changed().await?;
        Ok(())
    }

    /// Removes an entry in its normal form. Whether it was there.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn remove_entry(
        &self,
        list: &Name,
        value: &str,
        author: &str,
    ) -> Result<bool, RulesRefused> {
        let removed = self.store.remove_entry(list, value, &self.by(author)).await?;
        self.refresh_if_changed().await?;
        Ok(removed)
    }

    /// Lets a rule pass somebody over until a date.
    ///
    /// # Errors
    /// When there is no such rule, the date has passed, or there are too many snoozes.
    pub async fn snooze(&self, snooze: Snooze) -> Result<(), RulesRefused> {
        let now = self.clock.now();
        if snooze.until <= now {
            return Err(RulesRefused::Past);
        }
        if self.store.find_rule(&snooze.rule).await?.is_none() {
            return Err(RulesRefused::NoSuchRule(snooze.rule));
        }
        if self.store.snoozes(None, now).await?.len() >= SNOOZES_MAX {
            return Err(RulesRefused::TooMany { what: "snoozes", most: SNOOZES_MAX });
        }
        self.store.snooze(&snooze, &self.by(&snooze.author)).await?;
        self.refresh_if_changed().await?;
        Ok(())
    }

    /// Ends a snooze. Whether there was one.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn end_snooze(
        &self,
        rule: &Name,
        kind: ListKind,
        value: &str,
        author: &str,
    ) -> Result<bool, RulesRefused> {
        let ended = self.store.end_snooze(rule, kind, value, &self.by(author)).await?;
        self.refresh_if_changed().await?;
        Ok(ended)
    }

    /// Snoozes of a rule that are not over.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn snoozes(&self, rule: &Name) -> Result<Vec<Snooze>, LedgerFault> {
        self.store.snoozes(Some(rule), self.now()).await
    }

    /// Now, as snoozes and entries count it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn by(&self, author: &str) -> By {
        By { author: author.to_owned(), at: self.clock.now() }
    }
}
