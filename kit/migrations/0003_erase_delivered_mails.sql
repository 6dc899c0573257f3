-- A letter is kept for as long as it is on its way, and no longer.
alter table kit.mails add constraint a_mail_is_on_its_way_or_done check (
    (sealed is null) = (sent_at is not null or given_up_at is not null)
);
create index mails_on_their_way on kit.mails (queued_at) where sealed is not null;
