-- What happened to units, by whose decision, and what they were called before. A code is given once and never changes.
create table units.unit_events (
    id bigint generated always as identity primary key,
    unit_code text not null references units.units (code),
    what text not null constraint unit_event_is_known check (
        what in ('added', 'renamed', 'moved', 'merged', 'closed')),
    -- The day on which the decision takes effect, and its number (`12/QĐ-UBND`).
    -- Both are null for a unit that was there before it was put on record.
    effective_on date,
    decision_number text,
    -- Only the facts that changed.
    before jsonb not null,
    after jsonb not null,
    -- Who took the unit over.
    successor text references units.units (code),
    made_at timestamptz not null,
    constraint a_change_needs_a_decision check (
        what = 'added' and decision_number is null
        or decision_number is not null and btrim(decision_number) <> '' and length(decision_number) <= 100),
    constraint a_decision_has_number_and_date check ((decision_number is null) = (effective_on is null)),
    constraint only_a_merger_names_a_successor check ((what = 'merged') = (successor is not null))
);
create index unit_events_by_unit on units.unit_events (unit_code);
create index unit_events_by_successor on units.unit_events (successor) where successor is not null;
-- A unit begins once.
create unique index a_unit_begins_once on units.unit_events (unit_code) where what = 'added';
comment on table units.unit_events is 'rights: select, insert';

create table units.former_names (
    unit_code text not null references units.units (code),
    name text not null,
    short_name text not null,
    name_en text not null,
    -- The day from which the unit was called otherwise.
    until date not null,
    -- Name and short name without marks, in small letters: made by the program (kit.vietnamese.search_key).
    search_key text not null,
    event_id bigint primary key references units.unit_events (id)
);
create index former_names_by_unit on units.former_names (unit_code);
comment on table units.former_names is 'rights: select, insert';

alter table units.units
    add column search_key text not null default '',
    add constraint the_root_stays check (managed_by is not null or closed_on is null),
    add constraint website_is_a_web_address check (website ~ '^https?://[^[:space:]]+$');

-- Units that are there already: as the program would write it, for Vietnamese letters.
update units.units set search_key = lower(regexp_replace(
    normalize(translate(name || ' ' || short_name, 'đĐðÐ', 'dddd'), NFD), '[\u0300-\u036f]', '', 'g'));
insert into units.unit_events (unit_code, what, before, after, made_at)
select code, 'added', '{}', jsonb_build_object('name', name, 'managed_by', managed_by, 'kind', kind), created_at
from units.units;

-- An import of many units is one change.
alter table units.changes
    drop constraint change_is_known,
    add constraint change_is_known check (what in (
        'added', 'described', 'released', 'removed', 'withdrawn',
        'renamed', 'moved', 'merged', 'closed', 'imported'));
