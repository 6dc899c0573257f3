-- Bring a file of results in: staged first, compared with what is on record, then stored as one batch.

-- name: create_staged_results()#
-- A file's rows as read. Temporary: the server writes no log for it, and forgets it with the transaction.
create temporary table staged_results (
    row_number integer not null,
    candidate_number text collate "C" not null,
    scores numeric[] not null,
    marks text[],
    total numeric,
    name text,
    birth_date date,
    pin_hash bytea
) on commit drop;

-- name: create_latest_results()#
-- What is on record for the same exam: the last version of each candidate, released or not.
create temporary table latest_results (
    candidate_number text collate "C" not null,
    version smallint not null,
    scores numeric[] not null,
    marks text[],
    total numeric,
    name text,
    birth_date date,
    pin_hash bytea
) on commit drop;

-- name: analyze_staged_results()#
analyze staged_results;

-- name: avoid_nested_loops()#
-- Nobody has counted a table that was filled a moment ago: a million times a million steps would look cheap.
set local enable_nestloop = off;

-- name: allow_more_memory()#
-- A million rows are sorted and joined without going to the disk.
set local work_mem = '128MB';

-- name: count_twins()$
-- How many candidates stand in more than one row.
select count(*)
from (select candidate_number from staged_results group by candidate_number having count(*) > 1) as twins;

-- name: list_twins(most)
-- The candidates who stand in several rows, with those rows.
with twins as (
    select candidate_number from staged_results group by candidate_number having count(*) > 1 limit :most)
select candidate_number, array_agg(row_number order by row_number) as row_numbers
from staged_results join twins using (candidate_number)
group by candidate_number
order by min(row_number);

-- name: lock_import(exam_code)$
-- Two imports of one exam wait for each other; the lock ends with the transaction.
select pg_advisory_xact_lock(hashtextextended('score import ' || :exam_code, 0));

-- name: gather_latest_results(exam_code)$
with gathered as (
    insert into latest_results (candidate_number, version, scores, marks, total, name, birth_date, pin_hash)
    select distinct on (candidate_number)
        candidate_number, version, scores, marks, total, name, birth_date, pin_hash
    from lookup.results
    where exam_code = :exam_code
    order by candidate_number, version desc
    returning 1)
select count(*) from gathered;

-- name: has_releases(exam_code)$
select exists (select from lookup.releases where exam_code = :exam_code);

-- name: list_lost_papers(positions)
-- Papers that the file has no column for, though some of its candidates have them on record.
select paper.position, count(*) as candidates
from latest_results l join staged_results s using (candidate_number)
    cross join unnest(:positions::smallint[]) as paper (position)
where l.scores[paper.position] is not null or l.marks[paper.position] is not null
group by paper.position
order by paper.position;

-- name: count_lost_totals()$
select count(*)
from latest_results l join staged_results s using (candidate_number)
where l.total is not null;

-- name: keep_details(keep_names, keep_birth_dates, keep_pins)!
-- What the file has no column for stays as it is on record.
update staged_results s
set name = case when :keep_names::boolean then l.name else s.name end,
    birth_date = case when :keep_birth_dates::boolean then l.birth_date else s.birth_date end,
    pin_hash = case when :keep_pins::boolean then l.pin_hash else s.pin_hash end
from latest_results l
where l.candidate_number = s.candidate_number
    and (:keep_names::boolean and l.name is not null
        or :keep_birth_dates::boolean and l.birth_date is not null
        or :keep_pins::boolean and l.pin_hash is not null);

-- name: count_changes()^
select count(*) filter (where l.candidate_number is null) as new,
    count(*) filter (
        where l.candidate_number is not null
            and (l.scores, l.marks, l.total, l.name, l.birth_date, l.pin_hash)
                is distinct from (s.scores, s.marks, s.total, s.name, s.birth_date, s.pin_hash)) as changed
from staged_results s left join latest_results l using (candidate_number);

-- name: count_changed_papers()
-- By paper, among candidates who are on record: scores that rise or fall, what comes, what goes, and other changes.
select paper.position::smallint as position,
    count(*) filter (where paper.after > paper.before) as higher,
    count(*) filter (where paper.after < paper.before) as lower,
    count(*) filter (where paper.before is null and paper.mark_before is null) as added,
    count(*) filter (where paper.after is null and paper.mark_after is null) as removed,
    count(*) filter (
        where (paper.before is null or paper.after is null)
            and coalesce(paper.before::text, paper.mark_before) is not null
            and coalesce(paper.after::text, paper.mark_after) is not null) as other,
    max(abs(paper.after - paper.before)) as largest
from staged_results s join latest_results l using (candidate_number)
    cross join lateral unnest(l.scores, s.scores, l.marks, s.marks)
        with ordinality as paper (before, after, mark_before, mark_after, position)
where (l.scores, l.marks) is distinct from (s.scores, s.marks)
    and (paper.before, paper.mark_before) is distinct from (paper.after, paper.mark_after)
group by paper.position
order by paper.position;

-- name: add_batch(exam_code, imported_at, file_name, file_sha256, reason, result_count, uploaded_by)$
insert into lookup.batches (exam_code, imported_at, file_name, file_sha256, reason, result_count, uploaded_by)
values (:exam_code, :imported_at, :file_name, :file_sha256, :reason, :result_count, :uploaded_by::text::uuid)
returning id;

-- name: add_results(exam_code, batch_id)!
-- New candidates, and the next version of those whose result is another one than on record.
insert into lookup.results (
    exam_code, candidate_number, version, batch_id, scores, marks, total, name, birth_date, pin_hash)
select :exam_code::text, s.candidate_number, coalesce(l.version, 0) + 1, :batch_id::bigint,
    s.scores, s.marks, s.total, s.name, s.birth_date, s.pin_hash
from staged_results s left join latest_results l using (candidate_number)
where l.candidate_number is null
    or (l.scores, l.marks, l.total, l.name, l.birth_date, l.pin_hash)
        is distinct from (s.scores, s.marks, s.total, s.name, s.birth_date, s.pin_hash);
