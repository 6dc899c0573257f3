-- Exams that nobody has announced yet, whose work a batch is, and files that officers send.

-- Null: a draft, which the public does not know. Nodes that still run the code before this one list what they add.
alter table lookup.exams add column listed_at timestamptz;
update lookup.exams set listed_at = created_at;
alter table lookup.exams alter column listed_at set default clock_timestamp();

-- Null: it came by the command line.
alter table lookup.batches add column uploaded_by uuid references units.officers (id);

-- A file on its way: what was asked, how far it is, what was found.
create table lookup.uploads (
    id uuid primary key default gen_random_uuid(),
    exam_code text not null references lookup.exams (code),
    uploaded_by uuid not null references units.officers (id),
    uploaded_at timestamptz not null,
    file_name text not null,
    file_size bigint not null default 0,
    -- arriving: bytes come in; waiting, checking, checked: the check; confirmed, importing, imported: the import;
    -- refused: no table that can be read; failed: our own trouble; discarded: nobody wants it any more.
    state text not null constraint upload_state_is_known check (state in (
        'arriving', 'waiting', 'checking', 'checked', 'confirmed', 'importing', 'imported', 'refused', 'failed',
        'discarded')),
    -- When it was handed to the worker the last time: files of one exam are taken in this order.
    queued_at timestamptz,
    attempts smallint not null default 0,
    pad_number smallint,
    convert text constraint upload_converts_known_letters check (convert in ('tcvn3', 'vni')),
    weak_pins boolean not null default false,
    reason text,
    -- Who said that it is to be imported, having seen what it changes.
    confirmed_by uuid references units.officers (id),
    -- What is on record became another one after that: it has to be looked at again.
    found_otherwise boolean not null default false,
    bytes_read bigint not null default 0,
    rows_read integer not null default 0,
    -- What the last check or import found: counts and sentences without anybody's data.
    findings jsonb,
    -- Why the file is refused, as the reader of tables says it: {"code", "facts"}.
    refusal jsonb,
    batch_id bigint references lookup.batches (id) on delete set null,
    -- When the file, its workbook and its list of problems were erased: they hold personal data.
    erased_at timestamptz
);
create index uploads_by_exam on lookup.uploads (exam_code, uploaded_at);
create index uploads_to_work_on on lookup.uploads (exam_code, queued_at)
    where state in ('waiting', 'checking', 'confirmed', 'importing');

-- The file as it came, and the workbook that goes back, in pieces that fit into memory.
create table lookup.upload_pieces (
    upload_id uuid not null references lookup.uploads (id) on delete cascade,
    what text not null constraint upload_piece_is_known check (what in ('file', 'workbook')),
    number integer not null,
    content bytea not null,
    primary key (upload_id, what, number)
);
-- A workbook is packed already, and a text is read a few times only: compressing would cost more than it saves.
alter table lookup.upload_pieces alter column content set storage external;

create table lookup.upload_problems (
    upload_id uuid not null references lookup.uploads (id) on delete cascade,
    number integer not null,
    code text not null,
    is_error boolean not null,
    row_number integer,
    column_number integer,
    heading text not null,
    cell text not null,
    facts jsonb not null,
    suggestion text,
    primary key (upload_id, number)
);
create index upload_problems_by_code on lookup.upload_problems (upload_id, code, number);
