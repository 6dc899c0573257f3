-- Months of the record: made ahead by whoever runs, dropped by the owner alone.

-- name: make_segments()
select units.make_record_segment((now() + make_interval(months => ahead))::date) as made
from generate_series(0, 3) ahead;

-- name: find_segment(name)$
select to_regclass('units.' || quote_ident(:name::text))::text;

-- name: count_month(first, next)^
select count(*) as entries, count(c.number) as chained, min(c.number) as first_number, max(c.number) as last_number
from units.record_entries e
left join units.record_chain c on c.xid = e.xid and c.id = e.id and c.at = e.at
where e.at >= :first::text::timestamptz and e.at < :next::text::timestamptz;

-- name: list_month(first, next, after, at_most)
-- Everything that the hash covers, as text.
select c.number, encode(c.hash, 'hex') as hash, e.xid::text as xid, e.id, encode(timestamptz_send(e.at), 'hex') as at,
       e.officer_id::text as officer_id, e.through, e.unit_code, e.action, e.object_kind, e.object_id, e.address,
       e.request_id, e.details::text as details
from units.record_entries e
join units.record_chain c on c.xid = e.xid and c.id = e.id and c.at = e.at
where e.at >= :first::text::timestamptz and e.at < :next::text::timestamptz and c.number > :after
order by c.number limit :at_most::integer;

-- name: remove_month_elsewhere(first, next)!
delete from units.record_entries_elsewhere
where at >= :first::text::timestamptz and at < :next::text::timestamptz;

-- name: find_dropped_months()$
-- Every drop of a segment tells all months that were dropped so far: the last one knows.
select details ->> 'dropped_so_far' from units.record_entries
where action = 'record.segment_dropped' order by at desc limit 1;

-- name: find_last_droppable(kept)$
-- The last month that ended so many whole months ago.
select to_char(date_trunc('month', now() at time zone 'Asia/Ho_Chi_Minh')
               - make_interval(months => :kept::integer + 1), 'YYYY-MM');
