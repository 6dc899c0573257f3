-- Pictures of units.

-- name: add_picture(unit_code, hash, content, added_at)!
insert into units.pictures (unit_code, hash, content, added_at)
values (:unit_code, :hash, :content, :added_at)
on conflict (unit_code, hash) do update set added_at = excluded.added_at;

-- name: find_picture(unit_code, hash)$
select content from units.pictures where unit_code = :unit_code and hash = :hash;

-- name: remove_unused_pictures(unit_code, before)!
-- Neither the logo, nor waiting for a second person.
delete from units.pictures p
where p.unit_code = :unit_code and p.added_at < :before
  and not exists (select from units.looks l where l.unit_code = p.unit_code and l.logo = p.hash)
  and not exists (select from units.approvals a
                  where a.kind = 'unit-page' and a.about = p.unit_code and a.state = 'waiting'
                    and a.payload ->> 'logo' = p.hash);
