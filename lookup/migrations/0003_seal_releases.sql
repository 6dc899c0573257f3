-- Releases as sealed files: made by the worker, kept whole on every node beforehand, opened by a key at their moment.

-- When the file lay here whole for the first time. Null: answered from these tables, as long as there is no file.
-- Sealed before its moment, a release opens on a node by its file and key alone, or not at all.
alter table lookup.releases add column sealed_at timestamptz;
-- The approver asked for the key as a slip, for the case that this database is dead at the moment.
alter table lookup.releases add column wants_slip boolean not null default false;

create table lookup.bundles (
    id bigint generated always as identity primary key,
    exam_code text not null,
    generation integer not null,
    state text not null constraint bundle_state_is_known check (state in ('building', 'stored', 'failed')),
    begun_at timestamptz not null,
    stored_at timestamptz,
    -- How far the work is: results sealed, of so many.
    results_done integer not null default 0,
    result_count integer not null,
    -- Of the whole file.
    size bigint,
    sha256 bytea,
    -- Ed25519, raw: who signed the header.
    signed_by bytea,
    -- The generation key, wrapped by a key that only the worker holds.
    wrapped_key bytea,
    -- The generation key itself, from its moment on.
    opening_key bytea,
    key_sent_at timestamptz,
    problem text,
    constraint a_stored_bundle_is_whole check (
        state <> 'stored' or num_nulls(stored_at, size, sha256, signed_by, wrapped_key) = 0),
    foreign key (exam_code, generation) references lookup.releases (exam_code, generation) on delete cascade
);
create index bundles_by_release on lookup.bundles (exam_code, generation);

-- A key that has gone out stays what it was, none goes out before its moment, and a file that lies here is another's
-- no more: nodes have compared theirs with it.
create function lookup.refuse_to_rewrite_a_bundle() returns trigger language plpgsql as $$
begin
    if old.opening_key is not null
       and row (old.opening_key, old.key_sent_at) is distinct from row (new.opening_key, new.key_sent_at)
    then
        raise exception using errcode = 'check_violation', constraint = 'a_sent_key_stays',
            message = 'a key that was sent stays as it was';
    end if;
    if old.opening_key is null and new.opening_key is not null
       and clock_timestamp() < (
            select opens_at from lookup.releases where exam_code = new.exam_code and generation = new.generation)
    then
        raise exception using errcode = 'check_violation', constraint = 'no_key_before_its_moment',
            message = 'no key is told before its moment';
    end if;
    if old.state = 'stored'
       and row (old.exam_code, old.generation, old.state, old.size, old.sha256, old.signed_by)
           is distinct from row (new.exam_code, new.generation, new.state, new.size, new.sha256, new.signed_by)
    then
        raise exception using errcode = 'check_violation', constraint = 'a_stored_bundle_stays',
            message = 'a stored bundle stays as it was';
    end if;
    return new;
end
$$;
create trigger a_bundle_is_not_rewritten before update on lookup.bundles
    for each row execute function lookup.refuse_to_rewrite_a_bundle();

-- The file, in pieces that fit into memory.
create table lookup.bundle_pieces (
    bundle_id bigint not null references lookup.bundles (id) on delete cascade,
    number integer not null,
    content bytea not null,
    primary key (bundle_id, number)
);
-- What is sealed cannot be compressed.
alter table lookup.bundle_pieces alter column content set storage external;
comment on table lookup.bundle_pieces is 'rights: select, insert, delete';

-- Which node has which file on its disk, as its worker says.
create table lookup.bundle_holders (
    node text not null,
    bundle_id bigint not null references lookup.bundles (id) on delete cascade,
    state text not null constraint holder_state_is_known check (state in ('fetching', 'ready', 'broken')),
    bytes_done bigint not null default 0,
    problem text,
    told_at timestamptz not null,
    primary key (node, bundle_id)
);
create index bundle_holders_by_bundle on lookup.bundle_holders (bundle_id);

-- The worker process of each node, as it says itself: without one, a node fetches nothing.
create table lookup.node_workers (
    node text primary key,
    -- Whether it holds the key that unwraps, and so sends keys.
    sends_keys boolean not null default false,
    -- Its clock minus this one's, in milliseconds, as far as that is certain.
    clock_difference_ms integer,
    told_at timestamptz not null
);

-- Which web process ("NODE/1") answers from which file, as it says itself.
create table lookup.bundle_openings (
    process text not null,
    bundle_id bigint not null references lookup.bundles (id) on delete cascade,
    opened_at timestamptz,
    problem text,
    told_at timestamptz not null,
    primary key (process, bundle_id)
);
create index bundle_openings_by_bundle on lookup.bundle_openings (bundle_id);

-- Keys as slips: made on request, fetched once.
create table lookup.key_slips (
    bundle_id bigint primary key references lookup.bundles (id) on delete cascade,
    -- Sealed as letters are, so that a copy of this table opens nothing; null once it was fetched or is of no use.
    slip bytea,
    made_at timestamptz not null,
    fetched_at timestamptz,
    fetched_by uuid references units.officers (id),
    constraint a_slip_is_fetched_once check (slip is null or fetched_at is null),
    constraint somebody_has_fetched_it check ((fetched_at is null) = (fetched_by is null))
);
