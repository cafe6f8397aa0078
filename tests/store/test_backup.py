"""A backup holds everything to the last byte, is restored whole or not at all, and what is damaged, newer or in the way is refused with nothing changed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.filled import add_rows, all_but_staff, filled, states
from wtp.errors import StoreError
from wtp.store import Database, archive, backup, open_database, results, tables, transfer
from wtp.store.archive import Archive, Manifest, Place
from wtp.store.database import head, revision_of, revisions
from wtp.store.transfer import Lines, read_lines

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # about the file, not about the database
ROWS = 25
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def place_in(folder: Path) -> Place:
    return Place(instance=folder / "instance", surveys=folder / "surveys", program="1.2.3")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation with files."""
    made = place_in(tmp_path / "here")
    for name, content in {
        "instance/secret_key": b"\x00\n" * 16,
        "instance/settings.toml": b'staff_language = "de"\n',
        "surveys/supplier/survey.toml": "title = 'ü'\n".encode(),
        "surveys/supplier/pictures/logo.png": bytes(range(256)),
    }.items():
        path = made.path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return made


@pytest.fixture
def full(database_url: str) -> Iterator[Database]:
    """A database with the current schema and rows in every table."""
    with open_database(database_url) as database:
        filled(database, head(), ROWS)
        yield database


@pytest.fixture
def file(full: Database, place: Place, tmp_path: Path) -> Path:
    target = tmp_path / "backup.zip"
    backup.back_up(full, target, place)
    return target


def restored(database: Database, file: Path, place: Place, *, replace: bool = False) -> backup.Restored:
    with Archive(file) as opened:
        return backup.restore(database, opened, place, replace=replace)


@pytest.fixture
def anew(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Database]:
    """Opens an empty database of a kind."""

    def make(kind: str) -> Database:
        if kind == "sqlite":
            return open_database(f"sqlite:///{tmp_path / 'anew' / 'wtp.sqlite'}")
        create: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return open_database(create())

    return make


# What it holds


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_of_either_database_is_restored_into_either(
    full: Database, file: Path, kind: str, anew: Callable[[str], Database], tmp_path: Path, place: Place
) -> None:
    there = place_in(tmp_path / "there")
    with anew(kind) as other:
        done = restored(other, file, there)
        assert all_but_staff(states(other)) == all_but_staff(states(full))
        assert set(done.manifest.tables) == set(tables.metadata.tables)
        assert {state.rows for state in done.manifest.tables.values()} == {ROWS}
        other.check()
        assert done.kept is None
        with other.begin() as connection:  # numbers are counted on
            slug = connection.execute(sa.select(tables.study.c.slug)).scalars().first()
            row = {"study": slug, "number": 999, "token_hash": "new", "simulated": False, "created_at": NOW}
            added = connection.execute(sa.insert(tables.respondent).values(row).returning(tables.respondent.c.id))
            assert added.scalar_one() == ROWS + 1
    assert {name: path.read_bytes() for name, path in there.files().items()} == {
        name: path.read_bytes() for name, path in place.files().items()
    }
    assert stat.S_IMODE((there.instance / "secret_key").stat().st_mode) == 0o600


def test_json_is_kept_as_the_text_that_was_stored(full: Database, file: Path, tmp_path: Path) -> None:
    raw = sa.text("SELECT CAST(tasks AS TEXT) FROM respondent ORDER BY id")
    with open_database(f"sqlite:///{tmp_path / 'other.sqlite'}") as other:
        restored(other, file, place_in(tmp_path / "there"))
        with full.read() as here, other.read() as there:
            found = here.execute(raw).scalars().all()
            assert there.execute(raw).scalars().all() == found
    assert None in found
    assert "null" in found


def test_a_backup_is_for_its_owner_alone_and_never_overwrites(full: Database, file: Path, place: Place) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"backup\.zip: is there already; allowed: a new file; .*--force"):
        backup.back_up(full, file, place)
    assert file.read_bytes() == before
    backup.back_up(full, file, place, replace=True)
    assert file.read_bytes() != before  # its time


@on_sqlite
def test_a_backup_that_cannot_be_written_leaves_nothing(
    full: Database, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(StoreError, match=r"x\.zip: No space left on device; allowed: .*free space"):
            backup.back_up(full, folder / "x.zip", place)
    assert list(folder.iterdir()) == []
    with pytest.raises(StoreError, match="File exists; allowed: "):
        backup.back_up(full, place.instance / "secret_key" / "x.zip", place)


def test_a_backup_is_one_state_while_answers_go_on(
    full: Database, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before some of the tables are read another connection adds a row to each of all; none of them is in the backup."""
    before, added = states(full), iter(range(ROWS + 1, 1000))

    def reading(connection: sa.Connection, table: sa.Table) -> Lines:
        if table.name in {"definition", "respondent", "choice"}:
            with full.begin() as other:
                number = next(added)
                add_rows(other, range(number, number + 1))
        return read_lines(connection, table)

    with monkeypatch.context() as patch:
        patch.setattr(archive, "read_lines", reading)
        manifest = backup.back_up(full, tmp_path / "x.zip", place)
    assert manifest.tables == before
    assert states(full) != before


def test_nothing_to_back_up_is_said(database_url: str, place: Place, tmp_path: Path) -> None:
    with (
        open_database(database_url) as empty,
        pytest.raises(StoreError, match=r"database: empty; .*nothing to back up"),
    ):
        backup.back_up(empty, tmp_path / "x.zip", place)


@on_sqlite
def test_a_file_that_goes_meanwhile_is_no_error(full: Database, place: Place, tmp_path: Path) -> None:
    (place.surveys / "gone").symlink_to(tmp_path / "gone")
    found = place.files()
    found["surveys/gone.toml"] = tmp_path / "gone.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Place, "files", lambda _: found)
        manifest = backup.back_up(full, tmp_path / "x.zip", place)
    assert manifest.files.keys() == found.keys() - {"surveys/gone.toml"}


@pytest.mark.parametrize("there", ["folder", ""])
def test_contents_of_results_outside_the_database_come_along(
    database_url: str, place: Place, tmp_path: Path, there: str
) -> None:
    file, kept = tmp_path / "x.zip", tmp_path / "results"
    with open_database(database_url, str(kept)) as database:
        database.migrate()
        with database.begin() as connection:
            for name in "ab":
                results.save(connection, name, "supplier", f"content of {name} ü", NOW)
        manifest = backup.back_up(database, file, place)
    assert set(manifest.results) == {path.name for path in kept.iterdir()}
    shutil.rmtree(kept)
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    with open_database(url, str(tmp_path / there) if there else "") as other:
        restored(other, file, place_in(tmp_path / "there"))
        with other.read() as connection:
            assert [results.load(connection, name) for name in "ab"] == ["content of a ü", "content of b ü"]
    with pytest.raises(StoreError, match="not what was written"), open_database(url) as other:
        restored(
            other, tampered(file, lambda m: m.update({f"results/{manifest.results[0]}": b"x"})), place, replace=True
        )


# What is in the way


def test_a_database_that_holds_something_is_replaced_only_when_asked_and_kept(
    full: Database, file: Path, place: Place
) -> None:
    before = states(full)
    with full.begin() as connection:
        add_rows(connection, range(ROWS + 1, ROWS + 3), without="erasure")  # which outlives a restore
    later = states(full)
    with pytest.raises(StoreError, match=r"database: holds something already; .*--replace"):
        restored(full, file, place)
    assert states(full) == later
    done = restored(full, file, place, replace=True)
    now = states(full)
    assert now.pop("erasure").rows == ROWS
    before.pop("erasure")
    assert all_but_staff(now) == all_but_staff(before)
    assert done.kept is not None
    with Archive(done.kept) as kept:
        kept.verify()
        assert kept.manifest.tables == later
    restored(full, done.kept, place, replace=True)
    assert all_but_staff(states(full)) == all_but_staff(later)


def test_a_server_that_runs_goes_on_with_what_was_restored(
    full: Database, file: Path, place: Place, database_url: str
) -> None:
    r = tables.respondent.c
    person = {"study": "", "number": 999, "token_hash": "new", "simulated": False, "created_at": NOW}

    def ask(running: Database) -> None:
        with running.begin() as connection:
            slug = connection.execute(sa.select(tables.study.c.slug)).scalars().first()
            connection.execute(sa.insert(tables.respondent).values(person | {"study": slug}))
            assert connection.execute(sa.select(r.number).where(r.token_hash == "new")).scalar_one() == 999
            connection.execute(sa.delete(tables.respondent).where(r.token_hash == "new"))

    with open_database(database_url) as running:
        for _ in range(10):  # so that statements are prepared
            ask(running)
        restored(full, file, place, replace=True)
        for _ in range(10):
            ask(running)


@on_sqlite
def test_files_that_differ_are_replaced_only_when_asked(
    file: Path, anew: Callable[[str], Database], tmp_path: Path
) -> None:
    there = place_in(tmp_path / "there")
    survey = there.path_of("surveys/supplier/survey.toml")
    survey.parent.mkdir(parents=True)
    survey.write_text("mine")
    (survey.parent / "survey.draft.toml").write_text("mine too")
    with anew("sqlite") as other:
        with pytest.raises(StoreError, match=r"survey\.toml: other than in the backup; .*--replace"):
            restored(other, file, there)
        with other.read() as connection:
            assert revision_of(connection) is None
        done = restored(other, file, there, replace=True)
    assert survey.read_text(encoding="utf-8") == "title = 'ü'\n"
    assert (survey.parent / "survey.draft.toml").read_text() == "mine too"
    assert done.kept is not None
    with Archive(done.kept) as kept:
        assert kept.file("surveys/supplier/survey.toml") == b"mine"


@on_sqlite
@pytest.mark.parametrize(
    ("theirs", "mine", "beside"),
    [
        ('staff_language = "de"', None, False),
        ('staff_language = "de"', 'staff_language = "de"', False),
        ('database = "postgresql://user:secret@example/old"', None, True),
        ('staff_language = "de"', "proxies = 1", True),
    ],
)
def test_settings_in_use_stay(
    full: Database,
    place: Place,
    tmp_path: Path,
    anew: Callable[[str], Database],
    theirs: str,
    mine: str | None,
    beside: bool,
) -> None:
    (place.instance / "settings.toml").write_text(theirs)
    backup.back_up(full, tmp_path / "x.zip", place)
    there = place_in(tmp_path / "there")
    settings = there.instance / "settings.toml"
    settings.parent.mkdir(parents=True)
    if mine:
        settings.write_text(mine)
    with anew("sqlite") as other:
        done = restored(other, tmp_path / "x.zip", there)
    assert (done.beside is not None) == beside
    if beside:
        assert done.beside == settings.with_name("settings.toml.from-backup")
        assert done.beside.read_text() == theirs
        assert not settings.exists() or settings.read_text() == mine
    else:
        assert settings.read_text() == theirs


# What is refused


def tampered(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same backup with members changed."""
    with zipfile.ZipFile(file) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    change(members)
    other = file.with_name("tampered.zip")
    with zipfile.ZipFile(other, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return other


def _manifest(members: dict[str, bytes], **values: object) -> None:
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | values).encode()


def _shift(members: dict[str, bytes]) -> None:
    content = members.pop("instance/secret_key")
    members["surveys/../../key"] = content
    files = json.loads(members["manifest.json"])["files"]
    files["surveys/../../key"] = files.pop("instance/secret_key")
    _manifest(members, files=files)


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a row changed": (lambda m: m.update({"tables/answer.jsonl": m["tables/answer.jsonl"].replace(b"DROP", b"drop")}), "table answer: not the rows"),
    "a row twice": (lambda m: m.update({"tables/study.jsonl": m["tables/study.jsonl"] + m["tables/study.jsonl"].splitlines(True)[0]}), "table study: not the rows"),
    "a row lost": (lambda m: m.update({"tables/study.jsonl": b"".join(m["tables/study.jsonl"].splitlines(True)[1:])}), "table study: not the rows"),
    "a table lost": (lambda m: m.pop("tables/choice.jsonl") and None, "not a whole backup"),
    "a file changed": (lambda m: m.update({"instance/secret_key": b"another"}), "instance/secret_key: not what was written"),
    "no manifest": (lambda m: m.pop("manifest.json") and None, "not a whole backup"),
    "another format": (lambda m: _manifest(m, format=2), "format 2, written by wtp 1.2.3"),
    "a newer schema": (lambda m: _manifest(m, revision="9999"), "schema 9999, written by wtp 1.2.3; allowed: up to"),
    "another schema": (lambda m: _manifest(m, revision="0001"), "tables of another schema"),
    "a way out": (_shift, "leads elsewhere"),
}  # fmt: skip


@on_sqlite
@pytest.mark.parametrize("change", CHANGES)
def test_a_backup_that_is_not_whole_changes_nothing(full: Database, file: Path, place: Place, change: str) -> None:
    before = states(full)
    alter, says = CHANGES[change]
    with pytest.raises(StoreError, match=says):
        restored(full, tampered(file, alter), place, replace=True)
    assert states(full) == before
    assert not place.backups.exists()


@on_sqlite
def test_a_file_that_is_cut_or_flipped_anywhere_is_refused(full: Database, file: Path, place: Place) -> None:
    whole, before, harmless = file.read_bytes(), states(full), 0
    damaged = file.with_name("damaged.zip")
    for at in range(10, len(whole), len(whole) // 20):
        for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]):
            damaged.write_bytes(content)
            with contextlib.suppress(StoreError), Archive(damaged) as opened:
                opened.verify()
                # A bit that means nothing, such as that of a time in a header.
                with Archive(file) as good:
                    assert opened.manifest == good.manifest
                harmless += 1
    assert harmless < 10
    assert states(full) == before


@pytest.mark.parametrize(
    ("name", "says"), [("nowhere.zip", "no such file"), (".", "not a whole backup"), ("text", "not a whole backup")]
)
def test_what_is_no_backup_is_said(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "text").write_text("no zip")
    with pytest.raises(StoreError, match=says):
        Archive(tmp_path / name)


def test_rows_that_arrive_otherwise_are_found_out(
    full: Database, file: Path, anew: Callable[[str], Database], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: a database that keeps less than it is given."""
    monkeypatch.setattr(
        transfer, "_decoder", lambda of: (lambda value: round(value, 3)) if isinstance(of, sa.Float) else _DECODER(of)
    )
    before = states(full)
    with pytest.raises(StoreError, match="25 rows arrived that are not the 25 that came"):
        restored(full, file, place, replace=True)
    assert states(full) == before


_DECODER = transfer._decoder


# Older schemas


@pytest.mark.parametrize("revision", revisions()[1::4])
@on_sqlite
def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    database_url: str, revision: str, place: Place, tmp_path: Path
) -> None:
    with open_database(database_url) as old, open_database(f"sqlite:///{tmp_path / 'new.sqlite'}") as new:
        filled(old, revision, 5)
        backup.back_up(old, tmp_path / "x.zip", place)
        restored(new, tmp_path / "x.zip", place_in(tmp_path / "there"))
        new.check()
        assert all_but_staff(states(new, revision)) == all_but_staff(states(old))


# Rotation


def test_old_backups_go_but_never_the_newest_nor_what_a_person_named(tmp_path: Path) -> None:
    ages = {"wtp": (1, 29, 31, 400), "before-restore": (2, 31), f"before-{head()}": (40,)}
    made = {
        (what, days): backup.stamped(tmp_path, what, NOW - timedelta(days=days)) for what in ages for days in ages[what]
    }
    kept = [tmp_path / "wtp.zip", tmp_path / "mine-2020-01-01T000000.000000Z.zip", tmp_path / "wtp-2020.zip"]
    for path in (*made.values(), *kept):
        path.touch()
    killed, under_way = tmp_path / ".wtp-x.part", tmp_path / ".wtp-y.part"
    for path, hours in ((killed, 25), (under_way, 1)):
        path.touch()
        os.utime(path, ((NOW - timedelta(hours=hours)).timestamp(),) * 2)
    gone = backup.rotate(tmp_path, 30, NOW)
    assert set(gone) == {killed, *(path for (_, days), path in made.items() if days > 30)}
    assert set(tmp_path.iterdir()) == {under_way, *kept, *(path for (_, days), path in made.items() if days <= 30)}
    assert backup.rotate(tmp_path, 30, NOW + timedelta(days=365)) != []
    assert made["wtp", 1].exists()


@on_sqlite
def test_a_manifest_is_read_as_it_was_written(file: Path) -> None:
    with Archive(file) as opened:
        assert Manifest.from_json(opened.manifest.to_json().encode()) == opened.manifest
        assert opened.manifest.program == "1.2.3"
        assert opened.manifest.rows == ROWS * len(tables.metadata.tables)
