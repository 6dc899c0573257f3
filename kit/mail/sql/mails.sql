-- Mail on its way.

-- name: add_mail(key, message_id, recipient, sealed, queued_at)!
insert into kit.mails (key, message_id, recipient, sealed, queued_at)
values (:key, :message_id, :recipient, :sealed, :queued_at)
on conflict (key) do nothing;

-- name: lock_mail(key)$
-- Of the session, not of a transaction: one that stays open while a server takes its time would hold up others.
select pg_try_advisory_lock(hashtextextended('mail:' || :key::text, 0));

-- name: end_lock(key)$
select pg_advisory_unlock(hashtextextended('mail:' || :key::text, 0));

-- name: find_mail(key)^
select message_id, recipient, sealed, queued_at, attempts from kit.mails where key = :key;

-- name: mark_sent(key, now)!
update kit.mails set sealed = null, attempts = attempts + 1, last_problem = null, sent_at = :now where key = :key;

-- name: mark_tried(key, problem)!
update kit.mails set attempts = attempts + 1, last_problem = :problem where key = :key;

-- name: mark_given_up(key, problem, now)!
update kit.mails set sealed = null, attempts = attempts + 1, last_problem = :problem, given_up_at = :now
where key = :key;

-- name: count_on_their_way()^
select count(*) as mails, min(queued_at) as oldest from kit.mails where sealed is not null;

-- name: end_old_mails(before)!
delete from kit.mails where sealed is null and queued_at < :before;
