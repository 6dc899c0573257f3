-- Sessions of officers.

-- name: add_session(token_hash, officer_id, stage, began_at, address, device)!
insert into units.sessions (token_hash, officer_id, stage, began_at, seen_at, address, device)
values (:token_hash, :officer_id::text::uuid, :stage, :began_at, :began_at, :address, :device);

-- name: find_session(token_hash, began_after)^
select s.id as session_id, s.stage, s.began_at, s.seen_at,
       o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.sessions s join units.officers o on o.id = s.officer_id
where s.token_hash = :token_hash and s.ended_at is null and s.began_at > :began_after and o.state <> 'disabled';

-- name: mark_seen(token_hash, seen_at)!
update units.sessions set seen_at = :seen_at where token_hash = :token_hash;

-- name: end_session(id, because, now)!
update units.sessions set ended_at = :now, ended_because = :because where id::text = :id and ended_at is null;

-- name: end_sessions(officer_id, but, because, now)!
update units.sessions set ended_at = :now, ended_because = :because
where officer_id = :officer_id::text::uuid and ended_at is null and id::text is distinct from :but;
