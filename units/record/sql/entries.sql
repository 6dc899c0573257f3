-- Entries of the record.

-- name: add_entry(officer_id, through, unit_code, action, object_kind, object_id, address, request_id, details)!
insert into units.record_entries (
    officer_id, through, unit_code, action, object_kind, object_id, address, request_id, details)
values (
    :officer_id::text::uuid, :through, :unit_code, :action, :object_kind, :object_id, :address, :request_id,
    :details::text::jsonb);
