-- What a decision about units would touch.

-- name: find_unit(unit_code)^
select u.name, u.short_name, u.name_en, u.managed_by, u.commune_code, u.address,
       (select count(distinct r.officer_id) from units.officer_roles r join units.officers o on o.id = r.officer_id
        where r.unit_code = u.code and o.state <> 'disabled') as officers,
       (select count(*) from units.units b where b.managed_by = u.code and b.closed_on is null) as below
from units.units u
where u.code = :unit_code;
