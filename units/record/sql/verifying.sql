-- Checking the record: rows as they stand, compared in Python.

-- name: list_batches_after(number, at_most)
select number, first_number, entry_count, leaves, previous_root, root, settled_below, cluster, sealed_at
from units.record_batches where number > :number order by number limit :at_most::integer;

-- name: find_batch_before(sealed_at)^
-- The last batch that was sealed before a moment.
select number, first_number, entry_count, root, cluster
from units.record_batches where sealed_at < :sealed_at::text::timestamptz order by number desc limit 1;

-- name: list_places_after(number, at_most)
-- A stretch of the chain, each place with its entry, if that is there.
select c.number, c.xid, c.id, c.at, c.hash, e.xid is not null as is_there, e.officer_id, e.through, e.unit_code,
       e.action, e.object_kind, e.object_id, e.address, e.request_id, e.details
from (select * from units.record_chain where number > :number order by number limit :at_most::integer) c
left join units.record_entries e on e.xid = c.xid and e.id = c.id and e.at = c.at
order by c.number, c.xid, c.id;

-- name: find_horizon()^
select pg_snapshot_xmin(pg_current_snapshot()) as xmin, pg_snapshot_xmax(pg_current_snapshot()) as xmax;

-- name: count_unchained(since, xmin, xmax)^
-- Entries that are not in the chain and could have been at that horizon: how many, and the first of them.
select count(*) as how_many, min(e.at) as first_at
from units.record_entries e
left join units.record_chain c on c.xid = e.xid and c.id = e.id and c.at = e.at
where c.number is null and (:since::text is null or e.at >= :since::text::timestamptz)
  and (e.xid < :xmin::xid8 or e.xid >= :xmax::xid8);

-- name: count_still_running(xmin, xmax)$
-- Entries of transactions after the oldest one that runs.
select count(*) from units.record_entries where xid >= :xmin::xid8 and xid < :xmax::xid8;

-- name: list_roots(numbers)
select number, root, first_number + entry_count - 1 as last_number from units.record_batches
where number = any (:numbers::bigint[]);

-- name: add_check(checked_at, entry_count, head_number, finding_count, first_number, first_problem, seconds)!
insert into units.record_checks (
    checked_at, entry_count, head_number, finding_count, first_number, first_problem, seconds)
values (:checked_at, :entry_count, :head_number, :finding_count, :first_number, :first_problem, :seconds);

-- name: find_last_check()^
select checked_at, entry_count, head_number, finding_count, first_number, first_problem, seconds
from units.record_checks order by number desc limit 1;
