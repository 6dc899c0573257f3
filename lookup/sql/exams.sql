-- Exams, their papers and their generations, as web workers keep them in memory.

-- name: list_exams()
select code, unit_code, name, name_en, year, kind, policy, number_format, total_rule, regrade, show_name, announced_at, withdrawn_generation
from lookup.exams
order by year desc, code;

-- name: list_subjects()
select exam_code, position, code, variant, name, name_en, type, decimals, step, lowest, highest
from lookup.exam_subjects
order by exam_code, position;

-- name: list_releases()
select exam_code, generation, opens_at, distributions
from lookup.releases
order by exam_code, generation;

-- name: add_exam(code, unit_code, name, name_en, year, kind, policy, number_format, total_rule, regrade, show_name, announced_at)!
insert into lookup.exams (
    code, unit_code, name, name_en, year, kind, policy, number_format, total_rule, regrade, show_name, announced_at)
values (
    :code, :unit_code, :name, :name_en, :year, :kind, :policy, :number_format, :total_rule, :regrade, :show_name,
    :announced_at);

-- name: add_subject(exam_code, position, code, variant, name, name_en, type, decimals, step, lowest, highest)!
insert into lookup.exam_subjects (
    exam_code, position, code, variant, name, name_en, type, decimals, step, lowest, highest)
values (
    :exam_code, :position, :code, :variant, :name, :name_en, :type, :decimals, :step, :lowest, :highest);

-- name: describe_exam(code, name, name_en, announced_at, regrade)!
-- Null leaves a fact as it stands.
update lookup.exams set
    name = coalesce(:name, name),
    name_en = coalesce(:name_en, name_en),
    announced_at = coalesce(:announced_at, announced_at),
    regrade = coalesce(:regrade, regrade)
where code = :code;

-- name: count_releases(code)$
select count(*) from lookup.releases where exam_code = :code;

-- name: remove_results(code)!
delete from lookup.results where exam_code = :code;

-- name: remove_batches(code)!
delete from lookup.batches where exam_code = :code;

-- name: remove_subjects(code)!
delete from lookup.exam_subjects where exam_code = :code;

-- name: remove_exam(code)!
delete from lookup.exams where code = :code;
