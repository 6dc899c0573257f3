-- Changes of staff.

-- name: lock_staff()^
-- They are rare, and what one of them counts must not change meanwhile.
select pg_advisory_xact_lock(hashtextextended('units.officers', 0));

-- name: find_officer_by_email(email)^
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
where o.email = :email;

-- name: add_role(officer_id, unit_code, role, granted_by, now)!
insert into units.officer_roles (officer_id, unit_code, role, granted_by, granted_at)
values (:officer_id::text::uuid, :unit_code, :role, :granted_by::text::uuid, :now);

-- name: end_role(officer_id, unit_code, role)!
delete from units.officer_roles
where officer_id = :officer_id::text::uuid and unit_code = :unit_code and role = :role;

-- name: list_administrators(unit_codes)
-- Who can administer these units, or will once she has signed in again; and who was invited and has not come yet.
select distinct o.id::text as officer_id, (o.state <> 'invited' or o.password_hash is not null) as has_come
from units.officer_roles r join units.officers o on o.id = r.officer_id
where r.role = 'administrator' and r.unit_code = any (:unit_codes::text[])
  and (o.state in ('active', 'asleep')
       or (o.state = 'invited' and (o.password_hash is not null or o.invited_at is not null)));

-- name: mark_disabled(officer_id, reason, now)!
update units.officers set
    state = 'disabled', disabled_at = :now, disabled_because = :reason, invited_at = null
where id = :officer_id::text::uuid;

-- name: mark_without_two_factor(officer_id)!
-- Without two factors nobody is active: the first steps follow anew, behind the password.
update units.officers set
    state = 'invited', totp_secret = null, totp_last_step = null, invited_at = null
where id = :officer_id::text::uuid;

-- name: end_recovery_codes(officer_id)!
delete from units.recovery_codes where officer_id = :officer_id::text::uuid;
