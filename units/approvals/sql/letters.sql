-- Whom to write to.

-- name: list_deputies(unit_codes, absent, now)
select distinct deputy_id::text
from units.approval_deputies
where unit_code = any (:unit_codes::text[]) and absent_id = any (:absent::text[]::uuid[])
  and begins_at <= :now and ends_at > :now and ended_at is null;
