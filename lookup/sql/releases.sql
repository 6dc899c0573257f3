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

-- name: count_results(exam_code, ids)$
-- What was taken up, and these batches.
select count(distinct candidate_number)
from lookup.results r join lookup.batches b on b.id = r.batch_id
where r.exam_code = :exam_code and (b.generation is not null or b.id = any (:ids::bigint[]));

-- name: count_scores(exam_code, ids)
-- How many had each score, among what the public will see: the latest version of each candidate in what was taken up
-- and in these batches.
with visible as (
    select distinct on (r.candidate_number) r.scores
    from lookup.results r join lookup.batches b on b.id = r.batch_id
    where r.exam_code = :exam_code and (b.generation is not null or b.id = any (:ids::bigint[]))
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

-- name: count_release_changes(exam_code, ids, generation)^
-- These batches beside what the public saw up to a generation: new candidates, changed results, and those that had
-- scores and have none any more.
with before as (
    select distinct on (r.candidate_number) r.candidate_number, r.scores, r.marks, r.total
    from lookup.results r join lookup.batches b on b.id = r.batch_id
    where r.exam_code = :exam_code and b.generation <= :generation
    order by r.candidate_number, r.version desc
), fresh as (
    select distinct on (r.candidate_number) r.candidate_number, r.scores, r.marks, r.total, r.birth_date
    from lookup.results r
    where r.exam_code = :exam_code and r.batch_id = any (:ids::bigint[])
    order by r.candidate_number, r.version desc
)
select count(*) filter (where before.candidate_number is null) as new,
    count(*) filter (
        where before.candidate_number is not null
            and (before.scores, before.marks, before.total) is distinct from (fresh.scores, fresh.marks, fresh.total))
        as changed,
    count(*) filter (
        where array_remove(before.scores, null) <> '{}' and array_remove(fresh.scores, null) = '{}') as emptied,
    count(*) filter (where fresh.birth_date is null) as without_birth_date
from fresh left join before using (candidate_number);

-- name: count_release_papers(exam_code, ids, generation)
-- The same by paper, as `count_changed_papers` counts an import.
with before as (
    select distinct on (r.candidate_number) r.candidate_number, r.scores, r.marks
    from lookup.results r join lookup.batches b on b.id = r.batch_id
    where r.exam_code = :exam_code and b.generation <= :generation
    order by r.candidate_number, r.version desc
), fresh as (
    select distinct on (r.candidate_number) r.candidate_number, r.scores, r.marks
    from lookup.results r
    where r.exam_code = :exam_code and r.batch_id = any (:ids::bigint[])
    order by r.candidate_number, r.version desc
)
select paper.position::smallint as position,
    count(*) filter (where paper.after > paper.before) as higher,
    count(*) filter (where paper.after < paper.before) as lower,
    count(*) filter (where paper.before is null and paper.mark_before is null) as added,
    count(*) filter (where paper.after is null and paper.mark_after is null) as removed,
    count(*) filter (
        where (paper.before is null or paper.after is null)
            and coalesce(paper.before::text, paper.mark_before) is not null
            and coalesce(paper.after::text, paper.mark_after) is not null) as other,
    max(abs(paper.after - paper.before)) as largest
from fresh join before using (candidate_number)
    cross join lateral unnest(before.scores, fresh.scores, before.marks, fresh.marks)
        with ordinality as paper (before, after, mark_before, mark_after, position)
where (paper.before, paper.mark_before) is distinct from (paper.after, paper.mark_after)
group by paper.position
order by paper.position;
