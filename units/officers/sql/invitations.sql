-- Invitations.

-- name: add_officer(email, salutation, full_name, position, office_phone, now)$
insert into units.officers (email, salutation, full_name, position, office_phone, state, created_at)
values (:email, :salutation, :full_name, :position, :office_phone, 'invited', :now)
returning id::text;

-- name: mark_invited(officer_id, now)!
update units.officers set invited_at = :now where id = :officer_id::text::uuid;

-- name: end_password(officer_id)$
-- Of somebody who has no second factor (again): the letter's reader chooses another.
update units.officers set password_hash = null, password_changed_at = null
where id = :officer_id::text::uuid and state = 'invited' and password_hash is not null
returning true;

-- name: end_roles(officer_id)!
delete from units.officer_roles where officer_id = :officer_id::text::uuid;

-- name: end_recovery_codes(officer_id)!
delete from units.recovery_codes where officer_id = :officer_id::text::uuid;

-- name: mark_begun_anew(officer_id)!
update units.officers set
    state = 'invited', password_hash = null, password_changed_at = null, totp_secret = null, totp_last_step = null,
    disabled_at = null, disabled_because = null
where id = :officer_id::text::uuid;
