-- What a unit shows of itself: an accent colour, a logo, and the editorial board that answers for its pages.

-- Pictures as we made them anew from what was uploaded: PNG, small. One that nobody has approved is nobody's logo yet.
create table units.pictures (
    unit_code text not null references units.units (code),
    hash text not null constraint picture_hash_is_hexadecimal check (hash ~ '^[0-9a-f]{32}$'),
    content bytea not null constraint picture_is_small check (octet_length(content) between 1 and 65536),
    added_at timestamptz not null,
    primary key (unit_code, hash)
);

create table units.looks (
    unit_code text primary key references units.units (code),
    -- The colour on light surfaces; the one on dark surfaces is derived from it.
    accent text constraint accent_is_a_colour check (accent ~ '^#[0-9a-f]{6}$'),
    logo text,
    constraint logo_is_one_of_its_pictures foreign key (unit_code, logo) references units.pictures (unit_code, hash)
);

-- TT 37/2020 asks for a board (Ban Biên tập), set up by a decision.
create table units.editorial_boards (
    unit_code text primary key references units.units (code),
    decision_number text not null constraint board_has_a_decision check (btrim(decision_number) <> ''),
    decided_on date not null
);

create table units.editorial_board_people (
    unit_code text not null references units.editorial_boards (unit_code) on delete cascade,
    place smallint not null,
    part text not null constraint board_part_is_known check (part in ('head', 'deputy', 'member')),
    name text not null constraint board_person_has_a_name check (btrim(name) <> ''),
    position text not null,
    primary key (unit_code, place)
);
create unique index a_board_has_one_head on units.editorial_board_people (unit_code) where part = 'head';
