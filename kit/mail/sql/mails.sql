-- Mail on its way.

-- name: add_mail(key, message_id, recipient, sealed, queued_at)!
insert into kit.mails (key, message_id, recipient, sealed, queued_at)
values (:key, :message_id, :recipient, :sealed, :queued_at)
on conflict (key) do nothing;
