-- Reading the record, the newest first.

-- name: list_entries(units, unitless, officer_id, unit_code, action, object_id, request_id, since, until, before_at, before_id, at_most)
-- `units`: whose entries may be seen; `unitless`: also those that concern no unit.
select e.id, e.at, e.officer_id::text as officer_id, e.through, e.unit_code, e.action, e.object_kind, e.object_id,
       e.address, e.request_id, e.details::text as details,
       (select c.number from units.record_chain c where c.xid = e.xid and c.id = e.id and c.at = e.at) as number
from units.record_entries e
where (e.unit_code = any (:units::text[]) or (:unitless::boolean and e.unit_code is null))
  and (:officer_id::text is null or e.officer_id = :officer_id::text::uuid)
  and (:unit_code::text is null or e.unit_code = :unit_code::text)
  and (:action::text is null or e.action = :action::text)
  and (:object_id::text is null or e.object_id = :object_id::text)
  and (:request_id::text is null or e.request_id = :request_id::text)
  and e.at >= coalesce(:since::timestamptz, '-infinity')
  and e.at < coalesce(:until::timestamptz, 'infinity')
  and (:before_at::timestamptz is null or (e.at, e.id) < (:before_at::timestamptz, :before_id::bigint))
order by e.at desc, e.id desc
limit :at_most::integer;

-- name: find_object(units, unitless, object_id)$
-- Whether an entry that may be seen is about this.
select exists (
    select from units.record_entries
    where object_id = :object_id
      and (unit_code = any (:units::text[]) or (:unitless::boolean and unit_code is null)));

-- name: find_officer_of_entries(units, unitless, email)$
-- The officer of this address, if an entry that may be seen is theirs, or about them.
select o.id::text from units.officers o
where o.email = :email and exists (
    select from units.record_entries e
    where (e.officer_id = o.id or (e.object_kind = 'officer' and e.object_id = o.id::text))
      and (e.unit_code = any (:units::text[]) or (:unitless::boolean and e.unit_code is null)));

-- name: count_waiting()$
-- What is not chained yet, as far as the last batch tells.
select count(*) from units.record_entries e
where e.xid >= coalesce((select settled_below from units.record_batches order by number desc limit 1), '0'::xid8)
  and (select c.number from units.record_chain c where c.xid = e.xid and c.id = e.id and c.at = e.at) is null;
