"""The mail and the queue as work: what the worker does about them, and says to whoever watches over the service."""

import structlog

from kit import queue
from kit.mail import delivery
from kit.mail.smtp_server import read_smtp_url
from server.running import work_metrics
from server.running.workshop import Workshop


async def send_mail(shop: Workshop, payload: bytes) -> None:
    """The job that a letter leaves behind."""
    key = payload.decode()
    server = read_smtp_url(shop.settings.smtp_url)
    outcome = await delivery.deliver(
        shop.pool, shop.keys, server, key, sender=shop.settings.mail_from, now=shop.clock()
    )
    if outcome == "was_done":
        return
    work_metrics.MAILS.labels(outcome).inc()
    # The occasion without its number: what kind of letter it was, not whose.
    occasion = key.partition(":")[0]
    if outcome == "given_up":
        structlog.get_logger().error("mail.given_up", occasion=occasion)
    else:
        structlog.get_logger().info("mail.sent", occasion=occasion)


async def count_what_waits(shop: Workshop) -> None:
    """Figures for `/metrics`."""
    await work_metrics.count_work(shop.pool, now=shop.clock())


async def ask_for_a_mail_server(shop: Workshop) -> None:
    """Mail that waits for a setting waits for ever: say so."""
    if not shop.settings.smtp_url and (waiting := (await delivery.count_mails(shop.pool)).mails):
        structlog.get_logger().warning("mail.not_set_up", waiting=waiting, setting="SMTP_URL")


async def tidy_queue(shop: Workshop) -> None:
    """The queue's notes do not grow for ever."""
    await queue.tidy(shop.pool, now=shop.clock())


async def forget_mails(shop: Workshop) -> None:
    """Nor does the list of whom we wrote to."""
    await delivery.forget_old_mails(shop.pool, now=shop.clock())
