-- Turns of what one alone may do at a time.

-- name: lock_turn(name)$
select pg_try_advisory_lock(hashtextextended('turn:' || :name::text, 0));

-- name: look_whether_connected()$
-- Not an empty statement, on whose answer asyncpg stumbles.
select true;
