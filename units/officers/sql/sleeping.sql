-- Accounts that nobody uses.

-- name: list_idle(idle_since, not_since)
-- Silent since the one moment, but not yet since the other.
select id::text, coalesce(last_signed_in_at, created_at) as used_at
from units.officers
where state = 'active' and coalesce(last_signed_in_at, created_at) <= :idle_since
  and coalesce(last_signed_in_at, created_at) > :not_since
order by used_at;

-- name: mark_asleep(idle_since)
update units.officers set state = 'asleep'
where state = 'active' and coalesce(last_signed_in_at, created_at) <= :idle_since
returning id::text;

-- name: mark_expired(invited_before)
update units.officers set invited_at = null
where state = 'invited' and invited_at <= :invited_before
returning id::text;
