-- The sealer: what has settled gets its number in the chain. What is hashed stands in docs/record.md, and
-- units/record/encoding.py does the same in Python.

-- name: find_last_batch()^
select number, first_number + entry_count - 1 as last_number, root, settled_below, cluster, sealed_at
from units.record_batches order by number desc limit 1;

-- name: find_horizon()^
-- Below `xmin` no transaction runs any more; from `xmax` on none has begun in this cluster.
select pg_snapshot_xmin(pg_current_snapshot()) as xmin, pg_snapshot_xmax(pg_current_snapshot()) as xmax,
       (select system_identifier from pg_control_system()) as cluster, clock_timestamp() as now;

-- name: add_to_chain(last_number, from_xid, below_xid, running_from, running_below, at_most)^
-- Entries of transactions in a range that are not chained yet. Those that may still run are left out; all others have
-- ended, so this statement sees every one of their entries.
with settled as materialized (
    select e.*, :last_number::bigint + row_number() over (order by e.xid, e.id, e.at) as number
    from units.record_entries e
    where e.xid >= :from_xid::xid8 and e.xid < :below_xid::xid8
      and not (e.xid >= :running_from::xid8 and e.xid < :running_below::xid8)
      -- Asked entry by entry: the chain may be a thousand times longer than what is new.
      and (select c.number from units.record_chain c where c.xid = e.xid and c.id = e.id and c.at = e.at) is null
    order by e.xid, e.id, e.at
    limit :at_most::bigint
), chained as (
    insert into units.record_chain (number, xid, id, at, hash)
    select number, xid, id, at,
           sha256(convert_to(concat(
               '1;', number, ';', xid, ';', id, ';', encode(timestamptz_send(at), 'hex'), ';',
               coalesce(length(officer_id::text) || ':' || officer_id::text, '-'), ';',
               coalesce(length(through) || ':' || through, '-'), ';',
               coalesce(length(unit_code) || ':' || unit_code, '-'), ';',
               coalesce(length(action) || ':' || action, '-'), ';',
               coalesce(length(object_kind) || ':' || object_kind, '-'), ';',
               coalesce(length(object_id) || ':' || object_id, '-'), ';',
               coalesce(length(address) || ':' || address, '-'), ';',
               coalesce(length(request_id) || ':' || request_id, '-'), ';',
               coalesce(length(details::text) || ':' || details::text, '-'), ';'
           ), 'UTF8'))
    from settled
    order by number
    returning number, xid, id, at, hash
)
select count(*) as entry_count, (select c.xid from chained c order by c.number desc limit 1) as last_xid,
       sha256(string_agg(int8send(number) || xid8send(xid) || int8send(id) || timestamptz_send(at) || hash, ''
                         order by number)) as leaves
from chained;

-- name: add_batch(number, first_number, entry_count, leaves, previous_root, settled_below, cluster, sealed_at)^
insert into units.record_batches (
    number, first_number, entry_count, leaves, previous_root, settled_below, cluster, sealed_at, root)
values (
    :number::bigint, :first_number::bigint, :entry_count::bigint, :leaves::bytea, :previous_root::bytea,
    :settled_below::xid8, :cluster::bigint, :sealed_at::timestamptz,
    sha256('\x01'::bytea || int8send(:number::bigint) || int8send(:first_number::bigint)
           || int8send(:entry_count::bigint) || :leaves::bytea || :previous_root::bytea
           || xid8send(:settled_below::xid8) || int8send(:cluster::bigint) || timestamptz_send(:sealed_at::timestamptz)))
returning root, first_number + entry_count - 1 as last_number;

-- name: lock_sealing(key)$
select pg_try_advisory_lock(:key);

-- name: find_waiting(from_xid)^
-- What is not chained yet: how many (at most so many are counted), and since when.
select count(*) as how_many, min(w.at) as since
from (select e.at from units.record_entries e
      where e.xid >= :from_xid::xid8
        and (select c.number from units.record_chain c where c.xid = e.xid and c.id = e.id and c.at = e.at) is null
      order by e.xid limit 10000) w;

-- name: find_holder()^
-- Who holds the chain back: the oldest transaction that has written and not ended, in whichever database.
select l.pid, p.gid as prepared_as, coalesce(a.xact_start, p.prepared) as since, coalesce(a.datname, p.database) as database,
       l.transactionid::text as xid
from pg_locks l
left join pg_stat_activity a on a.pid = l.pid
left join pg_prepared_xacts p on p.transaction = l.transactionid
where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted and l.pid is distinct from pg_backend_pid()
order by age(l.transactionid) desc
limit 1;

