-- Approval by two: what one person has prepared, and what another decided.
create table units.approvals (
    id uuid primary key default gen_random_uuid(),
    -- What kind of thing becomes public (`exam-release`), and about which object of that kind.
    kind text not null,
    about text not null,
    -- Whose it is, and where the second person sits.
    unit_code text not null references units.units (code),
    decided_in text not null references units.units (code),
    -- What exactly was prepared: only this becomes public.
    payload jsonb not null,
    -- What the second person is shown: counts and differences, as they were when it was handed in.
    preview jsonb not null,
    note text not null default '',
    -- Everybody whose work it is: who handed it in, and whose files went into it.
    prepared_by uuid[] not null,
    handed_in_by uuid references units.officers (id),
    handed_in_at timestamptz not null,
    -- Null: at once, when it is approved.
    takes_effect_at timestamptz,
    state text not null constraint approval_state_is_known check (
        state in ('waiting', 'approved', 'returned', 'withdrawn')),
    decided_by uuid references units.officers (id),
    -- An absent approver whom the decider stood in for (ủy quyền).
    decided_for uuid references units.officers (id),
    decided_at timestamptz,
    reason text,
    constraint nobody_approves_their_own_work check (
        state <> 'approved' or (decided_by is not null and not decided_by = any (prepared_by)
            and (decided_for is null or not decided_for = any (prepared_by)))),
    constraint a_decision_has_a_moment check (state = 'waiting' or decided_at is not null)
);
-- One thing waits once.
create unique index one_approval_waits_for_one_thing on units.approvals (kind, about) where state = 'waiting';
create index approvals_by_place on units.approvals (decided_in, state);
