-- What waits where nobody can decide: the only approver left, or its maker is the only one.

-- name: find_misplaced()$
select exists (
    select from units.approvals a
    where a.state = 'waiting' and not exists (
        select from units.officer_roles r join units.officers o on o.id = r.officer_id
        where r.unit_code = a.decided_in and r.role = 'approver' and o.state = 'active'
          and not o.id = any (a.prepared_by)));

-- name: lock_misplaced()
select a.* from units.approvals a
where a.state = 'waiting' and not exists (
    select from units.officer_roles r join units.officers o on o.id = r.officer_id
    where r.unit_code = a.decided_in and r.role = 'approver' and o.state = 'active' and not o.id = any (a.prepared_by))
order by a.id
for update of a skip locked;

-- name: mark_moved(id, decided_in)!
update units.approvals set decided_in = :decided_in where id = :id::text::uuid;
