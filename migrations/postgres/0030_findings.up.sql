-- What was found out about an order says who found it out and what else they know, and may be an
-- issuer's early warning; a rule may be removed, which is its last version.
alter table labels
    drop constraint labels_source,
    add constraint labels_source
        check (source in ('reviewer', 'dispute', 'early_warning', 'refund', 'import')),
    add column author text,
    add column reason text,
    add column note text,
    add column amount_minor bigint,
    add column currency text,
    add constraint labels_amount check ((amount_minor is null) = (currency is null));

alter table rule_versions add column removed boolean not null default false;
