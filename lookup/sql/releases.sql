-- What makes results public, and what takes them down again.

-- name: lock_exam(exam_code)^
-- Two releases of one exam wait for each other.
select unit_code, withdrawn_generation from lookup.exams where code = :exam_code for update;

-- name: take_back_future_batches(exam_code, now)!
-- A release that has not opened yet gives its batches back to the one that replaces it.
update lookup.batches set generation = null
where exam_code = :exam_code and generation in (
    select generation from lookup.releases where exam_code = :exam_code and opens_at > :now);

-- name: remove_future_releases(exam_code, now)!
delete from lookup.releases where exam_code = :exam_code and opens_at > :now;

-- name: find_last_generation(exam_code)$
select coalesce(max(generation), 0) from lookup.releases where exam_code = :exam_code;

-- name: list_waiting_batches(exam_code)
select id from lookup.batches where exam_code = :exam_code and generation is null order by id;

-- name: take_up_batches(exam_code, generation, ids)
with taken as (
    update lookup.batches set generation = :generation
    where exam_code = :exam_code and generation is null and id = any (:ids::bigint[])
    returning id, result_count)
select id, result_count from taken order by id;

-- name: count_results(exam_code)$
select count(distinct candidate_number)
from lookup.results r join lookup.batches b on b.id = r.batch_id
where r.exam_code = :exam_code and b.generation is not null;

-- name: count_scores(exam_code)
-- How many had each score, among what the public will see: the latest taken-up version of each candidate.
with visible as (
    select distinct on (r.candidate_number) r.scores
    from lookup.results r join lookup.batches b on b.id = r.batch_id
    where r.exam_code = :exam_code and b.generation is not null
    order by r.candidate_number, r.version desc
)
select paper.position, paper.score, count(*) as how_many
from visible, unnest(visible.scores) with ordinality as paper (score, position)
where paper.score is not null
group by paper.position, paper.score
order by paper.position, paper.score;

-- name: add_release(exam_code, generation, opens_at, released_at, emergency_reason, result_count, distributions)!
insert into lookup.releases (
    exam_code, generation, opens_at, released_at, emergency_reason, result_count, distributions)
values (
    :exam_code, :generation, :opens_at, :released_at, :emergency_reason, :result_count, :distributions);

-- name: mark_withdrawn(exam_code, generation)!
update lookup.exams set withdrawn_generation = :generation where code = :exam_code;
