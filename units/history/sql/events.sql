-- What happened to units, and what they were called before.

-- name: add_event(unit_code, what, effective_on, decision_number, before, after, successor, made_at)$
insert into units.unit_events (
    unit_code, what, effective_on, decision_number, before, after, successor, made_at)
values (
    :unit_code, :what, :effective_on, :decision_number, :before::text::jsonb, :after::text::jsonb, :successor, :made_at)
returning id;

-- name: list_events(code)
-- Its own, and the mergers by which others came to it. What was there before the record comes first.
select unit_code, what, effective_on, decision_number, before, after, successor, made_at
from units.unit_events
where unit_code = :code or successor = :code
order by effective_on nulls first, id;

-- name: list_former_names(code)
select name, short_name, name_en, until
from units.former_names
where unit_code = :code
order by until desc, event_id desc;

-- name: list_units_by_name(patterns, code, most)
-- One line for a unit, by the name that fits best; followed to the unit that answers for it today.
with recursive fitting as (
    select code, null::text as former_name, 1 as place
    from units.units
    where search_key like all (:patterns::text[])
    union all
    select unit_code, name, 2
    from units.former_names
    where search_key like all (:patterns::text[])
    union all
    select code, null, 3
    from units.units
    where code = :code
), chosen as (
    select distinct on (f.code) f.code, u.name, f.former_name, u.closed_on
    from fitting f join units.units u on u.code = f.code
    order by f.code, f.place, length(f.former_name)
), best as (
    select * from chosen
    order by closed_on is not null, former_name is not null, length(coalesce(former_name, name)), code
    limit :most
), heirs as (
    select b.code, u.code as heir, u.name as heir_name, u.succeeded_by
    from best b join units.units u on u.code = b.code
    union all
    select h.code, u.code, u.name, u.succeeded_by
    from heirs h join units.units u on u.code = h.succeeded_by
)
select b.code, b.name, b.former_name, b.closed_on, h.heir, h.heir_name
from best b join heirs h on h.code = b.code and h.succeeded_by is null
order by b.closed_on is not null, b.former_name is not null, length(coalesce(b.former_name, b.name)), b.code;
