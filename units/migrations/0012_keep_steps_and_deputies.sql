-- An approval's steps, who stands in for whom, and what no statement can undo.

-- Each step as it happened: a decision that is taken back later still stood.
create table units.approval_steps (
    approval_id uuid not null references units.approvals (id),
    number integer generated always as identity,
    step text not null constraint approval_step_is_known check (
        step in ('handed_in', 'moved', 'handed_over', 'approved', 'returned', 'withdrawn')),
    -- Null: the command line or the service itself.
    officer_id uuid references units.officers (id),
    decided_for uuid references units.officers (id),
    -- Who looks after it from this step on, if that is somebody else.
    handed_to uuid references units.officers (id),
    -- Where it waits from this step on.
    unit_code text references units.units (code),
    reason text,
    at timestamptz not null,
    primary key (approval_id, number)
);
comment on table units.approval_steps is 'rights: select, insert';
comment on table units.approvals is 'rights: select, insert, update';

-- An absent approver's deputy, from-to (ủy quyền).
create table units.approval_deputies (
    id uuid primary key default gen_random_uuid(),
    unit_code text not null references units.units (code),
    absent_id uuid not null references units.officers (id),
    deputy_id uuid not null references units.officers (id),
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    reason text not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    ended_by uuid references units.officers (id),
    constraint a_deputy_is_another check (deputy_id <> absent_id),
    constraint a_deputy_stands_in_for_a_while check (begins_at < ends_at)
);
comment on table units.approval_deputies is 'rights: select, insert, update';
create unique index one_period_is_delegated_once
    on units.approval_deputies (unit_code, absent_id, deputy_id, begins_at) where ended_at is null;
create index approval_deputies_by_deputy on units.approval_deputies (deputy_id);
create index approval_deputies_by_absent on units.approval_deputies (absent_id);

alter table units.approvals
    -- Who looks after it: whoever handed it in, or took it over from them.
    add column looked_after_by uuid references units.officers (id),
    add constraint whoever_hands_in_has_prepared check (handed_in_by is null or handed_in_by = any (prepared_by)),
    add constraint whoever_looks_after_has_prepared check (
        looked_after_by is null or looked_after_by = any (prepared_by)),
    -- `= any` would answer neither yes nor no.
    add constraint everybody_who_prepared_is_known check (array_position(prepared_by, null) is null),
    add constraint nobody_decides_for_themselves check (decided_for is distinct from decided_by or decided_by is null);
create index approvals_by_preparer on units.approvals using gin (prepared_by);
create index approvals_by_thing on units.approvals (kind, about);
create index approvals_by_decision on units.approvals (decided_at);

create function units.refuse_to_rewrite_an_approval() returns trigger language plpgsql as $$
begin
    if row (old.kind, old.about, old.payload, old.preview, old.note, old.handed_in_by, old.handed_in_at, old.takes_effect_at)
       is distinct from
       row (new.kind, new.about, new.payload, new.preview, new.note, new.handed_in_by, new.handed_in_at, new.takes_effect_at)
       or not old.prepared_by <@ new.prepared_by
    then
        raise exception using errcode = 'check_violation', constraint = 'what_was_handed_in_stays',
            message = 'what was handed in stays as it was';
    end if;
    if row (old.state, old.decided_by, old.decided_for, old.decided_at, old.reason)
       is distinct from row (new.state, new.decided_by, new.decided_for, new.decided_at, new.reason)
       and old.state <> 'waiting'
       -- What was approved can still be taken back; who approved it, and when, stays.
       and (old.state <> 'approved' or new.state <> 'withdrawn'
            or row (old.decided_by, old.decided_for, old.decided_at)
               is distinct from row (new.decided_by, new.decided_for, new.decided_at))
    then
        raise exception using errcode = 'check_violation', constraint = 'a_decision_stands',
            message = 'a decision is not made twice';
    end if;
    return new;
end
$$;
create trigger an_approval_is_not_rewritten before update on units.approvals
    for each row execute function units.refuse_to_rewrite_an_approval();
