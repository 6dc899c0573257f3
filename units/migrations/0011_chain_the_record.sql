-- The record is chained after the fact: one sealer numbers what has settled, batch by batch (docs/record.md).

-- Where an entry stands in the chain. Its hash covers every column of the entry.
create table units.record_chain (
    number bigint primary key,
    xid xid8 not null,
    id bigint not null,
    at timestamptz not null,
    hash bytea not null,
    constraint an_entry_stands_once_in_the_chain unique (xid, id, at)
);
comment on table units.record_chain is 'rights: select, insert';

create table units.record_batches (
    number bigint primary key,
    first_number bigint not null,
    entry_count bigint not null constraint batch_holds_an_entry check (entry_count > 0),
    -- SHA-256 over the leaves of the batch, in the order of their numbers.
    leaves bytea not null,
    previous_root bytea not null constraint a_batch_has_one_successor unique,
    -- SHA-256 over everything else that stands here.
    root bytea not null,
    -- Every entry of a transaction below this one was chained by this batch or before.
    settled_below xid8 not null,
    -- Which PostgreSQL cluster the transactions are numbered by: a restored one numbers anew.
    cluster bigint not null,
    sealed_at timestamptz not null
);
comment on table units.record_batches is 'rights: select, insert';
create index record_batches_by_time on units.record_batches (sealed_at);

-- What the last checks of the whole record found.
create table units.record_checks (
    number bigint generated always as identity primary key,
    checked_at timestamptz not null,
    entry_count bigint not null,
    head_number bigint not null,
    finding_count integer not null,
    -- Of the first finding: which number, and what is wrong.
    first_number bigint,
    first_problem text,
    seconds double precision not null
);
comment on table units.record_checks is 'rights: select, insert';

alter table units.record_entries
    add constraint entry_has_a_moment check (isfinite(at));

-- Make the segment of a month (Viet Nam's) if it can be made; says whether it did. The run-time role may call this and
-- do nothing else to the tables: the function runs as their owner.
create function units.make_record_segment(month date) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'Asia/Ho_Chi_Minh' as $$
declare
    first date := date_trunc('month', month)::date;
    next date := (first + interval '1 month')::date;
    name text := 'record_entries_' || to_char(first, 'YYYY_MM');
begin
    if first not between (now() - interval '2 months')::date and (now() + interval '12 months')::date then
        return false;
    end if;
    -- Two that make the same one at once: the second waits, then sees it.
    perform pg_advisory_xact_lock(7202615);
    if to_regclass('units.' || name) is not null then
        return false;
    end if;
    -- Entries of that month that came while there was no segment stay where they are.
    if exists (select from units.record_entries_elsewhere where at >= first::timestamptz and at < next::timestamptz) then
        return false;
    end if;
    set local lock_timeout = '2s';
    execute format('create table units.%I partition of units.record_entries for values from (%L) to (%L)',
                   name, first::timestamptz, next::timestamptz);
    return true;
end
$$;

select units.make_record_segment((now() + make_interval(months => ahead))::date) from generate_series(0, 3) ahead;
