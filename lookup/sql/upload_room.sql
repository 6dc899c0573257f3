-- Room for files that officers send.

-- name: lock_room(exam_code)$
-- One file of an exam is let in at a time.
select pg_advisory_xact_lock(hashtextextended('room for score uploads ' || :exam_code, 0));

-- name: find_kept(exam_code)^
-- What is kept: how many files that nobody imported, and how much in all.
select count(*) filter (where state <> 'imported') as files, coalesce(sum(file_size), 0)::bigint as size
from lookup.uploads
where exam_code = :exam_code and state <> 'discarded' and erased_at is null;

-- name: list_imported(exam_code)
-- Files that are done, the oldest first.
select id::text, file_size from lookup.uploads
where exam_code = :exam_code and state = 'imported' and erased_at is null
order by uploaded_at, id
for update;
