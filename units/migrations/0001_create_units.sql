-- Who takes part: departments, communes, schools. Two relations, never one:
-- managed_by carries roles and approval; the commune a unit stands in carries search and addresses.
create schema units;

create table units.units (
    code text primary key
        constraint unit_code_is_a_slug check (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    kind text not null
        constraint unit_kind_is_known check (kind in (
            'department', 'commune', 'kindergarten', 'primary', 'lower-secondary', 'upper-secondary',
            'specialised', 'continuing-education', 'community-learning', 'historical-office')),
    name text not null constraint unit_has_a_name check (btrim(name) <> ''),
    short_name text not null,
    name_en text not null,
    managed_by text references units.units (code),
    province_code text constraint province_code_has_two_digits check (province_code ~ '^[0-9]{2}$'),
    commune_code text constraint commune_code_has_five_digits check (commune_code ~ '^[0-9]{5}$'),
    -- What the law wants at the end of every page (TT 37/2020): owner, responsible person, address, hotline, mail.
    governing_body text not null,
    responsible_person text not null,
    address text not null,
    hotline text not null,
    email text not null,
    website text,
    created_at timestamptz not null default clock_timestamp(),
    constraint unit_does_not_manage_itself check (managed_by is distinct from code)
);

-- There is one root: the unit that owns whatever names no other owner.
create unique index only_one_unit_is_the_root on units.units ((true)) where managed_by is null;

-- Named neutrally until `baodanh unit describe` tells who runs this service.
insert into units.units (code, kind, name, short_name, name_en, governing_body, responsible_person, address, hotline, email)
values ('so', 'department', 'Sở Giáo dục và Đào tạo', 'Sở GDĐT', 'Department of Education and Training',
        'Ủy ban nhân dân cấp tỉnh', '', '', '', '');
