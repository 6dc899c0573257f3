"""What the worker process does beside the requests: jobs that were left in the queue, and chores that come round."""

from datetime import timedelta

from server.running import mail_work
from server.running.workshop import Chore, JobHandler, Workshop

__all__ = ["CHORES", "JOBS", "Chore", "JobHandler", "Workshop"]

# By the name under which `leave_job` left it. A job may be done twice (whoever did it was killed before saying so), and
# one that fails comes again later: a handler looks first what is done already. Neither jobs nor chores hold a
# transaction open while they wait for anybody: the record is sealed behind the oldest running one.
JOBS: dict[str, JobHandler] = {
    "mail": mail_work.send_mail,
}

CHORES: list[Chore] = [
    Chore("count-work", mail_work.count_what_waits, every=timedelta(seconds=15)),
    Chore("tidy-queue", mail_work.tidy_queue, every=timedelta(hours=6)),
    Chore("forget-mails", mail_work.forget_mails, every=timedelta(hours=6)),
    Chore("ask-for-a-mail-server", mail_work.ask_for_a_mail_server, every=timedelta(hours=1)),
]
