"""How long and how large a request may be before it is one: strangers hold neither memory nor time of a worker."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Browsers send one or two thousand bytes of headers.
LARGEST_HEAD = 32 * 1024
# A few dozen bytes over a bad mobile network take less.
SLOWEST_REQUEST = 20.0
# Whoever takes this long for 48 KiB of an answer does not want it.
SLOWEST_READER = 60.0

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncache-control: no-store\r\ncontent-length: 0\r\n\r\n"
)


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a bound on the size of a request's head and on the time until all of it is there.

    And until an answer is taken: uvicorn makes no further one for a client that does not read, but would keep this one.
    Headers that come behind a body are dropped: uvicorn would put them among those of the request that is being
    answered, however many.
    """

    def connection_made(self, transport: Any) -> None:  # noqa: D102
        super().connection_made(transport)
        self._head_bytes, self._in_head = 0, False
        # Within the body, and whether the last bytes had something of it, or finished the head before it.
        self._in_body, self._goes_on = False, False
        self._too_slow: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:  # noqa: D102
        self._watch_the_clock()
        self._goes_on = False
        super().data_received(data)
        # The parser keeps what it has of an unfinished head, and of a line behind a body.
        if self._in_head or (self._in_body and not self._goes_on):
            self._head_bytes += len(data)
        if self._head_bytes > LARGEST_HEAD and not self.transport.is_closing():
            if self._in_head:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:  # noqa: D102
        self._head_bytes, self._in_head, self._in_body = 0, True, False
        super().on_message_begin()
        # A large file takes longer: who knows its sender may say, with each part that came, that it goes on.
        self.scope["take_time"] = self._take_time  # type: ignore[typeddict-unknown-key]

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:  # noqa: D102
        self._head_bytes, self._in_head, self._in_body, self._goes_on = 0, False, True, True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:  # noqa: D102
        self._head_bytes, self._goes_on = 0, True
        super().on_body(body)

    def on_message_complete(self) -> None:  # noqa: D102
        self._head_bytes, self._in_body = 0, False
        self._stop_the_clock()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._stop_the_clock()
        self._stop_waiting_for_a_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:  # noqa: D102
        super().pause_writing()
        self._wait_for_a_reader()

    def resume_writing(self) -> None:  # noqa: D102
        self._stop_waiting_for_a_reader()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:  # noqa: D102
        super().timeout_keep_alive_handler()
        # What is still to be sent holds a closing connection open.
        if self.transport.get_write_buffer_size():
            self._wait_for_a_reader()

    def _wait_for_a_reader(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(SLOWEST_READER, self.transport.abort)

    def _stop_waiting_for_a_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _take_time(self) -> None:
        if self._too_slow is not None:
            self._stop_the_clock()
            self._watch_the_clock()

    def _watch_the_clock(self) -> None:
        if self._too_slow is None:
            self._too_slow = self.loop.call_later(SLOWEST_REQUEST, self.transport.close)

    def _stop_the_clock(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None
