-- Sealed files on their way to the nodes, who has which, and the keys that open them.

-- name: list_wanted_bundles(kept_for)
-- What every node must have: the newest file of each release that stands and was not replaced by a newer one that is
-- due, and what such a one has replaced for `kept_for` at most.
with standing as (
    select b.id, b.exam_code, b.generation, b.size, b.sha256, b.signed_by, r.opens_at, b.opening_key is not null as key_sent,
        least(
            (select min(n.stored_at) from lookup.bundles n
             where n.exam_code = b.exam_code and n.generation = b.generation and n.id > b.id and n.state = 'stored'),
            (select min(n.opens_at) from lookup.releases n
             where n.exam_code = b.exam_code and n.generation > b.generation)
        ) as replaced_at
    from lookup.bundles b
    join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
    join lookup.exams e on e.code = b.exam_code
    where b.state = 'stored' and b.generation > e.withdrawn_generation)
select id, exam_code, generation, size, sha256, signed_by, opens_at, key_sent from standing
where replaced_at is null or replaced_at > clock_timestamp() - :kept_for::interval
order by opens_at, id;

-- name: list_pieces(bundle_id)
-- Their sizes, without reading them.
select number, octet_length(content) as size from lookup.bundle_pieces where bundle_id = :bundle_id order by number;

-- name: find_piece(bundle_id, number)$
select content from lookup.bundle_pieces where bundle_id = :bundle_id and number = :number;

-- name: tell_holder(node, bundle_id, state, bytes_done, problem)!
-- Nothing where the release was replaced meanwhile, and its file with it.
insert into lookup.bundle_holders (node, bundle_id, state, bytes_done, problem, told_at)
select :node, id, :state, :bytes_done, :problem, clock_timestamp() from lookup.bundles where id = :bundle_id
on conflict (node, bundle_id) do update set
    state = excluded.state, bytes_done = excluded.bytes_done, problem = excluded.problem, told_at = excluded.told_at
where (bundle_holders.state, bundle_holders.bytes_done, bundle_holders.problem)
    is distinct from (excluded.state, excluded.bytes_done, excluded.problem);

-- name: forget_other_holdings(node, bundle_ids)!
-- What the node has no more.
delete from lookup.bundle_holders where node = :node and bundle_id <> all (:bundle_ids::bigint[]);

-- name: tell_worker(node, sends_keys, clock_difference_ms)$
-- Returns the time by this clock.
insert into lookup.node_workers (node, sends_keys, clock_difference_ms, told_at)
values (:node, :sends_keys, :clock_difference_ms, clock_timestamp())
on conflict (node) do update set
    sends_keys = excluded.sends_keys, clock_difference_ms = excluded.clock_difference_ms, told_at = excluded.told_at
returning clock_timestamp();

-- name: forget_worker(node)!
delete from lookup.node_workers where node = :node;

-- name: forget_silent_workers(remembered_for)!
delete from lookup.node_workers where told_at < clock_timestamp() - :remembered_for::interval;

-- name: forget_holders_without_worker()!
delete from lookup.bundle_holders h where not exists (select from lookup.node_workers w where w.node = h.node);

-- name: remove_spare_pieces(kept_for)!
-- Of what was taken down, what failed, and what was replaced a while ago: no node asks for them any more.
delete from lookup.bundle_pieces p using lookup.bundles b, lookup.exams e
where b.id = p.bundle_id and e.code = b.exam_code and b.state <> 'building' and (
    b.state = 'failed'
    or b.generation <= e.withdrawn_generation
    or exists (
        select from lookup.bundles n
        where n.exam_code = b.exam_code and n.generation = b.generation and n.id > b.id and n.state = 'stored'
            and n.stored_at < clock_timestamp() - :kept_for::interval)
    or exists (
        select from lookup.releases n
        where n.exam_code = b.exam_code and n.generation > b.generation
            and n.opens_at < clock_timestamp() - :kept_for::interval));

-- name: list_workers(remembered_for)
select node, sends_keys, clock_difference_ms, clock_timestamp() - told_at as silent_for
from lookup.node_workers
where told_at > clock_timestamp() - :remembered_for::interval
order by node;

-- name: list_bundles_of(exam_code)
-- All files that were ever made for the releases of an exam, the oldest first. `stands`: neither taken down nor replaced.
select b.id, b.generation, b.state, b.begun_at, b.stored_at, b.results_done, b.result_count, b.size, b.problem,
    b.key_sent_at, r.opens_at, r.wants_slip,
    b.generation > e.withdrawn_generation and not exists (
        select from lookup.bundles n
        where n.exam_code = b.exam_code and n.generation = b.generation and n.id > b.id and n.state = 'stored') as stands
from lookup.bundles b
join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
join lookup.exams e on e.code = b.exam_code
where b.exam_code = :exam_code
order by b.id;

-- name: list_holders_of(exam_code)
select h.node, h.bundle_id, h.state, h.bytes_done, h.problem, h.told_at
from lookup.bundle_holders h join lookup.bundles b on b.id = h.bundle_id
where b.exam_code = :exam_code
order by h.node, h.bundle_id;

-- name: list_openings_of(exam_code)
select o.process, o.bundle_id, o.opened_at, o.problem, o.told_at
from lookup.bundle_openings o join lookup.bundles b on b.id = o.bundle_id
where b.exam_code = :exam_code
order by o.process, o.bundle_id;

-- name: list_doubts(node)
-- What a web process of the node has stumbled over.
select distinct o.bundle_id from lookup.bundle_openings o
where split_part(o.process, '/', 1) = :node and o.problem is not null;
