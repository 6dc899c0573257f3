"""What an operator can set, all of it, from environment variables; `docs/settings.md` is its page."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
from limits import RateLimitItem

from kit.errors import UsageError
from server import setting_values as values

Networks = tuple[IPv4Network | IPv6Network, ...]


class Setting(msgspec.Struct, frozen=True):
    """How a field of Settings comes from text. `default` is what is read when the variable is unset or empty.

    `read` raises ValueError with the rest of the sentence that begins with the variable's name. A secret may also
    stand in a file that NAME_FILE names.
    """

    says: str
    default: str
    read: Callable[[str], Any] = str
    secret: bool = False
    # What the page says where the default is found out on the machine.
    shown: str = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one service. A field's variable has its name in capitals."""

    state_dir: Annotated[
        Path,
        Setting(
            "The folder of everything this service keeps on this machine: embedded servers, keys, run-time files. "
            "Two services need two folders.",
            ".state",
            values.folder,
        ),
    ]
    host: Annotated[
        str, Setting("The address to listen on. `0.0.0.0` or `::` listens on all.", "127.0.0.1", values.host)
    ]
    port: Annotated[int, Setting("The port to listen on.", "8000", values.whole_number(1, 65535))]
    workers: Annotated[
        int,
        Setting(
            "How many processes answer requests.",
            str(min(values.processors(), 4)),
            values.whole_number(1, 256),
            shown="number of processors, at most 4",
        ),
    ]
    node: Annotated[
        str,
        Setting(
            "The name of this node, where several serve one database: each has another.",
            values.machine_name(),
            values.node_name,
            shown="the machine's name",
        ),
    ]
    database_url: Annotated[
        str,
        Setting(
            "PostgreSQL 15 or later as the run-time role, which reads and writes rows: "
            "`postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. Unset: an embedded PostgreSQL in STATE_DIR.",
            "",
            values.database_url,
            secret=True,
            shown="embedded",
        ),
    ]
    database_owner_url: Annotated[
        str,
        Setting(
            "The same database as the role that owns the tables and migrates them.",
            "",
            values.database_url,
            secret=True,
            shown="as DATABASE_URL",
        ),
    ]
    redis_url: Annotated[
        str,
        Setting(
            "Redis 7 or Valkey: `redis://`, `rediss://`, `unix://`, `redis+sentinel://` or `redis+cluster://`. "
            "Unset: an embedded Valkey. Nothing is lost when it is.",
            "",
            values.redis_url,
            secret=True,
            shown="embedded",
        ),
    ]
    trusted_proxies: Annotated[
        Networks,
        Setting(
            "Addresses or networks of your reverse proxies, separated by commas. From these, and from nobody else, "
            "`X-Real-IP` names the visitor.",
            "",
            values.networks,
            shown="none",
        ),
    ]
    public_url: Annotated[
        str,
        Setting(
            "The address people type, such as `https://diemthi.example.vn`. "
            "Unset: whatever host a request names is taken for ours.",
            "",
            values.public_url,
            shown="the Host header",
        ),
    ]
    metrics_from: Annotated[
        Networks,
        Setting("Addresses or networks that may read `/metrics`.", "127.0.0.0/8, ::1/128", values.networks),
    ]
    lookup_rate: Annotated[
        RateLimitItem,
        Setting(
            "How many lookups one address may make (IPv6: one /64; a /48 four times as many). Thousands of families "
            "may share an address of their provider.",
            "20000/minute",
            values.rate,
        ),
    ]
    wrong_factor_rate: Annotated[
        RateLimitItem,
        Setting(
            "How many wrong birth dates or pins for one candidate number from one address prefix.",
            "10/15minute",
            values.rate,
        ),
    ]
    foreign_origin_rate: Annotated[
        RateLimitItem,
        Setting(
            "How many lookups the pages of one other site may make; all of them together four times as many.",
            "3000/minute",
            values.rate,
        ),
    ]
    sign_in_rate: Annotated[
        RateLimitItem,
        Setting(
            "How often one address may try to sign in (IPv6: one /64), whatever the accounts.",
            "150/15minute",
            values.rate,
        ),
    ]
    password_reset_rate: Annotated[
        RateLimitItem,
        Setting("How many forgotten passwords one address may report; more are not told so.", "20/hour", values.rate),
    ]
    keys_dir: Annotated[
        Path | None,
        Setting(
            "A mounted folder with the secret keys (`cache.1`, `totp.1`, `record.1`, `mail.1`; `pin.1` and `release.1` "
            "where results are imported and released), which is then only read; needed where several nodes serve. Copy "
            "the files from `STATE_DIR/keys` of the first.",
            "",
            values.existing_folder,
            shown="`STATE_DIR/keys`, made when needed",
        ),
    ]
    record_heads_dir: Annotated[
        Path | None,
        Setting(
            "The folder for `record-heads.jsonl`: where the record's chain ended, told again and again. Best on "
            "another machine: whoever cuts the record off should not reach it.",
            "",
            values.existing_folder,
            shown="`STATE_DIR`",
        ),
    ]
    mail_from: Annotated[
        str,
        Setting(
            "The address that our letters come from.",
            "Báo Danh <khong-tra-loi@localhost>",
            values.mail_address,
        ),
    ]
    smtp_url: Annotated[
        str,
        Setting(
            "The server that takes our mail: `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS) or `smtps://`. Unset: mail "
            "waits; with the embedded PostgreSQL and no PUBLIC_URL it is caught and shown at `/can-bo/thu-da-gui`.",
            "",
            values.smtp_url,
            secret=True,
            shown="none",
        ),
    ]
    log_level: Annotated[str, Setting("`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.", "INFO", values.log_level)]

    def __repr__(self) -> str:
        """Without the URLs: they hold passwords, and settings end up in tracebacks."""
        return f"Settings(state_dir={str(self.state_dir)!r}, node={self.node!r})"

    @property
    def releases_folder(self) -> Path:
        """Where this node keeps sealed releases, their keys once they are open, and what it knew of the exams last."""
        return self.state_dir / "releases"

    @property
    def counts_file(self) -> Path:
        """Where the web processes of this node count for the limits in front of lookups."""
        return self.state_dir / "run" / "counts"

    @property
    def heads_folder(self) -> Path:
        """Where the record's heads are written down."""
        return self.record_heads_dir or self.state_dir

    @property
    def keys_folder(self) -> Path:
        """Where the keys are."""
        return self.keys_dir or self.state_dir / "keys"

    @property
    def home(self) -> str:
        """The address of our pages, for letters: never taken from a request, whose Host anybody can choose."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @property
    def rates(self) -> dict[str, RateLimitItem]:
        """Rate limits by the name that a route writes."""
        return {
            "lookup": self.lookup_rate,
            "wrong_factor": self.wrong_factor_rate,
            "foreign_origin": self.foreign_origin_rate,
            "sign_in": self.sign_in_rate,
            "password_reset": self.password_reset_rate,
        }


SETTINGS: dict[str, Setting] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. Raises UsageError with one line for each wrong one, all of them."""
    read: dict[str, Any] = {}
    problems: list[str] = []
    for field, setting in SETTINGS.items():
        name = field.upper()
        try:
            text = _secret(environ, name) if setting.secret else environ.get(name, "")
            read[field] = setting.read(text.strip() or setting.default)
        except ValueError as problem:
            problems.append(f"{name}: {problem}")
    if not problems and read["database_owner_url"] and not read["database_url"]:
        problems.append("DATABASE_OWNER_URL: stands alone; set DATABASE_URL to the same database.")
    if problems:
        raise UsageError("\n".join(problems))
    read["database_owner_url"] = read["database_owner_url"] or read["database_url"]
    return Settings(**read)


def _secret(environ: Mapping[str, str], name: str) -> str:
    text, file = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if text and file:
        raise ValueError(f"is set, and {name}_FILE too; keep one of them.")
    if not file:
        return text
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"cannot be read from the file {file} that {name}_FILE names; make it readable.") from None
