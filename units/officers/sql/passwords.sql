-- Passwords, as argon2id hashes.

-- name: find_password(officer_id)$
select password_hash from units.officers where id = :officer_id::text::uuid;

-- name: change_password(officer_id, hash, now)!
update units.officers set password_hash = :hash, password_changed_at = :now where id = :officer_id::text::uuid;

-- name: change_outdated_hash(officer_id, old, new)!
update units.officers set password_hash = :new where id = :officer_id::text::uuid and password_hash = :old;

-- name: list_past_passwords(officer_id, most)
-- The one in use may have been set before past ones were kept.
select hash from (
    select password_hash as hash, 'infinity'::timestamptz as set_at from units.officers
    where id = :officer_id::text::uuid and password_hash is not null
    union
    select hash, set_at from units.past_passwords where officer_id = :officer_id::text::uuid) known
group by hash order by max(set_at) desc limit :most::int;

-- name: add_past_password(officer_id, hash, now)!
insert into units.past_passwords (officer_id, hash, set_at) values (:officer_id::text::uuid, :hash, :now);

-- name: end_past_passwords(officer_id, kept)!
delete from units.past_passwords p
where officer_id = :officer_id::text::uuid and set_at < (
    select min(set_at) from (
        select set_at from units.past_passwords
        where officer_id = :officer_id::text::uuid order by set_at desc limit :kept::int) newest);
