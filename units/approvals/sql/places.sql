-- Where the second person sits.

-- name: list_approvers(unit_codes)
-- Who could decide there today.
select r.unit_code, o.id::text as officer_id, o.email
from units.officer_roles r join units.officers o on o.id = r.officer_id
where r.role = 'approver' and o.state = 'active' and r.unit_code = any (:unit_codes::text[])
order by r.unit_code, o.id;
