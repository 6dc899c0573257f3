-- What an officer who leaves has open.

-- name: list_looked_after(officer_id, unit_codes, now)
select a.id::text, a.unit_code, a.preview ->> 'title' as title
from units.approvals a
where a.looked_after_by = :officer_id::text::uuid and a.unit_code = any (:unit_codes::text[])
  and (a.state = 'waiting'
       or (a.state = 'returned' and a.decided_at > :now::timestamptz - interval '90 days' and not exists (
               select from units.approvals b
               where b.kind = a.kind and b.about = a.about and b.id <> a.id and b.handed_in_at >= a.decided_at)))
order by a.handed_in_at, a.id;

-- name: mark_looked_after(id, officer_id)!
update units.approvals set
    looked_after_by = :officer_id::text::uuid,
    prepared_by = case when :officer_id::text::uuid = any (prepared_by) then prepared_by
                       else prepared_by || :officer_id::text::uuid end
where id = :id::text::uuid;

-- name: list_delegations(officer_id, unit_codes, now)
select d.id::text, d.unit_code, u.name as unit_name
from units.approval_deputies d join units.units u on u.code = d.unit_code
where (d.absent_id = :officer_id::text::uuid or d.deputy_id = :officer_id::text::uuid)
  and d.unit_code = any (:unit_codes::text[]) and d.ended_at is null and d.ends_at > :now
order by d.begins_at, d.id;
