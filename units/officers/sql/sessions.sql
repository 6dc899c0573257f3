-- Sessions of officers.

-- name: add_session(token_hash, officer_id, stage, began_at, address, device, draft)!
insert into units.sessions (token_hash, officer_id, stage, began_at, seen_at, address, device, totp_draft)
values (:token_hash, :officer_id::text::uuid, :stage, :began_at, :began_at, :address, :device, :draft);

-- name: find_session(token_hash, began_after)^
select s.id as session_id, s.stage, s.began_at, s.seen_at, s.totp_draft,
       o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.sessions s join units.officers o on o.id = s.officer_id
where s.token_hash = :token_hash and s.ended_at is null and s.began_at > :began_after and o.state <> 'disabled';

-- name: list_open_sessions(officer_id, began_after, seen_after)
select id::text, began_at, seen_at, address, device from units.sessions
where officer_id = :officer_id::text::uuid and stage = 'full' and ended_at is null
  and began_at > :began_after and seen_at > :seen_after
order by seen_at desc, id;

-- name: mark_seen(token_hash, seen_at)!
update units.sessions set seen_at = :seen_at::timestamptz where token_hash = :token_hash and seen_at < :seen_at;

-- name: change_draft(id, draft)!
update units.sessions set totp_draft = :draft where id::text = :id and ended_at is null;

-- name: end_session(id, officer_id, because, now)!
update units.sessions set ended_at = :now, ended_because = :because, totp_draft = null
where id::text = :id and ended_at is null
  and (:officer_id::text is null or officer_id::text = :officer_id::text);

-- name: end_session_of_cookie(token_hash, because, now)!
update units.sessions set ended_at = :now, ended_because = :because, totp_draft = null
where token_hash = :token_hash and ended_at is null;

-- name: end_sessions(officer_id, but, because, now)!
update units.sessions set ended_at = :now, ended_because = :because, totp_draft = null
where officer_id = :officer_id::text::uuid and ended_at is null and id::text is distinct from :but;

-- name: end_old_sessions(before)!
delete from units.sessions where began_at < :before;
