-- Files of results that officers send, on their way into a batch.

-- name: add_upload(exam_code, uploaded_by, file_name, size, now)$
-- The size is what may come; what has come takes its place.
insert into lookup.uploads (exam_code, uploaded_by, uploaded_at, file_name, file_size, state)
values (:exam_code, :uploaded_by::text::uuid, :now, :file_name, :size::bigint, 'arriving')
returning id::text;

-- name: add_piece(upload_id, what, number, content)!
insert into lookup.upload_pieces (upload_id, what, number, content)
values (:upload_id::text::uuid, :what, :number, :content);

-- name: find_piece(upload_id, what, number)$
select content from lookup.upload_pieces
where upload_id = :upload_id::text::uuid and what = :what and number = :number;

-- name: mark_arrived(upload_id, file_size, now)!
update lookup.uploads set state = 'waiting', file_size = :file_size, queued_at = :now
where id = :upload_id::text::uuid;

-- name: remove_upload(upload_id)!
delete from lookup.uploads where id = :upload_id::text::uuid;

-- name: list_uploads(exam_code)
select u.id::text, u.exam_code, u.uploaded_by::text, u.uploaded_at, u.file_name, u.file_size, u.state, u.queued_at,
    u.attempts, u.pad_number, u.convert, u.weak_pins, u.reason, u.confirmed_by::text, u.found_otherwise,
    u.bytes_read, u.rows_read, u.findings::text, u.refusal::text, u.batch_id, u.erased_at
from lookup.uploads u
where u.exam_code = :exam_code and u.state not in ('arriving', 'discarded')
order by u.uploaded_at desc
limit 100;

-- name: find_upload(upload_id)^
select u.id::text, u.exam_code, u.uploaded_by::text, u.uploaded_at, u.file_name, u.file_size, u.state, u.queued_at,
    u.attempts, u.pad_number, u.convert, u.weak_pins, u.reason, u.confirmed_by::text, u.found_otherwise,
    u.bytes_read, u.rows_read, u.findings::text, u.refusal::text, u.batch_id, u.erased_at
from lookup.uploads u
where u.id = :upload_id::text::uuid;

-- name: count_before(exam_code, queued_at)$
-- How many files of the exam come first.
select count(*) from lookup.uploads
where exam_code = :exam_code and queued_at < :queued_at and state in ('waiting', 'checking', 'confirmed', 'importing');

-- name: mark_asked_again(upload_id, pad_number, convert, weak_pins, now)!
-- The file is to be checked once more, read otherwise.
update lookup.uploads set
    state = 'waiting', queued_at = :now, attempts = 0, bytes_read = 0, rows_read = 0, refusal = null,
    found_otherwise = false, pad_number = :pad_number, convert = :convert, weak_pins = :weak_pins
where id = :upload_id::text::uuid and state in ('checked', 'refused') and erased_at is null;

-- name: mark_confirmed(upload_id, officer_id, reason, now)!
update lookup.uploads set
    state = 'confirmed', queued_at = :now, attempts = 0, bytes_read = 0, rows_read = 0,
    confirmed_by = :officer_id::text::uuid, reason = :reason
where id = :upload_id::text::uuid and state = 'checked' and erased_at is null;

-- name: mark_discarded(upload_id)!
update lookup.uploads set state = 'discarded'
where id = :upload_id::text::uuid and state in ('waiting', 'checked', 'refused', 'failed');

-- name: find_next(exam_code)$
-- The file that is worked on now: the first that was handed over, also one whose worker died.
select id::text from lookup.uploads
where exam_code = :exam_code and state in ('waiting', 'checking', 'confirmed', 'importing')
order by queued_at, id
limit 1;

-- name: try_lock_uploads(exam_code)$
-- One file of an exam at a time, over all workers; the lock ends with the connection.
select pg_try_advisory_lock(hashtextextended('score uploads ' || :exam_code, 0));

-- name: unlock_uploads(exam_code)$
select pg_advisory_unlock(hashtextextended('score uploads ' || :exam_code, 0));

-- name: mark_begun(upload_id, state)!
update lookup.uploads set state = :state, attempts = attempts + 1, bytes_read = 0, rows_read = 0
where id = :upload_id::text::uuid and state in ('waiting', 'checking', 'confirmed', 'importing');

-- name: mark_progress(upload_id, bytes_read, rows_read)!
update lookup.uploads set bytes_read = :bytes_read, rows_read = :rows_read where id = :upload_id::text::uuid;

-- name: mark_checked(upload_id, findings)!
update lookup.uploads set state = 'checked', findings = :findings::text::jsonb, attempts = 0
where id = :upload_id::text::uuid;

-- name: mark_refused(upload_id, refusal)!
update lookup.uploads set state = 'refused', refusal = :refusal::text::jsonb, findings = null
where id = :upload_id::text::uuid;

-- name: mark_failed(upload_id)!
update lookup.uploads set state = 'failed' where id = :upload_id::text::uuid;

-- name: mark_found_otherwise(upload_id)!
-- It is checked again, for somebody to look at again.
update lookup.uploads set state = 'waiting', found_otherwise = true, attempts = 0 where id = :upload_id::text::uuid;

-- name: mark_imported(upload_id, batch_id)!
update lookup.uploads set state = 'imported', batch_id = :batch_id where id = :upload_id::text::uuid;

-- name: remove_found(upload_id)!
-- What an earlier check has left.
delete from lookup.upload_problems where upload_id = :upload_id::text::uuid;

-- name: remove_pieces(upload_id, what)!
delete from lookup.upload_pieces where upload_id = :upload_id::text::uuid and what = :what;

-- name: list_problems(upload_id, code, skipped, most)
-- In the order of the file; of one kind, or of all.
select code, row_number, column_number, heading, cell, facts::text, suggestion
from lookup.upload_problems
where upload_id = :upload_id::text::uuid and (:code::text is null or code = :code::text)
order by number
offset :skipped
limit :most;

-- name: count_listed(upload_id, code)$
select count(*) from lookup.upload_problems
where upload_id = :upload_id::text::uuid and (:code::text is null or code = :code::text);

-- name: lock_old_uploads(before)
-- Files that nobody needs any more, with whose they are.
select u.id::text, u.exam_code, e.unit_code
from lookup.uploads u join lookup.exams e on e.code = u.exam_code
where u.erased_at is null and u.state in ('imported', 'checked', 'refused', 'failed', 'discarded')
    and coalesce(u.queued_at, u.uploaded_at) < :before
order by u.id
limit 100
for update of u skip locked;

-- name: mark_erased(upload_id, now)!
update lookup.uploads set
    erased_at = :now, state = case when state in ('checked', 'refused', 'failed') then 'discarded' else state end
where id = :upload_id::text::uuid;

-- name: remove_stranded(before)!
-- Files whose sender hung up in the middle, and nobody could clear away.
delete from lookup.uploads where state = 'arriving' and uploaded_at < :before;
