-- First steps.

-- name: mark_active(officer_id)$
update units.officers set state = 'active'
where id = :officer_id::text::uuid and state = 'invited' and password_hash is not null
returning 1;
