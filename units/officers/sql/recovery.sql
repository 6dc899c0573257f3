-- Forgotten passwords.

-- name: find_resettable(email)^
-- Whoever has not chosen a password yet comes by the invitation.
select o.id::text, o.email, o.state,
       (select min(r.unit_code) from units.officer_roles r where r.officer_id = o.id) as unit_code
from units.officers o
where o.email = :email and o.password_hash is not null and o.state <> 'disabled';
