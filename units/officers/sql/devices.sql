-- Browsers that officers have signed in with.

-- name: find_device(officer_id, secret_hash)$
select 1 from units.known_devices where officer_id = :officer_id::text::uuid and secret_hash = :secret_hash;

-- name: find_anybodys_device(secret_hash)$
select 1 from units.known_devices where secret_hash = :secret_hash limit 1;

-- name: mark_device_seen(officer_id, secret_hash, device, now)$
insert into units.known_devices as d (officer_id, secret_hash, device, first_seen_at, last_seen_at)
values (:officer_id::text::uuid, :secret_hash, :device, :now::timestamptz, :now::timestamptz)
on conflict (officer_id, secret_hash) do update set device = excluded.device, last_seen_at = excluded.last_seen_at
returning xmax <> 0;

-- name: end_devices(officer_id, but)!
delete from units.known_devices
where officer_id = :officer_id::text::uuid and secret_hash is distinct from :but::bytea;
