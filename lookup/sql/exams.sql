-- Exams, their papers and their generations, as web workers keep them in memory.

-- name: list_exams(code)
-- All exams, or just the one that is named.
select code, unit_code, name, name_en, year, kind, policy, number_format, total_rule, regrade, show_name, announced_at,
    withdrawn_generation, listed_at, lookup_rate, wrong_factor_rate, foreign_origin_rate
from lookup.exams
where :code::text is null or code = :code::text
order by year desc, code;

-- name: list_subjects(code)
select exam_code, position, code, variant, name, name_en, type, decimals, step, lowest, highest
from lookup.exam_subjects
where :code::text is null or exam_code = :code::text
order by exam_code, position;

-- name: list_releases(code)
-- With the newest file of each. How scores are spread is told once they are open, not before.
select r.exam_code, r.generation, r.opens_at, r.sealed_at,
    case when r.opens_at <= clock_timestamp() then r.distributions else '{}' end as distributions,
    b.id as bundle_id, b.sha256, b.size, b.signed_by, b.stored_at
from lookup.releases r
left join lateral (
    select id, sha256, size, signed_by, stored_at from lookup.bundles
    where exam_code = r.exam_code and generation = r.generation and state = 'stored'
    order by id desc limit 1
) b on true
where :code::text is null or r.exam_code = :code::text
order by r.exam_code, r.generation;

-- name: add_exam(code, unit_code, name, name_en, year, kind, policy, number_format, total_rule, regrade, show_name, announced_at, listed_at, created_at)!
insert into lookup.exams (
    code, unit_code, name, name_en, year, kind, policy, number_format, total_rule, regrade, show_name, announced_at,
    listed_at, created_at)
values (
    :code, :unit_code, :name, :name_en, :year, :kind, :policy, :number_format, :total_rule, :regrade, :show_name,
    :announced_at, :listed_at, :created_at);

-- name: mark_listed(code, now)$
-- Says of whose exam the public hears now; nothing when it knew of it before.
update lookup.exams set listed_at = :now where code = :code and listed_at is null returning unit_code;

-- name: add_subject(exam_code, position, code, variant, name, name_en, type, decimals, step, lowest, highest)!
insert into lookup.exam_subjects (
    exam_code, position, code, variant, name, name_en, type, decimals, step, lowest, highest)
values (
    :exam_code, :position, :code, :variant, :name, :name_en, :type, :decimals, :step, :lowest, :highest);

-- name: lock_exam(code)^
select unit_code, name, name_en, announced_at, regrade::text, listed_at, lookup_rate, wrong_factor_rate,
    foreign_origin_rate
from lookup.exams where code = :code for update;

-- name: describe_exam(code, name, name_en, announced_at, regrade)!
update lookup.exams set name = :name, name_en = :name_en, announced_at = :announced_at, regrade = :regrade
where code = :code;

-- name: set_rates(code, lookup_rate, wrong_factor_rate, foreign_origin_rate)!
update lookup.exams set
    lookup_rate = :lookup_rate, wrong_factor_rate = :wrong_factor_rate, foreign_origin_rate = :foreign_origin_rate
where code = :code;

-- name: reshape_exam(code, year, kind, policy, number_format, total_rule, show_name)!
update lookup.exams set
    year = :year, kind = :kind, policy = :policy, number_format = :number_format, total_rule = :total_rule,
    show_name = :show_name
where code = :code;

-- name: count_batches(code)$
select count(*) from lookup.batches where exam_code = :code;

-- name: count_releases(code)$
select count(*) from lookup.releases where exam_code = :code;

-- name: remove_uploads(code)!
delete from lookup.uploads where exam_code = :code;

-- name: remove_results(code)!
delete from lookup.results where exam_code = :code;

-- name: remove_batches(code)!
delete from lookup.batches where exam_code = :code;

-- name: remove_subjects(code)!
delete from lookup.exam_subjects where exam_code = :code;

-- name: remove_exam(code)!
delete from lookup.exams where code = :code;
