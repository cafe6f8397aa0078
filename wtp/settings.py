"""Settings: one list of name, default and help; `instance/settings.toml` overrides; there is no default secret.

The instance folder holds settings, secret key, database and results of one installation; `WTP_INSTANCE` names another one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from wtp.errors import SettingsError

SECRET_BYTES = 32
_CHOICES = {"log": ("text", "json"), "access_log": ("off", "on", "cut")}
DEFAULT_BASE_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an installation can set, each with its default."""

    instance: Path = field(metadata={"help": "folder of database, secret key and settings"})
    surveys: Path = field(metadata={"help": "folder with one folder a survey"})
    database: str = field(
        default="", metadata={"help": "SQLAlchemy URL; empty: SQLite file wtp.sqlite in the instance folder"}
    )
    queue: str = field(
        default="",
        metadata={
            "help": "queue of background analyses: redis://localhost:6379/1, a number of its own; empty: beside the database"
        },
    )
    compute: str = field(
        default="",
        metadata={
            "help": "where chains, starts, bootstrap replicates and simulated studies run; empty: the cores of this machine; a number of processes as text; tcp://host:8786 (a Dask cluster)"
        },
    )
    results: str = field(
        default="",
        metadata={
            "help": "where contents of analyses and draws are kept; empty: in the database; a folder; s3://bucket/prefix (keys by the environment)"
        },
    )
    base_url: str = field(
        default=DEFAULT_BASE_URL,
        metadata={"help": "address at which people reach the pages; its links are given to them"},
    )
    proxies: int = field(default=0, metadata={"help": "trusted reverse proxies in front, for X-Forwarded-*"})
    starts_per_minute: int = field(
        default=1_200, metadata={"help": "interviews that may begin within a minute from one address, by the open link"}
    )
    staff_language: str = field(
        default="en", metadata={"help": "language of results pages before one is chosen: en or de"}
    )
    log: str = field(default="text", metadata={"help": "form of the log on standard error: text or json"})
    access_log: str = field(
        default="off",
        metadata={
            "help": "requests in the log: off (failed ones alone), on, cut (with the address cut to its network)"
        },
    )

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database or f"sqlite:///{self.instance / 'wtp.sqlite'}"

    @property
    def kept_in(self) -> tuple[str, str]:
        """The SQLAlchemy URL and the place of results, for `open_database`; a folder stands in the instance folder unless it says where."""
        inside = self.results and "://" not in self.results
        return self.database_url, str(self.instance / self.results) if inside else self.results


def load_settings(instance: Path | None = None, *, surveys: Path | None = None) -> Settings:
    """Read `settings.toml` of the instance folder (WTP_INSTANCE, else ./instance).

    Raises SettingsError for an unknown name or a value of the wrong type.
    """
    instance = (instance or Path(os.environ.get("WTP_INSTANCE", "instance"))).resolve()
    path = instance / "settings.toml"
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: {error}; allowed: a TOML file; mend the place named.") from error
    types = {f.name: str(f.type) for f in fields(Settings) if f.name != "instance"}
    for name, value in values.items():
        if name not in types:
            raise SettingsError(f"{path}, {name}: unknown setting; allowed: {', '.join(types)}; remove it or mend it.")
        wanted = int if types[name] == "int" else str
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise SettingsError(f"{path}, {name}: found {value!r}; allowed: {wanted.__name__}; change the value.")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise SettingsError(f"{path}, {name}: found {value!r}; allowed: {', '.join(_CHOICES[name])}; choose one.")
    folder = surveys or Path(values.pop("surveys", os.environ.get("WTP_SURVEYS", "surveys")))
    values.pop("surveys", None)
    return Settings(instance=instance, surveys=folder.resolve(), **values)


def secret_key(settings: Settings) -> bytes:
    """The instance's secret, made once and readable by the owner alone.

    Raises SettingsError if the file holds fewer than 32 bytes.
    """
    path = settings.instance / "secret_key"
    settings.instance.mkdir(mode=0o750, parents=True, exist_ok=True)
    if not path.exists():
        # Written whole beside its place and then linked: killed in between, no empty file stays, and of two processes the first one wins.
        descriptor, draft = tempfile.mkstemp(prefix=".secret_key-", dir=settings.instance)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    secret = path.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise SettingsError(
            f"{path}: {len(secret)} bytes; allowed: at least {SECRET_BYTES}; delete the file to get a new one."
        )
    return secret
