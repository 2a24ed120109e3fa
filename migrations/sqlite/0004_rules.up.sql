-- Rules over what is known of an order, the lists they look up, and whom they pass over.

-- Every change of any of them is one row here, for ever: its number is the version of the whole
-- rulebook, by which replicas see that they have to read again.
create table rulebook_changes (
    version integer not null,
    what    text   not null,
    name    text   not null,
    change  text  not null,
    author  text   not null,
    at      text not null,
    constraint rulebook_changes_pkey primary key (version),
    constraint rulebook_changes_version_positive check (version > 0),
    constraint rulebook_changes_what
        check (what in ('rule', 'list', 'entries', 'entry_removed', 'snooze', 'snooze_ended'))
) strict;
create index rulebook_changes_by_name on rulebook_changes (name, version);

create table rule_versions (
    name       text   not null,
    version    integer not null,
    expression text   not null,
    action     text   not null,
    pass       text   not null,
    mode       text   not null,
    reason     text   not null,
    author     text   not null,
    updated_at text not null,
    constraint rule_versions_pkey primary key (name, version),
    constraint rule_versions_version_positive check (version > 0),
    constraint rule_versions_action check (action in ('challenge', 'allow', 'block', 'review')),
    constraint rule_versions_pass check (pass in ('before', 'after')),
    constraint rule_versions_mode check (mode in ('off', 'shadow', 'live'))
) strict;

create table rule_lists (
    name       text not null,
    kind       text not null,
    note       text not null,
    author     text not null,
    created_at text not null,
    constraint rule_lists_pkey primary key (name),
    constraint rule_lists_kind check (kind in
        ('card', 'bin', 'email', 'domain', 'ip', 'device', 'address', 'customer'))
) strict;

create table rule_list_entries (
    list       text not null,
    value      text not null,
    expires_at text,
    note       text not null,
    author     text not null,
    added_at   text not null,
    constraint rule_list_entries_pkey primary key (list, value),
    constraint rule_list_entries_list foreign key (list) references rule_lists (name)
) strict;

create table rule_snoozes (
    rule   text not null,
    kind   text not null,
    value  text not null,
    until  text not null,
    reason text not null,
    author text not null,
    at     text not null,
    constraint rule_snoozes_pkey primary key (rule, kind, value),
    constraint rule_snoozes_kind check (kind in
        ('card', 'bin', 'email', 'domain', 'ip', 'device', 'address', 'customer'))
) strict;
