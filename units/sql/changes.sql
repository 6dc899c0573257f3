-- What nodes must hear of, and what they have heard.

-- name: add_change(about, code, what, reason, made_at)$
-- Numbers are given out one after the other (the lock), so that whoever saw a number has seen all before it.
with turn as materialized (select pg_advisory_xact_lock(7202612)),
     made as (
        insert into units.changes (about, code, what, reason, made_at)
        select :about, :code, :what, :reason, :made_at from turn
        returning number)
select number from made, lateral (select pg_notify('baodanh_change', number::text)) as told;

-- name: find_last_change()$
select coalesce(max(number), 0) from units.changes;

-- name: look_at_changes()^
-- With the time by this clock, so that a node can compare its own.
select (select coalesce(max(number), 0) from units.changes) as last_change, clock_timestamp() as clock;

-- name: find_last_change_of_units()$
select coalesce(max(number), 0) from units.changes where about = 'unit';

-- name: record_node(name, applied_change, clock_difference_ms)!
insert into units.nodes (name, applied_change, seen_at, clock_difference_ms)
values (:name, :applied_change, clock_timestamp(), :clock_difference_ms)
on conflict (name) do update set
    applied_change = excluded.applied_change, seen_at = excluded.seen_at,
    clock_difference_ms = excluded.clock_difference_ms;

-- name: remove_node(name)!
delete from units.nodes where name = :name;

-- name: list_nodes(remembered_for)
-- Nodes heard of within the interval, what they have applied, and for how long they have been silent.
select name, applied_change, clock_timestamp() - seen_at as silent_for, clock_difference_ms
from units.nodes
where seen_at > clock_timestamp() - :remembered_for::interval
order by name;
