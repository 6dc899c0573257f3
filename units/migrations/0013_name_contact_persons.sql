-- Whom of a unit's officers its page names as the ones to ask; whether they still serve is asked when the page is read.
create table units.unit_contacts (
    unit_code text not null references units.units (code),
    officer_id uuid not null references units.officers (id),
    position smallint not null,
    primary key (unit_code, officer_id)
);
create index unit_contacts_by_officer on units.unit_contacts (officer_id);
comment on table units.unit_contacts is 'rights: select, insert, delete';
