//! What a bench does with the past: reads judgements back as a memory takes them, whatever schema
//! they were made with, and builds memories from them.
//!
//! What was kept of a judgement are the keys of its entities, in the order of the schema that it
//! was made with. Entities of the same columns have the same keys. Those that the schema did not
//! have are read again from the checkout, as long as it is known who it was about; after that they
//! are missing.

use std::{collections::HashMap, time::Duration};

use super::{
    assessment::Degraded,
    bench::{Bench, Judged, Written},
    cases::{Cases, Remembered},
    event::Event,
    feature_set::FeatureSet,
    history::{Past, Span},
    links::LinkKeys,
    memory::Memory,
    setup::Told,
    signals::Signals,
    velocity::Passing,
};
use crate::{
    base::{AssessmentId, AttemptId, CheckoutId, Timestamp},
    ledger::LedgerFault,
};

/// The longest window that counts look back over.
pub const REMEMBERED_SPAN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Judgements read at once.
const PAGE: u32 = 2_000;

/// Reads what a recorded attempt's session and person still tell.
pub type Recover = fn(&Past) -> Option<Signals>;

/// A judgement of the past, as a memory takes it.
#[derive(Debug)]
pub(super) struct Retold {
    pub(super) id: AssessmentId,
    pub(super) at: Timestamp,
    /// None when it was about no attempt, or when nobody kept its schema.
    pub(super) passing: Option<Passing>,
    /// Whether the memory was told of it when it was made.
    pub(super) was_told: bool,
    /// Whether it was judged with other memories alone.
    pub(super) was_apart: bool,
}

impl Bench {
    /// Judgements since a moment in their order, after `cursor`, as the memory of these features
    /// takes them.
    pub(super) async fn retell(
        &self,
        set: &FeatureSet,
        (since, cursor): (Timestamp, Option<AssessmentId>),
        limit: u32,
    ) -> Result<Vec<Retold>, LedgerFault> {
        let Some(cases) = &self.cases else { return Ok(Vec::new()) };
        let page = cases.list_past(since, cursor, limit).await?;
        let read = |past: Remembered| {
            let written = serde_json::from_str::<Written>(past.row.body.get()).ok();
            (past, written)
        };
        let page: Vec<(Remembered, Option<Written>)> = page.into_iter().map(read).collect();
        let hashes = page.iter().filter_map(|(_, written)| written.as_ref());
        let hashes: Vec<&str> = hashes.map(|w| &*w.assessment.features_hash).collect();
        self.schemas.look_up(hashes).await?;
        let lacks = |(_, written): &(Remembered, Option<Written>)| {
            written.as_ref().is_some_and(|written| self.lacks_keys(written, set))
        };
        let signals = match page.iter().any(lacks) {
            true => self.recover(cases, &page).await?,
            false => HashMap::new(),
        };
        let retold = |(past, written): (Remembered, Option<Written>)| {
            let Remembered { row, failed } = past;
            let (id, at, signals) = (row.id, row.at, signals.get(&row.id));
            let about = (at, failed);
            let passing = written.as_ref().and_then(|w| self.translate(w, about, set, signals));
            let (was_own, was_other) = match &written {
                Some(written) => self.memories_of(written, set),
                None => (true, false),
            };
            let blind =
                |written: &Written| written.assessment.degraded.contains(&Degraded::Velocity);
            let was_told = was_other || (was_own && !written.as_ref().is_some_and(blind));
            Retold { id, at, passing, was_told, was_apart: !was_own && !was_other }
        };
        Ok(page.into_iter().map(retold).collect())
    }

    /// Whether some keys that these features need were not kept with a judgement.
    fn lacks_keys(&self, written: &Written, set: &FeatureSet) -> bool {
        let Some(event) = &written.event else { return false };
        let from = self.schemas.find(&written.assessment.features_hash);
        !event.others.contains_key(&set.memory)
            && from.is_some_and(|from| set.places_in(&from).lacks_any())
    }

    /// What is still known of the checkouts of a page.
    async fn recover(
        &self,
        cases: &Cases,
        page: &[(Remembered, Option<Written>)],
    ) -> Result<HashMap<AssessmentId, Signals>, LedgerFault> {
        let (Some(recover), Some((first, _)), Some((last, _))) =
            (self.recover, page.first(), page.last())
        else {
            return Ok(HashMap::new());
        };
        let until = last.row.at.plus(Duration::from_micros(1));
        let span = Span { whole: true, ..Span::of(first.row.at, until) };
        let rows =
            cases.history().list(span, None, u32::try_from(page.len()).unwrap_or(PAGE)).await?;
        let signals = |past: &Past| {
            let mut signals = recover(past)?;
            self.whereabouts().locate(&mut signals);
            Some((past.id, signals))
        };
        Ok(rows.iter().filter_map(signals).collect())
    }

    /// A judged attempt as the memory of these features takes it; none when the judgement was about
    /// none, or when nobody kept its schema.
    pub(super) fn translate(
        &self,
        written: &Written,
        (at, failed): (Timestamp, bool),
        set: &FeatureSet,
        signals: Option<&Signals>,
    ) -> Option<Passing> {
        let kept = written.event.as_ref()?;
        let counts = kept.counted;
        let own = |keys: &Vec<u64>| set.places_in(set).keys(keys);
        if let Some(keys) = kept.others.get(&set.memory) {
            return Some(Passing { event: kept.with(own(keys), at, failed), counts });
        }
        let from = self.schemas.find(&written.assessment.features_hash)?;
        let places = set.places_in(&from);
        let mut event = kept.with(places.keys(&kept.keys), at, failed);
        if let Some(signals) = signals {
            places.fill(&mut event, set, signals);
        }
        Some(Passing { event, counts })
    }

    /// Whether the memory of these features was the live model's when an attempt was judged, and
    /// whether it was another that was told.
    fn memories_of(&self, written: &Written, set: &FeatureSet) -> (bool, bool) {
        let other = written.event.as_ref().is_some_and(|e| e.others.contains_key(&set.memory));
        let live = self.schemas.find(&written.assessment.features_hash);
        // A second look tells no memory.
        let own = written.event.is_none() || live.is_some_and(|live| live.remembers_as(set));
        (own, other)
    }

    /// Tells a memory of this process what was judged before a moment, from which on it was told by
    /// those who judge, and lets it recall. How much it was told.
    ///
    /// # Errors
    /// When the ledger cannot be read; it has to be built from the beginning then.
    pub async fn build(&self, memory: &Memory, until: Timestamp) -> Result<usize, LedgerFault> {
        let since = until.minus(REMEMBERED_SPAN);
        memory.local.begin_building();
        let count = self.tell_local(memory, (since, until)).await?;
        memory.local.end_building();
        Ok(count)
    }

    /// Tells the memory of this process what was judged since a moment and before another.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn tell_local(
        &self,
        memory: &Memory,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<usize, LedgerFault> {
        let (mut cursor, mut count) = (None, 0);
        loop {
            let page = self.retell(&memory.set, (since, cursor), PAGE).await?;
            let Some(last) = page.last() else { return Ok(count) };
            cursor = Some(last.id);
            let past = page.into_iter().filter(|past| past.at < until);
            let told: Vec<Passing> = past.filter_map(|past| past.passing).collect();
            count += told.len();
            memory.local.remember(&told);
        }
    }

    /// The judgement that an attempt began with, and the attempt as memories take it.
    pub(super) async fn judged_before(
        &self,
        checkout: CheckoutId,
        attempt: AttemptId,
    ) -> Result<Option<Judged>, LedgerFault> {
        let Some(cases) = &self.cases else { return Ok(None) };
        let rows = cases.list_assessments(checkout).await?;
        let Some(row) = rows.into_iter().find(|row| row.attempt == Some(attempt)) else {
            return Ok(None);
        };
        let Ok(written) = serde_json::from_str::<Written>(row.body.get()) else {
            return Ok(None);
        };
        self.schemas.look_up([&*written.assessment.features_hash]).await?;
        let told = |memory: &std::sync::Arc<Memory>| {
            let passing = self.translate(&written, (row.at, true), &memory.set, None)?;
            let everywhere = memory.shared.is_some();
            Some(Told { memory: memory.clone(), event: passing.event, everywhere })
        };
        let told: Vec<Told> = self.setup().memories().iter().filter_map(told).collect();
        let event: Option<Event> = told.first().map(|told| told.event.clone());
        Ok(event.map(|event| Judged {
            outcome: written.assessment.outcome,
            counted: written.event.as_ref().is_some_and(|event| event.counted),
            assessment: written.assessment,
            event: Some(event),
            currency: None,
            told,
            storefront: Box::default(),
            links: LinkKeys::default(),
        }))
    }
}
