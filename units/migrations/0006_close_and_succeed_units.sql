-- A unit that has closed keeps its code and its names; what it owned belongs to its successor.
alter table units.units
    add column closed_on date,
    add column succeeded_by text references units.units (code),
    add constraint only_a_closed_unit_has_a_successor check (succeeded_by is null or closed_on is not null),
    add constraint a_unit_does_not_succeed_itself check (succeeded_by is distinct from code);
