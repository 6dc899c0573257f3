-- What looked like collecting or guessing: counts by exam, pattern and hour, and nothing about anybody.

-- name: add_sighting(exam_code, pattern, first_at, last_at, lookups, challenged, slowed, answered)!
-- Every web process adds its own.
insert into lookup.sightings as s
    (exam_code, pattern, hour, first_at, last_at, lookups, challenged, slowed, answered)
values (:exam_code, :pattern, date_trunc('hour', (:first_at)::timestamptz), :first_at, :last_at, :lookups, :challenged,
    :slowed, :answered)
on conflict (exam_code, pattern, hour) do update set
    first_at = least(s.first_at, excluded.first_at),
    last_at = greatest(s.last_at, excluded.last_at),
    lookups = s.lookups + excluded.lookups,
    challenged = s.challenged + excluded.challenged,
    slowed = s.slowed + excluded.slowed,
    answered = s.answered + excluded.answered;

-- name: list_sightings(exam_codes, most)
select exam_code, pattern, first_at, last_at, lookups, challenged, slowed, answered
from lookup.sightings
where exam_code = any(:exam_codes)
order by last_at desc, exam_code, pattern
limit :most;

-- name: forget_sightings(before)!
delete from lookup.sightings where hour < :before;
