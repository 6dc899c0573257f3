-- Nodes hear that a release lies ready as a sealed file, and say by how much their clock differs from this one.
alter table units.changes
    drop constraint change_is_known,
    add constraint change_is_known check (what in (
        'added', 'described', 'released', 'removed', 'withdrawn', 'renamed', 'moved', 'merged', 'closed', 'imported',
        'sealed'));

-- Own clock minus PostgreSQL's, in milliseconds, as far as it is certain: half the round trip is taken off.
alter table units.nodes add column clock_difference_ms integer;
