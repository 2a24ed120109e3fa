-- PostgreSQL keeps the two halves of a commit as functions, for one round trip each. Here they are
-- statements of the program: there is nothing to travel. The number is kept so that both agree.
select 1;
