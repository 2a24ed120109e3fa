//! The sentences of reasons, where they were not written down.

use super::{
    assessment::{Assessment, ReasonGiven},
    feature_set::FeatureSet,
    model::Reason,
    schemas::Schemas,
};
use crate::ledger::LedgerFault;

impl FeatureSet {
    /// Says in words what the reasons of a judgement by these features are.
    pub fn tell(&self, judged: &mut Assessment) {
        for given in reasons(judged) {
            if let Some(feature) = self.names.place(&given.code) {
                let (value, contribution) = (given.value, given.contribution);
                given.says = self.layout.sentence(&Reason { feature, value, contribution });
            }
        }
    }
}

impl Schemas {
    /// Says in words what the reasons of judgements are that were written down without. Where
    /// nobody kept the schema, a reason says the name of its feature.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn tell(&self, judged: &mut [&mut Assessment]) -> Result<(), LedgerFault> {
        self.look_up(judged.iter().map(|judged| &*judged.features_hash)).await?;
        for judged in judged {
            if let Some(set) = self.find(&judged.features_hash) {
                set.tell(judged);
            }
            reasons(judged).for_each(|given| given.says = given.code.to_string());
        }
        Ok(())
    }
}

/// The reasons that say nothing yet.
fn reasons(judged: &mut Assessment) -> impl Iterator<Item = &mut ReasonGiven> {
    let all = judged.reasons.iter_mut().chain(&mut judged.reasons_for_buyer);
    all.filter(|given| given.says.is_empty())
}
