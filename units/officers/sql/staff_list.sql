-- The staff of units.

-- name: list_members(unit_codes)
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state, o.created_at,
       o.last_signed_in_at, o.invited_at, o.password_hash is not null as has_password, o.disabled_at, o.disabled_because,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
where exists (select from units.officer_roles h where h.officer_id = o.id and h.unit_code = any (:unit_codes::text[]));

-- name: find_member(officer_id)^
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state, o.created_at,
       o.last_signed_in_at, o.invited_at, o.password_hash is not null as has_password, o.disabled_at, o.disabled_because,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
where o.id::text = :officer_id;
