-- The making of sealed files: what is read for one, and what is told of it.

-- name: find_release(exam_code, generation)^
-- A release that still stands. `sealed_at`: when the newest of its files that lie here was begun.
select r.opens_at, r.result_count, r.distributions::text as distributions,
    (select max(b.begun_at) from lookup.bundles b
     where b.exam_code = r.exam_code and b.generation = r.generation and b.state = 'stored') as sealed_at,
    (select count(*) from lookup.bundles b
     where b.exam_code = r.exam_code and b.generation = r.generation and b.state = 'failed') as failures
from lookup.releases r join lookup.exams e on e.code = r.exam_code
where r.exam_code = :exam_code and r.generation = :generation and r.generation > e.withdrawn_generation;

-- name: list_unsealed_releases()
-- Releases that stand and have no file: those of the future, and the one that the public sees.
select r.exam_code, r.generation
from lookup.releases r join lookup.exams e on e.code = r.exam_code
where r.generation > e.withdrawn_generation
    and not exists (
        select from lookup.bundles b
        where b.exam_code = r.exam_code and b.generation = r.generation and b.state = 'stored')
    and not exists (
        select from lookup.releases n
        where n.exam_code = r.exam_code and n.generation > r.generation and n.opens_at <= clock_timestamp())
order by r.opens_at;

-- name: list_sealed_pin_releases()
-- Releases that stand, of exams whose results are asked for with a lookup code.
select r.exam_code, r.generation
from lookup.releases r join lookup.exams e on e.code = r.exam_code
where e.policy = 'pin' and r.generation > e.withdrawn_generation
    and not exists (
        select from lookup.releases n
        where n.exam_code = r.exam_code and n.generation > r.generation and n.opens_at <= clock_timestamp())
order by r.opens_at;

-- name: remove_abandoned(exam_code)
-- What a builder has left that was killed: only one builds for an exam at a time.
delete from lookup.bundles where exam_code = :exam_code and state = 'building' returning id;

-- name: add_bundle(exam_code, generation, result_count)^
insert into lookup.bundles (exam_code, generation, state, begun_at, result_count)
values (:exam_code, :generation, 'building', clock_timestamp(), :result_count)
returning id, begun_at;

-- name: list_batches(exam_code, generation)
-- What a generation shows, batch by batch: since when, and why.
select b.id, b.generation, b.reason, shown.opens_at as released_at
from lookup.batches b
join lookup.releases shown on shown.exam_code = b.exam_code and shown.generation = b.generation
where b.exam_code = :exam_code and b.generation <= :generation
order by b.id;

-- name: list_marks(exam_code, batches)
-- Each mark that somebody has.
select distinct paper.mark
from lookup.results r cross join unnest(r.marks) as paper (mark)
where r.exam_code = :exam_code and r.batch_id = any (:batches::bigint[]) and paper.mark is not null
order by paper.mark;

-- name: find_middle(exam_code)$
-- A candidate number with about as many results before it as behind it; none where there are few.
select candidate_number
from lookup.results
where exam_code = :exam_code
order by candidate_number
offset (select count(*) / 2 from lookup.results where exam_code = :exam_code)
limit 1;

-- name: list_rows(exam_code, batches, first, beyond, with_names)
-- All versions of each candidate from number `first` on and before number `beyond` (null: all), the last version last.
select candidate_number, batch_id, array_to_string(scores, ',', ''), array_to_string(marks, ',', ''), total,
    case when :with_names::boolean then name end, birth_date, encode(pin_hash, 'hex')
from lookup.results
where exam_code = :exam_code and batch_id = any (:batches::bigint[])
    and (:first::text is null or candidate_number >= :first::text)
    and (:beyond::text is null or candidate_number < :beyond::text)
order by candidate_number, version;

-- name: mark_progress(bundle_id, results_done)$
-- Nothing where the release was replaced meanwhile, or taken down.
update lookup.bundles b set results_done = :results_done
from lookup.exams e
where b.id = :bundle_id and e.code = b.exam_code and b.generation > e.withdrawn_generation
returning b.id;

-- name: lock_exam(exam_code)^
-- Whoever releases, withdraws or stores a file of one exam waits for the other.
select unit_code, withdrawn_generation from lookup.exams where code = :exam_code for update;

-- name: mark_stored(bundle_id, now, result_count, size, sha256, signed_by, wrapped_key)$
update lookup.bundles set state = 'stored', stored_at = :now, results_done = :result_count,
    result_count = :result_count, size = :size, sha256 = :sha256, signed_by = :signed_by, wrapped_key = :wrapped_key
where id = :bundle_id
returning id;

-- name: mark_sealed(exam_code, generation, now)!
update lookup.releases set sealed_at = :now
where exam_code = :exam_code and generation = :generation and sealed_at is null;

-- name: remove_failures(exam_code, generation)!
delete from lookup.bundles where exam_code = :exam_code and generation = :generation and state = 'failed';

-- name: mark_failed(bundle_id, problem)!
update lookup.bundles set state = 'failed', problem = :problem where id = :bundle_id;

-- name: remove_pieces(bundle_id)!
delete from lookup.bundle_pieces where bundle_id = :bundle_id;

-- name: remove_bundle(bundle_id)!
delete from lookup.bundles where id = :bundle_id;
