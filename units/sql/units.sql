-- Who takes part, and how the public reaches them.

-- name: list_units()
-- The root first, then by code; the columns in the order of Unit. A unit without a colour of its own wears the root's.
select u.code, u.kind, u.name, u.short_name, u.name_en, u.managed_by, u.province_code, u.commune_code,
       u.governing_body, u.responsible_person, u.address, u.hotline, u.email, u.website, u.closed_on, u.succeeded_by,
       coalesce(own.accent, (select l.accent from units.looks l join units.units r on r.code = l.unit_code
                             where r.managed_by is null)) as accent, own.logo
from units.units u left join units.looks own on own.unit_code = u.code
order by u.managed_by is not null, u.code;

-- name: find_root_unit_code()$
select code from units.units where managed_by is null;

-- name: lock_unit(code)^
select name, short_name, name_en, managed_by, province_code, commune_code, governing_body, responsible_person, address,
       hotline, email, website, closed_on
from units.units
where code = :code
for update;

-- name: count_decisions(code)$
select count(*) from units.unit_events where unit_code = :code and decision_number is not null;

-- name: describe_unit(code, name, short_name, name_en, province_code, commune_code, governing_body, responsible_person, address, hotline, email, website, search_key)!
update units.units set
    name = :name,
    short_name = :short_name,
    name_en = :name_en,
    province_code = :province_code,
    commune_code = :commune_code,
    governing_body = :governing_body,
    responsible_person = :responsible_person,
    address = :address,
    hotline = :hotline,
    email = :email,
    website = :website,
    search_key = :search_key
where code = :code;
