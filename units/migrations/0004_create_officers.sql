-- Officers, what each may do for which unit, and how they prove who they are.
create table units.officers (
    id uuid primary key default gen_random_uuid(),
    -- One address, one person.
    email text not null constraint officer_email_is_taken unique
        constraint officer_email_is_lower_case check (email = lower(email)),
    -- The public card: how to address them (Ông, Bà, Thầy, Cô), name, position, office phone. Never a private phone.
    salutation text not null default '',
    full_name text not null default '',
    position text not null default '',
    office_phone text not null default '',
    state text not null constraint officer_state_is_known check (state in ('invited', 'active', 'asleep', 'disabled')),
    password_hash text,
    password_changed_at timestamptz,
    -- Sealed under the key `totp`; null until two-factor sign-in is set up.
    totp_secret bytea,
    -- The last time step that was accepted: a code works once.
    totp_last_step bigint,
    created_at timestamptz not null,
    last_signed_in_at timestamptz,
    -- Whoever is active can prove it twice.
    constraint active_officer_has_two_factors check (
        state not in ('active', 'asleep') or (password_hash is not null and totp_secret is not null))
);

create table units.officer_roles (
    officer_id uuid not null references units.officers (id),
    unit_code text not null references units.units (code),
    role text not null constraint role_is_known check (
        role in ('reviewer', 'editor', 'approver', 'administrator', 'auditor', 'operator')),
    granted_by uuid references units.officers (id),
    granted_at timestamptz not null,
    primary key (officer_id, unit_code, role)
);
create index officer_roles_by_unit on units.officer_roles (unit_code);

-- A session is a row: it can be seen, and ended. Its name is the SHA-256 of what the cookie holds.
create table units.sessions (
    token_hash bytea primary key,
    id uuid not null unique default gen_random_uuid(),
    officer_id uuid not null references units.officers (id),
    -- password: the first factor was right, the second is awaited; full: signed in.
    stage text not null constraint session_stage_is_known check (stage in ('password', 'full')),
    began_at timestamptz not null,
    seen_at timestamptz not null,
    address text not null,
    device text not null,
    ended_at timestamptz,
    ended_because text
);
create index sessions_by_officer on units.sessions (officer_id);
