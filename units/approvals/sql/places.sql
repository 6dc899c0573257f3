-- Where the second person sits.

-- name: list_approvers(unit_codes)
-- Who could decide there today.
select r.unit_code, o.id::text as officer_id, o.email
from units.officer_roles r join units.officers o on o.id = r.officer_id
where r.role = 'approver' and o.state = 'active' and r.unit_code = any (:unit_codes::text[])
order by r.unit_code, o.id;

-- name: lock_misplaced()
-- Waiting where nobody can decide: the only approver left, or the unit is another.
select a.* from units.approvals a
where a.state = 'waiting' and not exists (
    select from units.officer_roles r join units.officers o on o.id = r.officer_id
    where r.unit_code = a.decided_in and r.role = 'approver' and o.state = 'active' and not o.id = any (a.prepared_by))
order by a.id
for update of a skip locked;
