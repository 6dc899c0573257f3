-- Who takes part, and how the public reaches them.

-- name: list_units()
-- The root first, then by code. A unit without a colour of its own wears the root's.
select u.code, u.kind, u.name, u.short_name, u.name_en, u.managed_by, u.province_code, u.commune_code,
       u.governing_body, u.responsible_person, u.address, u.hotline, u.email, u.website, u.closed_on, u.succeeded_by,
       coalesce(own.accent, (select l.accent from units.looks l join units.units r on r.code = l.unit_code
                             where r.managed_by is null)) as accent, own.logo
from units.units u left join units.looks own on own.unit_code = u.code
order by u.managed_by is not null, u.code;

-- name: find_root_unit_code()$
select code from units.units where managed_by is null;

-- name: describe_unit(code, name, short_name, name_en, governing_body, responsible_person, address, hotline, email, website)!
-- Null leaves a fact as it stands.
update units.units set
    name = coalesce(:name, name),
    short_name = coalesce(:short_name, short_name),
    name_en = coalesce(:name_en, name_en),
    governing_body = coalesce(:governing_body, governing_body),
    responsible_person = coalesce(:responsible_person, responsible_person),
    address = coalesce(:address, address),
    hotline = coalesce(:hotline, hotline),
    email = coalesce(:email, email),
    website = coalesce(:website, website)
where code = :code;

-- name: add_unit(code, kind, name, short_name, name_en, managed_by, province_code, commune_code, governing_body, responsible_person, address, hotline, email, website)!
insert into units.units (
    code, kind, name, short_name, name_en, managed_by, province_code, commune_code, governing_body,
    responsible_person, address, hotline, email, website)
values (
    :code, :kind, :name, :short_name, :name_en, :managed_by, :province_code, :commune_code, :governing_body,
    :responsible_person, :address, :hotline, :email, :website);
