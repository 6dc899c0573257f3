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
returning b.exam_code, b.generation, e.unit_code, greatest(r.opens_at, b.stored_at) as due_at, b.key_sent_at;

-- name: ask_for_slip(exam_code, generation)!
update lookup.releases set wants_slip = true where exam_code = :exam_code and generation = :generation;

-- name: list_slips_to_make()
-- Asked for, and its file lies here; the key has not been sent.
select b.id, b.exam_code, b.generation, b.wrapped_key
from lookup.bundles b
join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
join lookup.exams e on e.code = b.exam_code
where r.wants_slip and b.state = 'stored' and b.opening_key is null and b.generation > e.withdrawn_generation
    and not exists (select from lookup.key_slips s where s.bundle_id = b.id)
    and not exists (
        select from lookup.bundles n
        where n.exam_code = b.exam_code and n.generation = b.generation and n.id > b.id and n.state = 'stored');

-- name: add_slip(bundle_id, slip)!
insert into lookup.key_slips (bundle_id, slip, made_at) values (:bundle_id, :slip, clock_timestamp())
on conflict do nothing;

-- name: erase_useless_slips()!
-- Once the key is out, or never goes out, paper opens nothing.
update lookup.key_slips s set slip = null
from lookup.bundles b join lookup.exams e on e.code = b.exam_code
where b.id = s.bundle_id and s.slip is not null and (
    b.opening_key is not null or b.generation <= e.withdrawn_generation
    or exists (
        select from lookup.bundles n
        where n.exam_code = b.exam_code and n.generation = b.generation and n.id > b.id and n.state = 'stored'));

-- name: find_slip_of(exam_code)^
-- The slip of the coming release that wants one, made already or not.
select b.id as bundle_id, r.generation, r.opens_at, s.made_at, s.slip is not null as lies_ready, s.fetched_at,
    s.fetched_by::text as fetched_by, b.opening_key is not null as is_open
from lookup.releases r
join lookup.exams e on e.code = r.exam_code
left join lateral (
    select id, opening_key from lookup.bundles
    where exam_code = r.exam_code and generation = r.generation and state = 'stored' order by id desc limit 1
) b on true
left join lookup.key_slips s on s.bundle_id = b.id
where r.exam_code = :exam_code and r.wants_slip and r.generation > e.withdrawn_generation
order by r.generation desc limit 1;

-- name: lock_slip(bundle_id)^
select s.slip, b.exam_code, b.generation, r.opens_at
from lookup.key_slips s
join lookup.bundles b on b.id = s.bundle_id
join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
join lookup.exams e on e.code = b.exam_code
where s.bundle_id = :bundle_id and b.generation > e.withdrawn_generation
for update of s;

-- name: mark_slip_fetched(bundle_id, officer_id, now)!
update lookup.key_slips set slip = null, fetched_at = :now, fetched_by = :officer_id::text::uuid
where bundle_id = :bundle_id;

-- name: find_release_of_bundle(bundle_id)^
select b.exam_code, b.generation, e.unit_code, b.generation > e.withdrawn_generation as stands, r.opens_at
from lookup.bundles b
join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
join lookup.exams e on e.code = b.exam_code
where b.id = :bundle_id;
