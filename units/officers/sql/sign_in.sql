-- Signing in.

-- name: find_credentials(email)^
select o.id::text, o.email, o.state, o.password_hash,
       (select min(r.unit_code) from units.officer_roles r where r.officer_id = o.id) as unit_code
from units.officers o where o.email = :email;

-- name: mark_signed_in(officer_id, now, wakes)$
update units.officers set last_signed_in_at = :now::timestamptz, state = 'active'
where id = :officer_id::text::uuid and (state = 'active' or (state = 'asleep' and :wakes::boolean))
returning 1;
