alter table rule_versions drop column removed;

update labels set source = 'import' where source = 'early_warning';
alter table labels
    drop constraint labels_amount,
    drop column currency,
    drop column amount_minor,
    drop column note,
    drop column reason,
    drop column author,
    drop constraint labels_source,
    add constraint labels_source check (source in ('reviewer', 'dispute', 'refund', 'import'));
