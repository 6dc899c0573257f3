-- The record: who did what. An entry is written in the transaction of what it tells of; a sealer chains it afterwards.
create table units.record_entries (
    -- Which transaction wrote it: what is older than every running transaction can be chained.
    xid xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    -- Who: an officer, or nobody (the command line, the service itself, somebody who is not signed in).
    officer_id uuid,
    through text not null constraint entry_came_some_way check (through in ('web', 'command', 'service')),
    -- Whose: the unit that it concerns.
    unit_code text,
    action text not null,
    object_kind text not null,
    object_id text not null,
    address text,
    request_id text,
    details jsonb not null,
    primary key (xid, id, at)
) partition by range (at);
-- Where no segment of its month is there yet: nothing may be refused for want of one.
create table units.record_entries_elsewhere partition of units.record_entries default;
comment on table units.record_entries is 'rights: select, insert';

create index record_entries_by_time on units.record_entries (at);
