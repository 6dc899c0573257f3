-- Who stands in for an absent approver, from-to.

-- name: list_stood_for(deputy_id, now)
-- Whom this officer stands in for today: people who still are approvers there.
select d.unit_code, d.absent_id::text
from units.approval_deputies d
join units.officers o on o.id = d.absent_id
join units.officer_roles r on r.officer_id = d.absent_id and r.unit_code = d.unit_code and r.role = 'approver'
where d.deputy_id = :deputy_id::text::uuid and d.begins_at <= :now and d.ends_at > :now and d.ended_at is null
  and o.state in ('active', 'asleep')
order by d.begins_at, d.id;
