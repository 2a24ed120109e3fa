-- Every judgement is found again, and counted, without its document being read.

-- What judgements are asked by. Written in the background, by whoever reads judgements after they
-- were made: nothing of it costs an order anything. The request stands where an outcome was not to
-- approve: an approved one is found by its order.
create table assessment_facts (
    id           text    not null primary key,
    checkout_id  text    not null,
    storefront   text    not null,
    outcome      text    not null,
    decided_by   text    not null,
    score        integer,
    currency     text,
    amount_minor integer,
    model        text,
    request      text,
    constraint assessment_facts_money_whole
        check ((currency is null) = (amount_minor is null))
) strict, without rowid;
create index assessment_facts_by_storefront on assessment_facts (storefront, id);
create index assessment_facts_by_outcome on assessment_facts (outcome, id)
    where outcome <> 'approve';
create index assessment_facts_by_request on assessment_facts (request) where request is not null;

-- Which rules matched.
create table rule_hits (
    rule          text    not null,
    assessment_id text    not null,
    version       integer not null,
    shadow        integer not null,
    constraint rule_hits_pkey primary key (rule, assessment_id)
) strict, without rowid;

-- What took part in payments that were declined before they began, each under its digest as in
-- `checkout_links`. Orders are not linked by it: a card tester would crowd out what links them.
create table declined_links (
    kind          integer not null,
    key           integer not null,
    assessment_id text    not null,
    constraint declined_links_pkey primary key (kind, key, assessment_id)
) strict, without rowid;

insert into link_places (name, upto) values ('facts', ''), ('facts_soon', ''), ('facts_again', '');
