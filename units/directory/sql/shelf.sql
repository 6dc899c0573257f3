-- What the directory of units asks.

-- name: list_names()
-- What units were called before, whoever they are.
select unit_code, name from units.former_names
union
select unit_code, short_name from units.former_names
order by 1, 2;
