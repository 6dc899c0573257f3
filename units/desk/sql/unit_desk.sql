-- What officers see of units.

-- name: count_officers(unit_code)$
select count(distinct r.officer_id)
from units.officer_roles r join units.officers o on o.id = r.officer_id
where r.unit_code = :unit_code and o.state <> 'disabled';
