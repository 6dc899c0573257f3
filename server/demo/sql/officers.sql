-- The demo's staff.

-- name: add_officer(email, salutation, full_name, position, office_phone, now)$
insert into units.officers (email, salutation, full_name, position, office_phone, state, created_at)
values (:email, :salutation, :full_name, :position, :office_phone, 'invited', :now)
returning id::text;

-- name: add_role(officer_id, unit_code, role, now)!
insert into units.officer_roles (officer_id, unit_code, role, granted_at)
values (:officer_id::text::uuid, :unit_code, :role, :now);

-- name: mark_active(officer_id, password_hash, totp_secret, now)!
update units.officers set
    state = 'active', password_hash = :password_hash, password_changed_at = created_at, totp_secret = :totp_secret,
    last_signed_in_at = :now
where id = :officer_id::text::uuid;

-- name: list_untouched(emails)
select id::text, email, totp_secret
from units.officers
where email = any (:emails::text[]) and state in ('active', 'asleep') and password_changed_at = created_at;
