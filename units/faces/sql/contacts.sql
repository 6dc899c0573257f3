-- Contact persons of units. Whoever is not active, or holds no role there any more, is none.

-- name: list_contacts(unit_code)
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state, '[]' as roles
from units.unit_contacts c join units.officers o on o.id = c.officer_id
where c.unit_code = :unit_code and o.state = 'active' and o.full_name <> ''
  and exists (select from units.officer_roles r where r.officer_id = o.id and r.unit_code = c.unit_code)
order by c.position;

-- name: list_eligible(unit_code)
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state, '[]' as roles
from units.officers o
where o.state = 'active' and o.full_name <> ''
  and exists (select from units.officer_roles r where r.officer_id = o.id and r.unit_code = :unit_code)
order by o.full_name, o.id;

-- name: remove_contacts(unit_code)!
delete from units.unit_contacts where unit_code = :unit_code;

-- name: add_contact(unit_code, officer_id, position)!
insert into units.unit_contacts (unit_code, officer_id, position)
values (:unit_code, :officer_id::text::uuid, :position);
