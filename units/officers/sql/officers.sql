-- Officers and their roles.

-- name: find_officer(officer_id)^
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
where o.id::text = :officer_id;

-- name: list_officers_by_id(ids)
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
where o.id::text = any (:ids::text[]);

-- name: list_officers()
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
order by o.email;
