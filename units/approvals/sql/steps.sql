-- An approval's steps.

-- name: add_step(approval_id, step, officer_id, decided_for, handed_to, unit_code, reason, at)!
insert into units.approval_steps (approval_id, step, officer_id, decided_for, handed_to, unit_code, reason, at)
values (
    :approval_id::text::uuid, :step, :officer_id::text::uuid, :decided_for::text::uuid,
    :handed_to::text::uuid, :unit_code, :reason, :at);

-- name: list_steps(approval_id)
select step, officer_id::text, decided_for::text, handed_to::text, unit_code, reason, at
from units.approval_steps where approval_id = :approval_id::text::uuid
order by number;
