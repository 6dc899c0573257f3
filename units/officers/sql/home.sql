-- The officers' first page.

-- name: find_previous_sign_in(officer_id, session_id)^
select began_at, device
from units.sessions
where officer_id = :officer_id::text::uuid and stage = 'full' and id <> :session_id::text::uuid
order by began_at desc
limit 1;
