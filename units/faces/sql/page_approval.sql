-- A unit's page as it stands, to be compared with what was prepared.

-- name: find_page(unit_code)^
select u.name, u.short_name, u.name_en, u.governing_body, u.responsible_person, u.address, u.hotline, u.email,
       coalesce(u.website, '') as website, u.closed_on, l.accent, l.logo
from units.units u left join units.looks l on l.unit_code = u.code
where u.code = :unit_code;
