-- What follows a unit that closes: roles and waiting approvals.

-- name: list_roles(codes)
-- Roles that are held alone come last: where somebody would hold both, the work goes on.
select officer_id::text as officer_id, unit_code, role, granted_by, granted_at
from units.officer_roles
where unit_code = any (:codes::text[])
order by officer_id, role in ('auditor', 'operator'), unit_code, role
for update;

-- name: add_role(officer_id, unit_code, role, granted_by, granted_at)!
insert into units.officer_roles (officer_id, unit_code, role, granted_by, granted_at)
values (:officer_id::text::uuid, :unit_code, :role, :granted_by, :granted_at)
on conflict do nothing;

-- name: end_roles(codes)!
delete from units.officer_roles where unit_code = any (:codes::text[]);

-- name: mark_approvals_moved(codes, into, at)!
with moved as (
    update units.approvals set
        unit_code = case when unit_code = any (:codes::text[]) then :into else unit_code end,
        decided_in = case when decided_in = any (:codes::text[]) then :into else decided_in end
    where state = 'waiting' and (unit_code = any (:codes::text[]) or decided_in = any (:codes::text[]))
    returning id, decided_in)
insert into units.approval_steps (approval_id, step, unit_code, at)
select id, 'moved', decided_in, :at from moved;

-- name: mark_approvals_decided_above(code, manager, at)!
with moved as (
    update units.approvals set decided_in = :manager where state = 'waiting' and decided_in = :code returning id)
insert into units.approval_steps (approval_id, step, unit_code, at)
select id, 'moved', :manager, :at from moved;
