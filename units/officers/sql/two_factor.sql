-- The second factor.

-- name: find_second_factor(officer_id)^
select totp_secret, totp_last_step from units.officers where id = :officer_id::text::uuid;

-- name: mark_step_used(officer_id, step, sealed, before)!
update units.officers set totp_last_step = :step::bigint, totp_secret = :sealed
where id = :officer_id::text::uuid and totp_secret = :before
  and (totp_last_step is null or totp_last_step < :step::bigint);

-- name: change_second_factor(officer_id, sealed, step)!
update units.officers set totp_secret = :sealed, totp_last_step = :step where id = :officer_id::text::uuid;
