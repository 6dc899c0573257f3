-- The batches of an exam: what was brought in, by whom, and whether it is public.

-- name: list_batches(exam_code)
-- The newest first; `authors` sent the file or said that it is to be imported.
select b.id, b.imported_at, b.file_name, b.reason, b.result_count, b.generation, r.opens_at,
    array(
        select distinct author::text
        from unnest(array[b.uploaded_by] || array(
            select u.uploaded_by from lookup.uploads u where u.batch_id = b.id)) as author
        where author is not null) as authors
from lookup.batches b
    left join lookup.releases r on r.exam_code = b.exam_code and r.generation = b.generation
where b.exam_code = :exam_code
order by b.id desc;

-- name: lock_batches(exam_code)
select id, generation, result_count from lookup.batches where exam_code = :exam_code order by id for update;

-- name: remove_results_of(batch_id)!
delete from lookup.results where batch_id = :batch_id;

-- name: list_uploads_of(batch_id)
select id::text from lookup.uploads where batch_id = :batch_id;

-- name: mark_taken_back(upload_id)!
update lookup.uploads set state = 'discarded', batch_id = null where id = :upload_id::text::uuid;

-- name: remove_batch(batch_id)!
delete from lookup.batches where id = :batch_id;

-- name: count_candidates(exam_code)$
select count(distinct candidate_number) from lookup.results where exam_code = :exam_code;

-- name: list_exam_counts(exam_codes)
-- For a list: batches that wait, results in the last release.
select e.code,
    (select count(*) from lookup.batches b where b.exam_code = e.code and b.generation is null) as waiting,
    (select r.result_count from lookup.releases r where r.exam_code = e.code order by r.generation desc limit 1)
        as results
from lookup.exams e
where e.code = any (:exam_codes::text[]);

-- name: list_release_facts(exam_code)
-- Every release with what it held.
select generation, opens_at, released_at, emergency_reason, result_count
from lookup.releases
where exam_code = :exam_code
order by generation;

-- name: list_withdrawals(exam_code)
-- When and why results were taken down.
select number, made_at, reason from units.changes
where about = 'exam' and code = :exam_code and what = 'withdrawn'
order by number;
