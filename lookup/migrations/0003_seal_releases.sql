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

-- The file, in pieces that fit into memory.
create table lookup.bundle_pieces (
    bundle_id bigint not null references lookup.bundles (id) on delete cascade,
    number integer not null,
    content bytea not null,
    primary key (bundle_id, number)
);
-- What is sealed cannot be compressed.
alter table lookup.bundle_pieces alter column content set storage external;

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

-- Which web process ("NODE/1") answers from which file, as it says itself.
create table lookup.bundle_openings (
    process text not null,
    bundle_id bigint not null references lookup.bundles (id) on delete cascade,
    opened_at timestamptz,
    problem text,
    told_at timestamptz not null,
    primary key (process, bundle_id)
);

-- Keys as slips: made on request, fetched once.
create table lookup.key_slips (
    bundle_id bigint primary key references lookup.bundles (id) on delete cascade,
    -- Null once it was fetched.
    slip text,
    made_at timestamptz not null,
    fetched_at timestamptz,
    fetched_by uuid references units.officers (id)
);
