-- Mail domains of a unit.

-- name: list_domains(unit_code)
select domain from units.mail_domains where unit_code = :unit_code order by domain;

-- name: end_domains(unit_code)!
delete from units.mail_domains where unit_code = :unit_code;

-- name: add_domains(unit_code, domains)!
insert into units.mail_domains (unit_code, domain) select :unit_code, unnest(:domains::text[]);
