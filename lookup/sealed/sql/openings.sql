-- Keys as web processes ask for them, and what they say of the files they hold.

-- name: list_opening_keys(ids)
select id, opening_key from lookup.bundles where id = any (:ids::bigint[]) and opening_key is not null;

-- name: tell_openings(process, ids, opened_at, problems)!
-- Nothing of releases that were replaced meanwhile, and their files with them.
insert into lookup.bundle_openings (process, bundle_id, opened_at, problem, told_at)
select :process, told.id, told.opened_at, told.problem, clock_timestamp()
from unnest(:ids::bigint[], :opened_at::timestamptz[], :problems::text[]) as told (id, opened_at, problem)
join lookup.bundles b on b.id = told.id
on conflict (process, bundle_id) do update set
    opened_at = excluded.opened_at, problem = excluded.problem, told_at = excluded.told_at;

-- name: forget_other_openings(process, ids)!
-- What the process does not hold any more, or held in an earlier life.
delete from lookup.bundle_openings where process = :process and bundle_id <> all (:ids::bigint[]);
