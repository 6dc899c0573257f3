-- How officers come in: links by mail, codes, devices they used before, and how often somebody tried in vain.

-- A link that a letter carries, by the SHA-256 of its secret; it works once.
create table units.sign_in_tokens (
    token_hash bytea primary key,
    officer_id uuid not null references units.officers (id),
    purpose text not null constraint token_purpose_is_known check (
        purpose in ('invitation', 'password_reset', 'waking')),
    made_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index sign_in_tokens_by_officer on units.sign_in_tokens (officer_id, purpose, made_at);

-- The steps on the way in, each a session of its own. invitation: came by a link, has no password yet; set_up: the
-- password is right, two-factor sign-in is to be set up; password: the code is awaited; waking: the same for an
-- account that sleeps; reset: may choose a new password; full: signed in.
alter table units.sessions drop constraint session_stage_is_known;
alter table units.sessions add constraint session_stage_is_known check (
    stage in ('invitation', 'set_up', 'password', 'waking', 'reset', 'full'));
-- A second factor that is shown and not confirmed yet, sealed like `officers.totp_secret`.
alter table units.sessions add column totp_draft bytea;

-- The last ten, the one in use among them.
create table units.past_passwords (
    officer_id uuid not null references units.officers (id),
    hash text not null,
    set_at timestamptz not null
);
create index past_passwords_by_officer on units.past_passwords (officer_id, set_at);

-- In place of the second factor; each works once. Kept as keyed hashes.
create table units.recovery_codes (
    officer_id uuid not null references units.officers (id),
    code_hash bytea not null,
    made_at timestamptz not null,
    used_at timestamptz,
    primary key (officer_id, code_hash)
);

-- A browser that an officer has signed in with before, by the SHA-256 of what its cookie holds.
create table units.known_devices (
    officer_id uuid not null references units.officers (id),
    secret_hash bytea not null,
    device text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    primary key (officer_id, secret_hash)
);
create index known_devices_by_secret on units.known_devices (secret_hash);

-- Attempts that were not forgiven by a right one. `account` is a keyed hash of the address typed, whether somebody has
-- it or not; `prefix` the neighbourhood of addresses, or empty for the account as a whole.
create table units.sign_in_attempts (
    account bytea not null,
    factor text not null constraint factor_is_known check (factor in ('password', 'code')),
    prefix text not null,
    failures integer not null,
    last_at timestamptz not null,
    locked_until timestamptz,
    primary key (account, factor, prefix)
);
create index sign_in_attempts_by_time on units.sign_in_attempts (last_at);
