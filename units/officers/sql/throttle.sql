-- Attempts to sign in that were not right. The account as a whole has the prefix ''.

-- name: count_attempt(account, factor, prefix, now, most, window_began, locked_until)$
-- Nothing comes back while the pair is locked; a lock is not prolonged.
insert into units.sign_in_attempts as a (account, factor, prefix, failures, last_at)
values (:account, :factor, :prefix, 1, :now::timestamptz)
on conflict (account, factor, prefix) do update set
    failures = case when a.locked_until is not null or a.last_at <= :window_began::timestamptz
                    then 1 else a.failures + 1 end,
    last_at = greatest(a.last_at, :now::timestamptz),
    locked_until = case when a.locked_until is null and a.last_at > :window_began::timestamptz
                         and a.failures + 1 >= :most::int
                        then :locked_until::timestamptz end
where a.locked_until is null or a.locked_until <= :now::timestamptz
returning failures;

-- name: find_lock(account, factor, prefix)$
select locked_until from units.sign_in_attempts
where account = :account and factor = :factor and prefix = :prefix;

-- name: count_overall(account, factor, now, window_began)$
insert into units.sign_in_attempts as a (account, factor, prefix, failures, last_at)
values (:account, :factor, '', 1, :now::timestamptz)
on conflict (account, factor, prefix) do update set
    failures = case when a.last_at <= :window_began::timestamptz then 1 else least(a.failures + 1, 1000000) end,
    last_at = greatest(a.last_at, :now::timestamptz)
returning failures;

-- name: find_overall(account, factor, window_began)$
select failures from units.sign_in_attempts
where account = :account and factor = :factor and prefix = '' and last_at > :window_began::timestamptz;

-- name: uncount_attempt(account, factor, prefix, most)!
update units.sign_in_attempts set
    failures = greatest(failures - 1, 0),
    locked_until = case when failures - 1 >= :most::int then locked_until end
where account = :account and factor = :factor and prefix = :prefix;

-- name: uncount_overall(account, factor)!
update units.sign_in_attempts set failures = greatest(failures - 1, 0)
where account = :account and factor = :factor and prefix = '';

-- name: end_attempts(account, factor, prefix)!
delete from units.sign_in_attempts where account = :account and factor = :factor and prefix = :prefix;

-- name: end_old_attempts(before)!
delete from units.sign_in_attempts
where last_at < :before::timestamptz and (locked_until is null or locked_until < :before::timestamptz);
