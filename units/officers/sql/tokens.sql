-- Links in letters.

-- name: add_token(token_hash, officer_id, purpose, made_at, expires_at)!
insert into units.sign_in_tokens (token_hash, officer_id, purpose, made_at, expires_at)
values (:token_hash, :officer_id::text::uuid, :purpose, :made_at, :expires_at);

-- name: mark_token_used(token_hash, purpose, now)$
update units.sign_in_tokens set used_at = :now::timestamptz
where token_hash = :token_hash and purpose = :purpose and used_at is null and expires_at > :now::timestamptz
returning officer_id::text;

-- name: end_tokens(officer_id, purpose, now)!
update units.sign_in_tokens set used_at = :now::timestamptz
where officer_id = :officer_id::text::uuid and purpose = :purpose and used_at is null;

-- name: count_tokens(officer_id, purpose, since)$
select count(*) from units.sign_in_tokens
where officer_id = :officer_id::text::uuid and purpose = :purpose and made_at > :since;

-- name: end_old_tokens(before)!
delete from units.sign_in_tokens where expires_at < :before;
