-- Work for later, in the queue that the worker reads (pgqueuer's tables).

-- name: add_job(entrypoint, payload, execute_after)$
-- Here and not by pgqueuer's own call: web processes need not load a library of 30 MB to leave a note.
insert into kit.pgqueuer (priority, status, entrypoint, payload, execute_after)
values (0, 'queued', :entrypoint, :payload, coalesce(:execute_after, now()))
returning id;

-- name: mark_started(id)$
-- How often it was started; none when it is gone. A job whose worker was killed tells it by this alone.
update kit.pgqueuer
set headers = jsonb_set(
    coalesce(headers, '{}'), '{starts}', to_jsonb(coalesce((headers ->> 'starts')::integer, 0) + 1)
)
where id = :id
returning (headers ->> 'starts')::integer;

-- name: list_job_counts()
select entrypoint as name, status::text as status, count(*) as jobs from kit.pgqueuer group by entrypoint, status;

-- name: end_old_notes(before)!
delete from kit.pgqueuer_log where created < :before;

-- name: end_old_statistics(before)!
delete from kit.pgqueuer_statistics where created < :before;

-- name: end_old_failures(before)!
delete from kit.pgqueuer where status = 'failed' and updated < :before;

-- name: is_left(entrypoint, payload)$
-- What was given up an hour ago may be left once more.
select exists (
    select from kit.pgqueuer
    where entrypoint = :entrypoint and payload = :payload
        and (status <> 'failed' or updated > clock_timestamp() - interval '1 hour'));
