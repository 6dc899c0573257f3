-- Who stands in for an absent approver, from-to.

-- name: list_stood_for(deputy_id, now)
-- Whom this officer stands in for today, and where those are approvers now.
select d.unit_code, d.absent_id::text,
       array(select r.unit_code from units.officer_roles r
             where r.officer_id = d.absent_id and r.role = 'approver') as approves_in
from units.approval_deputies d
join units.officers o on o.id = d.absent_id
where d.deputy_id = :deputy_id::text::uuid and d.begins_at <= :now and d.ends_at > :now and d.ended_at is null
  and o.state in ('active', 'asleep')
order by d.begins_at, d.id;

-- name: list_colleagues(unit_codes, but)
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
where o.state = 'active' and o.id <> :but::text::uuid
  and o.id in (select officer_id from units.officer_roles where unit_code = any (:unit_codes::text[]))
order by o.full_name, o.id;

-- name: list_deputies(officer_id, ended_after)
select id::text, unit_code, absent_id::text, deputy_id::text, begins_at, ends_at, reason, ended_at
from units.approval_deputies
where (absent_id = :officer_id::text::uuid or deputy_id = :officer_id::text::uuid)
  and coalesce(ended_at, ends_at) > :ended_after
order by begins_at desc, id;

-- name: lock_deputy(id)^
select id::text, unit_code, absent_id::text, deputy_id::text, begins_at, ends_at, reason, ended_at
from units.approval_deputies where id = :id::text::uuid
for update;

-- name: add_deputy(unit_code, absent_id, deputy_id, begins_at, ends_at, reason, made_at)$
insert into units.approval_deputies (unit_code, absent_id, deputy_id, begins_at, ends_at, reason, made_at)
values (:unit_code, :absent_id::text::uuid, :deputy_id::text::uuid, :begins_at, :ends_at, :reason, :made_at)
returning id::text;

-- name: end_deputy(id, ended_by, now)!
update units.approval_deputies set ended_at = :now, ended_by = :ended_by::text::uuid where id = :id::text::uuid;
