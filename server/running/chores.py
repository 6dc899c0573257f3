"""What the worker process does beside the requests: jobs that were left in the queue, and chores that come round."""

from datetime import timedelta

from server.running import (
    approval_work,
    delivery_work,
    mail_work,
    record_work,
    score_work,
    seal_work,
    sign_in_work,
    staff_work,
)
from server.running.workshop import Chore, JobHandler, Workshop
from units.record.chores import CHECK_EVERY, HEADS_EVERY, SEGMENTS_EVERY

__all__ = ["CHORES", "JOBS", "Chore", "JobHandler", "Workshop"]

# By the name under which `leave_job` left it. A job may be done twice (whoever did it was killed before saying so), and
# one that fails comes again later: a handler looks first what is done already. Neither jobs nor chores hold a
# transaction open while they wait for anybody: the record is sealed behind the oldest running one.
JOBS: dict[str, JobHandler] = {
    "mail": mail_work.send_mail,
    "score-upload": score_work.take_up_files,
    "seal-release": seal_work.seal_release,
    "password_reset": sign_in_work.answer_forgotten_password,
}

# These wait for a worker that holds a key of this name: a node that only answers lookups has none.
JOBS_WITH_KEYS = {"seal-release": "release", "score-upload": "pin"}

CHORES: list[Chore] = [
    # Who seals is settled by the sealers themselves: the next one takes over at once.
    Chore("seal-record", record_work.seal, everywhere=True),
    Chore("tell-record-head", record_work.tell_head, every=HEADS_EVERY, everywhere=True),
    Chore("make-record-segments", record_work.make_room, every=SEGMENTS_EVERY),
    Chore("check-record", record_work.check, every=CHECK_EVERY / 24),
    Chore("fetch-bundles", delivery_work.fetch_bundles, everywhere=True),
    Chore("send-keys", delivery_work.send_keys, everywhere=True),
    Chore("make-key-slips", delivery_work.make_slips, every=timedelta(seconds=5), everywhere=True),
    Chore("note-key-slips", delivery_work.note_slips, every=timedelta(seconds=10), everywhere=True),
    Chore("tidy-pieces", delivery_work.tidy_pieces, every=timedelta(hours=1)),
    Chore("find-unsealed", seal_work.find_unsealed, every=timedelta(minutes=1)),
    Chore("sweep-sealing", seal_work.sweep_folder, every=timedelta(hours=1), everywhere=True),
    Chore("count-work", mail_work.count_what_waits, every=timedelta(seconds=15), everywhere=True),
    Chore("tidy-queue", mail_work.tidy_queue, every=timedelta(hours=6)),
    Chore("forget-mails", mail_work.forget_mails, every=timedelta(hours=6)),
    Chore("forget-sightings", score_work.forget_what_was_seen, every=timedelta(days=1)),
    Chore("erase-result-files", score_work.erase_files, every=timedelta(hours=1)),
    Chore("sweep-result-files", score_work.sweep_files, every=timedelta(hours=1), everywhere=True),
    Chore("forget-sign-ins", sign_in_work.forget_traces, every=timedelta(hours=6)),
    Chore("find-approvers", approval_work.find_places, every=approval_work.EVERY),
    Chore("look-after-idle-accounts", staff_work.look_after_idle, every=timedelta(days=1)),
    Chore("ask-for-a-mail-server", mail_work.ask_for_a_mail_server, every=timedelta(hours=1)),
]
