-- What the rules about units look at.

-- name: lock_tree()$
-- Changes of the tree come one after the other: two that are right by themselves could close a circle together.
select pg_advisory_xact_lock(7202613);

-- name: list_units_by_code(codes)
select u.code, u.name, u.short_name, u.name_en, u.managed_by, u.province_code, u.commune_code, u.address, u.closed_on,
       e.effective_on as began_on
from units.units u left join units.unit_events e on e.unit_code = u.code and e.what = 'added'
where u.code = any (:codes::text[])
order by u.code;

-- name: list_line(code)
-- The unit and everybody above it.
with recursive line as (
    select code, managed_by from units.units where code = :code
    union
    select u.code, u.managed_by from units.units u join line on u.code = line.managed_by
)
select code from line;

-- name: list_open_below(codes)
select code
from units.units
where managed_by = any (:codes::text[]) and closed_on is null and code <> all (:codes::text[])
order by code;
