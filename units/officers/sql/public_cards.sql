-- What the public reads of an officer.

-- name: mark_described(officer_id, salutation, full_name, position, office_phone)!
update units.officers set
    salutation = :salutation, full_name = :full_name, position = :position, office_phone = :office_phone
where id = :officer_id::text::uuid;
