-- The lookup codes that a unit prints and hands out.

-- name: list_candidates(exam_code)
-- Every candidate once, by the latest version; whether a code came with a file.
select distinct on (candidate_number) candidate_number, name, pin_hash is not null as has_own_pin
from lookup.results
where exam_code = :exam_code
order by candidate_number, version desc;
