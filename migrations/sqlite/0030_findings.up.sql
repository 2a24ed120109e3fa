-- What was found out about an order says who found it out and what else they know, and may be an
-- issuer's early warning; a rule may be removed, which is its last version.

-- Made anew under its name: to rename it would rename it in the trigger that applies batches too.
create temp table labels_before as select * from labels;
drop table labels;
create table labels (
    seq integer primary key autoincrement,
    order_id text not null,
    fraud integer not null,
    source text not null,
    at text not null,
    author text,
    reason text,
    note text,
    amount_minor integer,
    currency text,
    constraint labels_amount check ((amount_minor is null) = (currency is null)),
    constraint labels_source
        check (source in ('reviewer', 'dispute', 'early_warning', 'refund', 'import'))
) strict;
create index labels_by_order on labels (order_id, seq desc);
insert into labels (seq, order_id, fraud, source, at)
    select seq, order_id, fraud, source, at from labels_before;
drop table labels_before;

alter table rule_versions add column removed integer not null default 0;
