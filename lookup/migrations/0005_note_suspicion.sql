-- What looked like collecting or guessing, by exam, pattern and hour: so many lookups, and how many were answered.
-- Nothing about an address or a candidate number.
create table lookup.sightings (
    exam_code text not null references lookup.exams (code) on delete cascade,
    pattern text not null,
    hour timestamptz not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    lookups bigint not null,
    challenged bigint not null,
    slowed bigint not null,
    answered bigint not null,
    primary key (exam_code, pattern, hour)
);
