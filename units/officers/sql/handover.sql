-- Who takes over.

-- name: list_holders(unit_codes, role, but)
select o.id, o.email, o.salutation, o.full_name, o.position, o.office_phone, o.state,
       (select coalesce(json_agg(json_build_object('unit_code', r.unit_code, 'role', r.role)
                                 order by r.unit_code, r.role), '[]')
        from units.officer_roles r where r.officer_id = o.id)::text as roles
from units.officers o
where o.state = 'active' and o.id::text <> :but
  and exists (select from units.officer_roles h
              where h.officer_id = o.id and h.role = :role and h.unit_code = any (:unit_codes::text[]))
order by o.full_name, o.email;
