-- loses labels.author, labels.reason, labels.note, labels.amount_minor, labels.currency
alter table rule_versions drop column removed;

create temp table labels_before as select * from labels;
drop table labels;
create table labels (
    seq integer primary key autoincrement,
    order_id text not null,
    fraud integer not null,
    source text not null,
    at text not null,
    constraint labels_source
        check (source in ('reviewer', 'dispute', 'refund', 'import'))
) strict;
create index labels_by_order on labels (order_id, seq desc);
insert into labels (seq, order_id, fraud, source, at)
    select seq, order_id, fraud, iif(source = 'early_warning', 'import', source), at
    from labels_before;
drop table labels_before;
