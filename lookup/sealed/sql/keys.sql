-- The keys of releases on their way to the nodes, and as slips.

-- name: list_openings(within, sent_within)
-- Newest files of releases that stand, whose moment has come or comes soon, and whose key nobody has sent, or just now.
select b.id, b.exam_code, b.generation, b.wrapped_key, r.opens_at, b.opening_key is not null as key_sent
from lookup.bundles b
join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
join lookup.exams e on e.code = b.exam_code
where b.state = 'stored' and b.generation > e.withdrawn_generation
    and r.opens_at <= clock_timestamp() + :within::interval
    and (b.opening_key is null or b.key_sent_at > clock_timestamp() - :sent_within::interval)
    and not exists (
        select from lookup.bundles n
        where n.exam_code = b.exam_code and n.generation = b.generation and n.id > b.id and n.state = 'stored')
order by r.opens_at, b.id;

-- name: read_clock()$
select clock_timestamp();

-- name: announce_key(bundle_id, channel, message)$
-- False before its moment, and when the release does not stand any more: then nobody was told.
select count(pg_notify(:channel, :message)) > 0
from lookup.bundles b
join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
join lookup.exams e on e.code = b.exam_code
where b.id = :bundle_id and b.generation > e.withdrawn_generation and r.opens_at <= clock_timestamp();

-- name: mark_key_sent(bundle_id, opening_key)^
-- Whose it was and when, for whoever was first; nothing for everybody else, and before its moment.
update lookup.bundles b set opening_key = :opening_key, key_sent_at = clock_timestamp()
from lookup.releases r, lookup.exams e
where b.id = :bundle_id and b.opening_key is null and b.state = 'stored'
    and r.exam_code = b.exam_code and r.generation = b.generation and e.code = b.exam_code
    and b.generation > e.withdrawn_generation and r.opens_at <= clock_timestamp()
returning b.exam_code, b.generation, e.unit_code, r.opens_at, b.key_sent_at;
