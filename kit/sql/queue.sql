-- Work for later, written into the queue that the worker reads (pgqueuer's table).

-- name: add_job(entrypoint, payload, execute_after)$
-- Here and not by pgqueuer's own call: web processes need not load a library of 30 MB to leave a note.
insert into kit.pgqueuer (priority, status, entrypoint, payload, execute_after)
values (0, 'queued', :entrypoint, :payload, coalesce(:execute_after, now()))
returning id;
