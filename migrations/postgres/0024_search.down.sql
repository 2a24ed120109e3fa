delete from link_places where name in ('facts', 'facts_soon', 'facts_again');
drop table declined_links;
drop table rule_hits;
drop table assessment_facts;
