-- What editors have begun and not handed in yet.

-- name: list_in_preparation(unit_codes)
-- Exams with the last file that came and with what no release has taken up; the newest work first.
select e.code, e.name, e.unit_code, e.listed_at is null as is_draft,
    file.id::text as file_id, file.file_name, file.state, file.uploaded_at,
    (file.findings ->> 'error_count')::integer as error_count,
    (file.findings ->> 'new')::integer + (file.findings ->> 'changed')::integer as to_import,
    waiting.results, waiting.imported_at
from lookup.exams e
    left join lateral (
        select u.id, u.file_name, u.state, u.uploaded_at, u.findings
        from lookup.uploads u
        where u.exam_code = e.code and u.state not in ('arriving', 'discarded')
        order by u.uploaded_at desc
        limit 1
    ) file on file.state <> 'imported'
    left join lateral (
        select sum(b.result_count)::bigint as results, max(b.imported_at) as imported_at
        from lookup.batches b
        where b.exam_code = e.code and b.generation is null
    ) waiting on true
where e.unit_code = any (:unit_codes::text[])
    and (e.listed_at is null or file.id is not null or waiting.results is not null)
order by greatest(e.created_at, file.uploaded_at, waiting.imported_at) desc, e.code;
