//! What a batch changes, as PostgreSQL takes it in: arrays of the row types that
//! `migrations/postgres/0003_commit` declares, each field in its place.

use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, types::PgRecordEncoder},
};

use crate::{
    base::{AttemptId, CheckoutId, OrderId, Sealed, Sku, Timestamp},
    ledger::{
        Authorization,
        changes::{
            AttemptChange, AttemptInsert, GrantDelta, HeadChange, LineDelta, MovementInsert,
            OperationChange, OrderInsert, RecordEntry, SessionChange, StockDelta,
        },
        entry::{KeyWrite, NewEvent},
        known::Assumed,
        review::{CaseChange, NewAssessment, NewCase},
        row::{GrantRow, HoldRow, NewOrderLine},
    },
};

/// A value of one of the database's row types.
pub(super) trait Record {
    /// The type's name there.
    const TYPE: &'static str;

    /// Writes the fields in the type's order.
    fn fields(&self, row: &mut Fields<'_>) -> Result<(), BoxDynError>;
}

type Fields<'a> = PgRecordEncoder<'a>;
type Written = Result<(), BoxDynError>;

/// A record as an element of an array that can be bound.
pub(super) struct Row<R>(R);

/// The records as an array that can be bound.
pub(super) fn rows<R: Record>(records: impl IntoIterator<Item = R>) -> Vec<Row<R>> {
    records.into_iter().map(Row).collect()
}

impl<R: Record> Type<Postgres> for Row<R> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name(R::TYPE)
    }
}

impl<R: Record> PgHasArrayType for Row<R> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of(R::TYPE)
    }
}

impl<R: Record> Encode<'_, Postgres> for Row<R> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let mut fields = Fields::new(buffer);
        self.0.fields(&mut fields)?;
        fields.finish();
        Ok(IsNull::No)
    }
}

impl<R: Record> Record for &R {
    const TYPE: &'static str = R::TYPE;

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        (**self).fields(row)
    }
}

/// Counts are never this large; one that is shall fail loudly.
fn int(count: u32) -> Result<i32, BoxDynError> {
    Ok(i32::try_from(count)?)
}

fn at(time: Timestamp) -> time::OffsetDateTime {
    time.to_offset()
}

impl Record for RecordEntry {
    const TYPE: &'static str = "entry_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        let outcome = serde_json::to_string(&self.outcome)?;
        row.encode(self.id.as_str())?.encode(outcome)?.encode(at(self.at))?;
        Ok(())
    }
}

impl Record for SessionChange {
    const TYPE: &'static str = "session_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.checkout.uuid())?.encode(int(self.version)?)?;
        row.encode(self.state.as_str())?.encode(at(self.expires_at))?.encode(self.body.get())?;
        row.encode(self.personal.as_ref().map(Sealed::stored))?.encode(at(self.updated_at))?;
        Ok(())
    }
}

impl Record for HeadChange {
    const TYPE: &'static str = "head_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.checkout.uuid())?.encode(int(self.version)?)?;
        let body = self.body.as_ref().map_or("null", |body| body.get());
        row.encode(self.state.as_str())?.encode(body)?.encode(at(self.updated_at))?;
        Ok(())
    }
}

impl Record for HoldRow {
    const TYPE: &'static str = "hold_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.checkout.uuid())?.encode(self.sku.as_str())?.encode(int(self.quantity)?)?;
        row.encode(at(self.expires_at))?.encode(self.pinned_by.map(|attempt| attempt.uuid()))?;
        Ok(())
    }
}

/// A hold that stands and changes, or goes: how it is after, and how it stood.
pub(super) struct HoldStep<'a> {
    pub(super) after: &'a HoldRow,
    pub(super) before: &'a HoldRow,
}

impl Record for HoldStep<'_> {
    const TYPE: &'static str = "hold_step";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        let Self { after, before } = self;
        after.fields(row)?;
        row.encode(int(before.quantity)?)?
            .encode(before.pinned_by.map(|attempt| attempt.uuid()))?;
        Ok(())
    }
}

impl Record for Assumed {
    const TYPE: &'static str = "session_assumed";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.checkout.uuid())?.encode(int(self.version)?)?;
        row.encode(i64::try_from(self.holds)?)?;
        Ok(())
    }
}

impl Record for (CheckoutId, Sku) {
    const TYPE: &'static str = "hold_end";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.0.uuid())?.encode(self.1.as_str())?;
        Ok(())
    }
}

impl Record for StockDelta {
    const TYPE: &'static str = "stock_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.sku.as_str())?.encode(self.on_hand)?.encode(self.unallocated)?;
        Ok(())
    }
}

impl Record for GrantRow {
    const TYPE: &'static str = "grant_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.id.uuid())?.encode(self.sku.as_str())?.encode(self.holder.uuid())?;
        row.encode(self.granted)?.encode(self.consumed)?.encode(self.active)?;
        Ok(())
    }
}

impl Record for GrantDelta {
    const TYPE: &'static str = "grant_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.id.uuid())?.encode(self.consumed)?.encode(self.active)?;
        Ok(())
    }
}

impl Record for AttemptInsert {
    const TYPE: &'static str = "attempt_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        let attempt = &self.row;
        let waiting = attempt.waiting.as_ref();
        row.encode(attempt.id.uuid())?.encode(attempt.checkout.uuid())?;
        row.encode(attempt.order.uuid())?.encode(int(attempt.number)?)?;
        row.encode(attempt.amount_minor)?.encode(attempt.currency.code())?;
        row.encode(attempt.gateway.as_str())?.encode(at(attempt.deadline))?;
        row.encode(waiting.map(|(caller, _)| caller.as_str()))?;
        row.encode(waiting.map(|(_, key)| key.as_str()))?.encode(at(self.created_at))?;
        Ok(())
    }
}

impl Record for AttemptChange {
    const TYPE: &'static str = "attempt_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.id.uuid())?.encode(self.state.as_str())?;
        row.encode(self.authorization.as_ref().map(Authorization::as_str))?
            .encode(self.code.as_deref())?;
        row.encode(self.watch_until.map(at))?.encode(at(self.settled_at))?;
        Ok(())
    }
}

impl Record for OrderInsert {
    const TYPE: &'static str = "order_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        let order = &self.order;
        row.encode(order.id.uuid())?.encode(self.attempt.uuid())?.encode(order.total_minor)?;
        row.encode(order.currency.code())?.encode(order.body.get())?.encode(at(self.placed_at))?;
        Ok(())
    }
}

/// A line with its order.
pub(super) struct LineOf<'a>(pub(super) OrderId, pub(super) &'a NewOrderLine);

impl Record for LineOf<'_> {
    const TYPE: &'static str = "order_line_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        let Self(order, line) = self;
        row.encode(order.uuid())?.encode(int(line.line)?)?.encode(line.sku.as_str())?;
        row.encode(int(line.quantity)?)?.encode(line.unit_price_minor)?.encode(line.tracked)?;
        Ok(())
    }
}

impl Record for LineDelta {
    const TYPE: &'static str = "order_line_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.order.uuid())?.encode(int(self.line)?)?.encode(int(self.shipped)?)?;
        row.encode(int(self.returned)?)?.encode(int(self.restocked)?)?;
        Ok(())
    }
}

impl Record for OperationChange {
    const TYPE: &'static str = "operation_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.id.uuid())?.encode(self.attempt.uuid())?.encode(self.kind.as_str())?;
        row.encode(self.amount_minor)?.encode(self.authorization.as_str())?;
        row.encode(self.state.as_str())?.encode(self.note.as_str())?.encode(at(self.at))?;
        Ok(())
    }
}

impl Record for NewEvent {
    const TYPE: &'static str = "event_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.id.uuid())?.encode(self.order.uuid())?.encode(self.kind.as_str())?;
        row.encode(self.body.get())?.encode(at(self.at))?;
        Ok(())
    }
}

impl Record for MovementInsert {
    const TYPE: &'static str = "movement_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.id.uuid())?.encode(self.sku.as_str())?.encode(self.kind)?;
        row.encode(int(self.quantity)?)?.encode(self.reason.as_str())?;
        row.encode(self.order.map(OrderId::uuid))?.encode(self.line.map(int).transpose()?)?;
        row.encode(at(self.at))?;
        Ok(())
    }
}

impl Record for NewAssessment {
    const TYPE: &'static str = "assessment_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.id.uuid())?.encode(self.checkout.uuid())?;
        row.encode(self.attempt.map(AttemptId::uuid))?.encode(self.outcome)?;
        row.encode(self.score.map(i16::try_from).transpose()?)?.encode(self.degraded)?;
        row.encode(self.body.get())?.encode(at(self.at))?;
        Ok(())
    }
}

impl Record for NewCase {
    const TYPE: &'static str = "case_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.order.uuid())?.encode(self.attempt.uuid())?.encode(self.priority)?;
        row.encode(at(self.due_at))?.encode(at(self.expires_at))?.encode(at(self.opened_at))?;
        Ok(())
    }
}

impl Record for CaseChange {
    const TYPE: &'static str = "case_change";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.order.uuid())?.encode(self.state.as_str())?;
        row.encode(self.from.as_str())?.encode(self.by.as_str())?;
        row.encode(self.reason.as_str())?.encode(at(self.at))?;
        Ok(())
    }
}

/// A key nobody had used.
pub(super) struct NewKey<'a>(pub(super) &'a KeyWrite);

impl Record for NewKey<'_> {
    const TYPE: &'static str = "key_insert";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        let key = self.0;
        row.encode(key.caller.as_str())?.encode(key.key.as_str())?;
        row.encode(key.fingerprint.as_str())?.encode(key.dialect.as_str())?;
        answer(key, row)
    }
}

/// The answer under a key that stands already.
pub(super) struct KeyAnswer<'a>(pub(super) &'a KeyWrite);

impl Record for KeyAnswer<'_> {
    const TYPE: &'static str = "key_answer";

    fn fields(&self, row: &mut Fields<'_>) -> Written {
        row.encode(self.0.caller.as_str())?.encode(self.0.key.as_str())?;
        answer(self.0, row)
    }
}

fn answer(key: &KeyWrite, row: &mut Fields<'_>) -> Written {
    let answer = key.answer.as_ref();
    row.encode(answer.map(|answer| i32::from(answer.status)))?;
    row.encode(answer.map(|answer| answer.body.stored()))?;
    row.encode(answer.map(|answer| int(answer.version)).transpose()?)?.encode(at(key.now))?;
    Ok(())
}
