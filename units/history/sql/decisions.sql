-- Founding, renaming, moving, merging and closing units.

-- name: add_units(units)!
insert into units.units (
    code, kind, name, short_name, name_en, managed_by, province_code, commune_code, governing_body,
    responsible_person, address, hotline, email, website, search_key)
select code, kind, name, short_name, name_en, managed_by, province_code, commune_code, governing_body,
       responsible_person, address, hotline, email, website, search_key
from jsonb_to_recordset(:units::text::jsonb) as told (
    code text, kind text, name text, short_name text, name_en text, managed_by text, province_code text,
    commune_code text, governing_body text, responsible_person text, address text, hotline text, email text,
    website text, search_key text);

-- name: add_foundings(units, made_at)!
insert into units.unit_events (unit_code, what, effective_on, decision_number, before, after, made_at)
select code, 'added', effective_on, decision_number, '{}', facts, :made_at
from jsonb_to_recordset(:units::text::jsonb) as told (
    code text, effective_on date, decision_number text, facts jsonb);

-- name: mark_renamed(code, name, short_name, name_en, search_key)!
update units.units set name = :name, short_name = :short_name, name_en = :name_en, search_key = :search_key
where code = :code;

-- name: add_former_name(unit_code, name, short_name, name_en, until, search_key, event_id)!
insert into units.former_names (unit_code, name, short_name, name_en, until, search_key, event_id)
values (:unit_code, :name, :short_name, :name_en, :until, :search_key, :event_id);

-- name: mark_moved(code, managed_by, province_code, commune_code, address)!
update units.units set
    managed_by = :managed_by,
    province_code = :province_code,
    commune_code = :commune_code,
    address = :address
where code = :code;

-- name: mark_closed(codes, closed_on, succeeded_by)!
update units.units set closed_on = :closed_on, succeeded_by = :succeeded_by where code = any (:codes::text[]);
