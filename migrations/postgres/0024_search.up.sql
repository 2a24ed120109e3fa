-- Every judgement is found again, and counted, without its document being read.

-- What judgements are asked by. Written in the background, by whoever reads judgements after they
-- were made: nothing of it costs an order anything. The request stands where an outcome was not to
-- approve: an approved one is found by its order.
create table assessment_facts (
    id           uuid     primary key,
    checkout_id  uuid     not null,
    storefront   text     collate "C" not null,
    outcome      text     not null,
    decided_by   text     not null,
    score        smallint,
    currency     text,
    amount_minor bigint,
    model        text,
    request      text     collate "C",
    constraint assessment_facts_money_whole
        check ((currency is null) = (amount_minor is null))
);
create index assessment_facts_by_storefront on assessment_facts (storefront, id);
create index assessment_facts_by_outcome on assessment_facts (outcome, id)
    where outcome <> 'approve';
create index assessment_facts_by_request on assessment_facts (request) where request is not null;

-- Which rules matched.
create table rule_hits (
    rule          text    collate "C" not null,
    assessment_id uuid    not null,
    version       integer not null,
    shadow        boolean not null,
    constraint rule_hits_pkey primary key (rule, assessment_id)
);

-- What took part in payments that were declined before they began, each under its digest as in
-- `checkout_links`. Orders are not linked by it: a card tester would crowd out what links them.
create table declined_links (
    kind          smallint not null,
    key           bigint   not null,
    assessment_id uuid     not null,
    constraint declined_links_pkey primary key (kind, key, assessment_id)
);

insert into link_places (name, upto) values
    ('facts', '00000000-0000-0000-0000-000000000000'),
    ('facts_soon', '00000000-0000-0000-0000-000000000000'),
    ('facts_again', '00000000-0000-0000-0000-000000000000');
