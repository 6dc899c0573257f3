"""The second factor: a code from the officer's own authenticator, which works once."""

import base64
import binascii
import hmac
import re
import secrets
from datetime import datetime

import asyncpg
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyotp.totp import TOTP

from kit import sql
from kit.keys import KeyRing

two_factor = sql.load(__file__, "two_factor")

# RFC 6238 as every authenticator knows it.
STEP_SECONDS = 30
_DIGITS = 6
# RFC 4226: 160 bits.
_SECRET = 20
# A clock may be one step ahead or behind.
_EITHER_SIDE = 1
_KEY, _NONCE = "totp", 12
_ISSUER = "Báo Danh"


def new_secret() -> bytes:
    """What the service and one authenticator will share."""
    return secrets.token_bytes(_SECRET)


def seal(keys: KeyRing, officer_id: str, secret: bytes) -> bytes:
    """The secret as it is stored: only a holder of the `totp` keys reads it, and only as this officer's."""
    newest = keys.current(_KEY)
    nonce = secrets.token_bytes(_NONCE)
    return newest.id.to_bytes(4, "big") + nonce + AESGCM(newest.value).encrypt(nonce, secret, officer_id.encode())


def unseal(keys: KeyRing, officer_id: str, sealed: bytes) -> bytes:
    """What `seal` was given. Raises LookupError for another officer's, a damaged one, or a key that is gone."""
    number, nonce, text = int.from_bytes(sealed[:4], "big"), sealed[4 : 4 + _NONCE], sealed[4 + _NONCE :]
    for held in keys.all(_KEY):
        if held.id == number:
            try:
                return AESGCM(held.value).decrypt(nonce, text, officer_id.encode())
            except (InvalidTag, ValueError):
                break
    raise LookupError(f"{_KEY}.{number}")


def step_of(secret: bytes, typed: str, now: datetime, after: int | None) -> int | None:
    """The time step whose code was typed, if it is later than `after` and near `now`."""
    code = re.sub(r"\s", "", typed)
    if not re.fullmatch(r"[0-9]{6}", code):
        return None
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - _EITHER_SIDE, current + _EITHER_SIDE + 1):
        if (after is None or step > after) and hmac.compare_digest(code_of(secret, step), code):
            return step
    return None


def code_of(secret: bytes, step: int) -> str:
    """The code of one time step."""
    return TOTP(base64.b32encode(secret).decode(), digits=_DIGITS, interval=STEP_SECONDS).at(step * STEP_SECONDS)


async def use_code(transaction: asyncpg.Connection, keys: KeyRing, officer_id: str, typed: str, now: datetime) -> bool:
    """Whether the code is right; it is used up. Of two requests with one code at the same instant one succeeds."""
    row = await two_factor.find_second_factor(transaction, officer_id=officer_id)
    if row is None or row["totp_secret"] is None:
        return False
    secret = unseal(keys, officer_id, row["totp_secret"])
    step = step_of(secret, typed, now, row["totp_last_step"])
    if step is None:
        return False
    # Sealed anew, so that a rotated key is out of use once everybody has signed in again.
    sealed = seal(keys, officer_id, secret)
    moved = await two_factor.mark_step_used(
        transaction, officer_id=officer_id, step=step, sealed=sealed, before=row["totp_secret"]
    )
    return moved == "UPDATE 1"


async def store_second_factor(
    transaction: asyncpg.Connection, keys: KeyRing, officer_id: str, secret: bytes, step: int
) -> None:
    """The officer's second factor from now on. `step`: that of the code by which she proved to have it."""
    await two_factor.change_second_factor(
        transaction, officer_id=officer_id, sealed=seal(keys, officer_id, secret), step=step
    )


def manual_key(secret: bytes) -> str:
    """The secret as it is typed where nothing can be scanned: groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def setup_address(secret: bytes, email: str) -> str:
    """What the QR code says, and what opens an authenticator on the phone itself."""
    return TOTP(base64.b32encode(secret).decode()).provisioning_uri(name=email, issuer_name=_ISSUER)


def qr_code(address: str) -> str:
    """The address as an SVG element: black on white whatever the page's colours, for the camera."""
    return segno.make(address, error="m").svg_inline(
        border=3, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )


def read_draft(keys: KeyRing, officer_id: str, draft: bytes | None) -> bytes | None:
    """A secret that was shown and is not confirmed yet."""
    try:
        return unseal(keys, officer_id, draft) if draft else None
    except (LookupError, binascii.Error):
        return None
