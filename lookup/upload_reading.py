"""Receive a file from an officer's browser, piece by piece: nothing is kept before the form has proved whose it is."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from litestar import Request
from litestar.exceptions import HTTPException
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from kit.bodies import MalformedBody, UnsupportedBody
from kit.errors import DomainError, FieldError, InvalidForm
from lookup.score_uploads import LARGEST_FILE, PIECE
from units.officers.doorkeeper import FormExpired, check_token
from units.officers.sessions import Session

# The form's own parts around the file.
LARGEST_BODY = LARGEST_FILE + 64 * 1024
_LONGEST_TOKEN = 200
_MOST_PARTS = 8
# Whoever has a slow line may take this long in all, as long as something keeps coming.
_LONGEST_SECONDS = 30 * 60
_TOO_LARGE = 413


class FileTooLarge(DomainError):
    """The file is larger than a country's results."""

    code = "file_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(most_mb=LARGEST_FILE // 2**20)


class Received(msgspec.Struct, frozen=True):
    """A file that came whole: how large it is, and its checksum."""

    size: int
    sha256: str


# Called with the file's name when its first byte is there; gives back what keeps a piece by its number.
Begin = Callable[[str], Awaitable[Callable[[int, bytes], Awaitable[None]]]]


async def receive_file(request: Request, session: Session, begin: Begin) -> Received:
    """Read a posted form with one file, whose token (`csrf`) stands before it: what comes first is checked first.

    Raises FormExpired before anything of a file without the token is kept, InvalidForm when no file was chosen,
    FileTooLarge, MalformedBody, UnsupportedBody.
    """
    reader = _Reader(session, begin)
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            with PushMultipartParser(
                _boundary(request), max_segment_count=_MOST_PARTS, max_segment_size=LARGEST_FILE
            ) as parser:
                async for chunk in _stream(request):
                    for event in parser.parse(chunk):
                        await reader.take(event)
    except ParserLimitReached as limit:
        raise (FileTooLarge if reader.is_in_file else MalformedBody) from limit
    except (MultipartError, TimeoutError):
        raise MalformedBody from None
    return await reader.conclude()


class _Reader:
    """The parts of one form, in the order in which they come."""

    def __init__(self, session: Session, begin: Begin) -> None:
        self._session, self._begin = session, begin
        self._part: MultipartSegment | None = None
        self._token = bytearray()
        self._proved = False
        self._keep: Callable[[int, bytes], Awaitable[None]] | None = None
        self._piece, self._pieces, self._size = bytearray(), 0, 0
        self._checksum = hashlib.sha256()

    @property
    def is_in_file(self) -> bool:
        """Whether the file is coming in."""
        return self._part is not None and self._part.name == "file"

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """A part begins, goes on, or ends (None)."""
        if isinstance(event, MultipartSegment):
            self._part = event
            if event.name == "file" and not self._proved:
                raise FormExpired
            if event.name == "file" and self._keep is not None:
                raise MalformedBody
        elif event is None:
            self._end_part()
        elif self.is_in_file:
            await self._take_file(event)
        elif self._part is not None and self._part.name == "csrf" and len(self._token) < _LONGEST_TOKEN:
            self._token += event[:_LONGEST_TOKEN]

    async def conclude(self) -> Received:
        """The last piece; what came in all."""
        if not self._proved:
            raise FormExpired
        if self._keep is None:
            raise InvalidForm([FieldError("file", "exam_file_missing")])
        await self._keep_pieces(1)
        return Received(self._size, self._checksum.hexdigest())

    def _end_part(self) -> None:
        if self._part is not None and self._part.name == "csrf":
            check_token(self._token.decode(errors="replace"), self._session)
            self._proved = True
        self._part = None

    async def _take_file(self, content: bytes | bytearray) -> None:
        assert self._part is not None
        if self._keep is None:
            self._keep = await self._begin(self._part.filename or "")
        self._size += len(content)
        self._checksum.update(content)
        self._piece += content
        await self._keep_pieces(PIECE)

    async def _keep_pieces(self, least: int) -> None:
        """Hand on what has come, in whole pieces; at the end (`least` 1) also the rest."""
        assert self._keep is not None
        while len(self._piece) >= least:
            content, self._piece = bytes(self._piece[:PIECE]), self._piece[PIECE:]
            await self._keep(self._pieces, content)
            self._pieces += 1


def _boundary(request: Request) -> str:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data":
        raise UnsupportedBody
    if not options.get("boundary"):
        raise MalformedBody
    return options["boundary"]


async def _stream(request: Request) -> AsyncIterator[bytes]:
    take_time = request.scope.get("take_time")
    try:
        async for chunk in request.stream():
            if take_time:
                take_time()  # type: ignore[operator]  # PatientProtocol's
            if chunk:
                yield chunk
    except HTTPException as refused:
        # Litestar's words for a body that is too large, and for a visitor who hung up in the middle.
        raise (FileTooLarge if refused.status_code == _TOO_LARGE else MalformedBody) from None
