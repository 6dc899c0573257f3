-- How units' pages look.

-- name: find_look(unit_code)^
select accent, logo from units.looks where unit_code = :unit_code;

-- name: set_look(unit_code, accent, logo)!
insert into units.looks (unit_code, accent, logo) values (:unit_code, :accent, :logo)
on conflict (unit_code) do update set accent = excluded.accent, logo = excluded.logo;
