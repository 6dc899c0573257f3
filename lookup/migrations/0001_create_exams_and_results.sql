-- Exams, their results as versions, and the releases that make them public.
create schema lookup;

create table lookup.exams (
    code text primary key
        constraint exam_code_is_a_slug check (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    unit_code text not null references units.units (code),
    name text not null constraint exam_has_a_name check (btrim(name) <> ''),
    name_en text not null,
    year smallint not null constraint exam_year_is_plausible check (year between 1990 and 2100),
    kind text not null,
    policy text not null
        constraint exam_policy_is_known check (policy in ('public', 'birth-date', 'pin')),
    -- One or more masks joined by "|": 9 stands for a digit, A for a letter, all else for itself.
    number_format text not null,
    -- The exam's rule for a total: {"name", "name_en", "decimals", "coefficients": {subject: weight}}, or null.
    total_rule jsonb,
    -- Re-marking (phúc khảo) as text: {"from", "to", "where", "fee"}, or null.
    regrade jsonb,
    show_name boolean not null default false
        constraint a_public_exam_shows_no_name check (not (show_name and policy = 'public')),
    -- The moment the unit has announced, while no release has been approved for one yet.
    announced_at timestamptz,
    -- Generations up to this one are taken down; 0: none.
    withdrawn_generation integer not null default 0,
    created_at timestamptz not null default clock_timestamp()
);

-- One row per slot of results.scores. Languages share a code and differ by variant (N1 Anh, N2 Nga, ...).
create table lookup.exam_subjects (
    exam_code text not null references lookup.exams (code),
    position smallint not null constraint position_counts_from_one check (position >= 1),
    code text not null,
    variant text not null default '',
    name text not null,
    name_en text not null,
    -- score: a number; grade, prize, outcome: a mark only.
    type text not null
        constraint subject_type_is_known check (type in ('score', 'grade', 'prize', 'outcome')),
    decimals smallint not null constraint decimals_are_few check (decimals between 0 and 3),
    step numeric(6, 3) not null constraint step_is_positive check (step > 0),
    lowest numeric(8, 3) not null,
    highest numeric(8, 3) not null,
    primary key (exam_code, position),
    constraint subject_stands_once_in_an_exam unique (exam_code, code, variant)
);

-- An import is a batch: its rows become public together, when a release takes them up.
create table lookup.batches (
    id bigint generated always as identity primary key,
    exam_code text not null references lookup.exams (code),
    imported_at timestamptz not null,
    file_name text not null,
    file_sha256 text not null,
    reason text,
    result_count integer not null,
    -- null until a release takes it up; then the generation that made it public.
    generation integer
);
create index batches_by_exam on lookup.batches (exam_code, generation);

create table lookup.results (
    exam_code text not null,
    candidate_number text not null,
    version smallint not null constraint version_counts_from_one check (version >= 1),
    batch_id bigint not null references lookup.batches (id),
    -- Aligned with exam_subjects.position; null in both arrays: this paper was not taken.
    scores numeric[] not null,
    marks text[],
    total numeric,
    name text constraint name_is_a_name check (char_length(name) <= 150),
    birth_date date,
    -- Only for pins that came with a file: HMAC(pin key, exam, number, pin). Pins that we issue are derived.
    pin_hash bytea,
    primary key (exam_code, candidate_number, version)
);

-- Each release is a generation of an exam: what the public sees from opens_at on.
create table lookup.releases (
    exam_code text not null references lookup.exams (code),
    generation integer not null constraint generation_counts_from_one check (generation >= 1),
    opens_at timestamptz not null,
    released_at timestamptz not null,
    emergency_reason text,
    result_count integer not null,
    -- How many had each score, by subject position, counted once: {"1": [["8.25", 310], ...], ...}
    distributions jsonb not null,
    primary key (exam_code, generation)
);
