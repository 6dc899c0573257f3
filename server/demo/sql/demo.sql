-- The fictional demo department: how its results get in, and whom a visitor may look up.

-- name: add_batch(exam_code, imported_at, file_name, file_sha256, reason, result_count)$
insert into lookup.batches (exam_code, imported_at, file_name, file_sha256, reason, result_count)
values (:exam_code, :imported_at, :file_name, :file_sha256, :reason, :result_count)
returning id;

-- name: list_examples(exam_codes)
-- Of each exam its first candidate who missed nothing, the first corrected one, and the first who missed a paper.
select e.code, e.policy, example.candidate_number, example.birth_date, example.shows
from lookup.exams e
cross join lateral (
    (select 1 as place, 'result' as shows, candidate_number, birth_date
     from lookup.results
     where exam_code = e.code and version = 1 and not coalesce('absent' = any (marks), false)
     order by candidate_number limit 1)
    union all
    (select 2, 'corrected', candidate_number, birth_date
     from lookup.results
     where exam_code = e.code and version = 2
     order by candidate_number limit 1)
    union all
    (select 3, 'absent', candidate_number, birth_date
     from lookup.results
     where exam_code = e.code and version = 1 and 'absent' = any (marks)
     order by array_remove(scores, null) = '{}', candidate_number limit 1)
) example
where e.code = any(:exam_codes)
order by array_position(:exam_codes, e.code), example.place;
