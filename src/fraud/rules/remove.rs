//! Rules and lists that are no longer needed. What there was stays on record.

use super::{
    live::{Rules, RulesRefused},
    rule::{Mode, Name, Rule},
};

/// How often a list is looked at again that others' changes kept from going.
const AGAIN_MAX: u32 = 5;

impl Rules {
    /// Removes a rule: its last version says so. Whether there was one.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn remove(
        &self,
        name: &Name,
        reason: &str,
        author: &str,
    ) -> Result<bool, RulesRefused> {
        let removed = self.store().remove_rule(name, reason, &self.by(author)).await?;
        self.refresh_if_changed().await?;
        Ok(removed)
    }

    /// Removes a list with its entries. Whether there was one. One that a rule looks up, live or in
    /// shadow, stays: judged and written on the same version of the rulebook.
    ///
    /// # Errors
    /// When a rule looks it up, or others change the rulebook all the time.
    pub async fn remove_list(&self, name: &Name, author: &str) -> Result<bool, RulesRefused> {
        for _ in 0..AGAIN_MAX {
            let version = self.store().version().await?;
            let asked = self.store().rules().await?;
            let mut asked = asked.into_iter().filter(|rule| rule.draft.mode != Mode::Off);
            if let Some(rule) = asked.find(|rule| self.looks_up(rule, name)) {
                let (list, rule) = (name.clone(), rule.draft.name);
                return Err(RulesRefused::ListInUse { list, rule });
            }
            if self.store().remove_list(name, version, &self.by(author)).await? {
                self.refresh_if_changed().await?;
                return Ok(true);
            }
            if matches!(self.find_list(name).await, Err(RulesRefused::NoSuchList(_))) {
                return Ok(false);
            }
        }
        Err(RulesRefused::Busy)
    }

    /// Whether a rule looks values up in a list. One that cannot be read any more may.
    fn looks_up(&self, rule: &Rule, list: &Name) -> bool {
        match self.check(&rule.draft.expression, rule.draft.pass) {
            Ok(program) => program.lists().any(|named| named == list.as_str()),
            Err(_) => rule.draft.expression.contains(list.as_str()),
        }
    }
}
