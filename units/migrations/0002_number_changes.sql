-- Every change that nodes must hear of has a number, and a node says which it has applied.
create table units.changes (
    number bigint generated always as identity primary key,
    about text not null constraint change_is_about_something_known check (about in ('exam', 'unit')),
    code text not null,
    what text not null constraint change_is_known check (what in ('added', 'described', 'released', 'removed', 'withdrawn')),
    reason text,
    made_at timestamptz not null
);
create table units.nodes (
    name text primary key,
    applied_change bigint not null,
    seen_at timestamptz not null
);
