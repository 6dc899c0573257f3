-- Mail on its way: queued in the transaction of what it tells of, kept until a server has taken it.
create table kit.mails (
    -- Our own key: whatever asks twice is sent once.
    key text primary key,
    -- Stays the same over every attempt, so that a mail program shows a repeated one once.
    message_id text not null unique,
    recipient text not null,
    -- Subject and text, sealed: a letter may hold a link that lets somebody in. Null once it is sent or given up.
    sealed bytea,
    queued_at timestamptz not null,
    attempts integer not null default 0,
    last_problem text,
    sent_at timestamptz,
    given_up_at timestamptz
);
create index mails_by_time on kit.mails (queued_at);
