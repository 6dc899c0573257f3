-- What one person has prepared, and what another decided.

-- name: add_approval(kind, about, unit_code, decided_in, payload, preview, note, prepared_by, handed_in_by, handed_in_at, takes_effect_at)$
insert into units.approvals (
    kind, about, unit_code, decided_in, payload, preview, note, prepared_by, handed_in_by, looked_after_by,
    handed_in_at, takes_effect_at, state)
values (
    :kind, :about, :unit_code, :decided_in, :payload::text::jsonb, :preview::text::jsonb, :note,
    :prepared_by::text[]::uuid[], :handed_in_by::text::uuid, :handed_in_by::text::uuid,
    :handed_in_at, :takes_effect_at, 'waiting')
returning id::text;

-- name: find_approval(id)^
select * from units.approvals where id = :id::text::uuid;

-- name: list_by_id(ids)
select * from units.approvals where id = any (:ids::text[]::uuid[]);

-- name: lock_approval(id)^
select * from units.approvals where id = :id::text::uuid for update;

-- name: mark_decided(id, state, decided_by, decided_for, now, reason)!
update units.approvals set
    state = :state, decided_by = :decided_by::text::uuid, decided_for = :decided_for::text::uuid, decided_at = :now,
    reason = :reason
where id = :id::text::uuid;

-- name: mark_withdrawn(id, now, reason)!
-- Who had approved it, and when, stays.
update units.approvals set state = 'withdrawn', decided_at = coalesce(decided_at, :now), reason = :reason
where id = :id::text::uuid;

-- name: list_of_thing(kind, about)
select * from units.approvals where kind = :kind and about = :about order by handed_in_at desc;

-- name: list_waiting(unit_codes, but_of)
-- What waits in these units and is not this officer's own work; what comes first stands first.
select * from units.approvals
where state = 'waiting' and decided_in = any (:unit_codes::text[]) and not :but_of::text::uuid = any (prepared_by)
order by takes_effect_at nulls last, handed_in_at;

-- name: list_waiting_places(unit_codes, but_of)
select decided_in, prepared_by::text[] as prepared_by
from units.approvals
where state = 'waiting' and decided_in = any (:unit_codes::text[]) and not :but_of::text::uuid = any (prepared_by);

-- name: list_prepared_by(officer_id, decided_after)
select * from units.approvals
where prepared_by @> array[:officer_id::text::uuid]
  and (state = 'waiting' or decided_at > :decided_after or takes_effect_at > :decided_after)
order by (state = 'waiting') desc, coalesce(decided_at, handed_in_at) desc
limit 200;

-- name: list_returned_to(officer_id, decided_after)
-- Sent back, and the same thing was not handed in anew.
select * from units.approvals a
where a.state = 'returned' and a.looked_after_by = :officer_id::text::uuid and a.decided_at > :decided_after
  and not exists (
      select from units.approvals b where b.kind = a.kind and b.about = a.about and b.id <> a.id and b.handed_in_at >= a.decided_at)
order by a.decided_at desc
limit 50;

-- name: list_decided(unit_codes, decided_after)
select * from units.approvals
where state <> 'waiting' and decided_at > :decided_after and unit_code = any (:unit_codes::text[])
order by decided_at desc
limit 200;
