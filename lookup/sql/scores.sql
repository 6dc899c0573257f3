-- One candidate's result, as the public may see it.

-- name: find_result(exam_code, candidate_number, generation)^
-- The latest version within a generation. Its public number counts the generations that showed another one before.
select r.scores, r.marks, r.total, r.name, r.birth_date, r.pin_hash, b.reason, shown.opens_at as released_at,
       (select count(distinct earlier.generation)
        from lookup.results e join lookup.batches earlier on earlier.id = e.batch_id
        where e.exam_code = r.exam_code and e.candidate_number = r.candidate_number
          and earlier.generation <= b.generation) as version
from lookup.results r
join lookup.batches b on b.id = r.batch_id
join lookup.releases shown on shown.exam_code = b.exam_code and shown.generation = b.generation
where r.exam_code = :exam_code and r.candidate_number = :candidate_number and b.generation <= :generation
order by r.version desc
limit 1;
