-- Recovery codes.

-- name: end_codes(officer_id)!
delete from units.recovery_codes where officer_id = :officer_id::text::uuid;

-- name: add_codes(officer_id, hashes, now)!
insert into units.recovery_codes (officer_id, code_hash, made_at)
select :officer_id::text::uuid, hash, :now from unnest(:hashes::bytea[]) as hash;

-- name: mark_code_used(officer_id, hashes, now)$
update units.recovery_codes set used_at = :now
where officer_id = :officer_id::text::uuid and code_hash = any (:hashes::bytea[]) and used_at is null
returning 1;

-- name: count_codes(officer_id)$
select count(*) from units.recovery_codes where officer_id = :officer_id::text::uuid and used_at is null;
