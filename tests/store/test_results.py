"""Contents of results in a folder and in a store that speaks S3: named by hash, verified, deleted with their rows, missing ones made again; on both databases."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from botocore.session import Session
from fsspec.core import url_to_fs
from moto.server import ThreadedMotoServer

from wtp.errors import StoreError
from wtp.settings import Settings
from wtp.store import Database, open_database, results, tables
from wtp.store.deletion import delete_study
from wtp.store.objects import Objects

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
FIRST, SECOND = "a" * 64, "b" * 64
CONTENT = '{"figure": 0.1, "text": "für 10 €"}'


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """s3://bucket of a server on loopback; keys and endpoint stand in the environment alone."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        address = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
        for name, value in {
            "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "key-of-test", "AWS_SECRET_ACCESS_KEY": "secret-of-test",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        where = {"LocationConstraint": "eu-central-1"}
        Session().create_client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration=where)
        yield "s3://kept"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "kept" / "results")
    return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.fixture
def kept(database_url: str, place: str) -> Iterator[Database]:
    with open_database(database_url, place) as opened:
        opened.migrate()
        yield opened


def save(database: Database, fingerprint: str = FIRST, content: str = CONTENT, slug: str = "supplier") -> None:
    with database.begin() as connection:
        results.save(connection, fingerprint, slug, content, NOW)


def load(database: Database, fingerprint: str = FIRST) -> str | None:
    with database.read() as connection:
        return results.load(connection, fingerprint)


def lying(place: str) -> set[str]:
    return Objects(place).older_than(timedelta(0))


def name_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def test_a_content_lies_outside_under_its_hash(kept: Database, place: str) -> None:
    save(kept)
    save(kept, content="another")
    assert load(kept) == CONTENT
    with kept.read() as connection:
        row = connection.execute(sa.select(tables.result.c.content, tables.result.c.object)).one()
        assert results.latest(connection, "supplier") == (CONTENT, NOW)
        assert results.of_study(connection, "supplier", FIRST) == CONTENT
        assert results.of_study(connection, "other", FIRST) is None
        assert results.of_kind(connection, "supplier", results.ANALYSIS) == (CONTENT,)
    assert row == (None, name_of(CONTENT))
    assert name_of(CONTENT) in lying(place)


def test_a_content_that_is_missing_or_changed_is_not_kept_and_made_again(kept: Database, place: str) -> None:
    save(kept)
    Objects(place).delete([name_of(CONTENT)])
    assert load(kept) is None
    with kept.read() as connection:
        assert results.latest(connection, "supplier") is None
    save(kept, content="made again")
    assert load(kept) == "made again"
    files, root = url_to_fs(place)
    files.pipe_file(f"{root}/{name_of('made again')}", b"changed by somebody")
    assert load(kept) is None
    save(kept, content="made again")
    assert load(kept) == "made again"


def test_contents_go_with_their_rows(kept: Database, place: str) -> None:
    save(kept)
    save(kept, SECOND)
    with kept.begin() as connection:
        assert results.delete(connection, tables.result.c.fingerprint == FIRST) == 1
    assert load(kept, SECOND) == CONTENT, "equal contents are one"
    save(kept, FIRST, "of people")
    with kept.begin() as connection:
        connection.execute(
            sa.update(tables.result).where(tables.result.c.fingerprint == FIRST).values(kind=results.PEOPLE)
        )
        assert results.drop_people(connection, "supplier") == 1
    assert lying(place) == {name_of(CONTENT)}
    save(kept, "c" * 64, "of another study", slug="other")
    with kept.begin() as connection:
        delete_study(connection, "supplier")
    assert lying(place) == {name_of("of another study")}


def test_a_plan_takes_the_content_of_the_one_before_along(kept: Database, place: str) -> None:
    with kept.begin() as connection:
        for content in ("first", "second"):
            results.save_plan(connection, "supplier", content, NOW)
        assert results.load_plan(connection, "supplier") == "second"
    assert lying(place) == {name_of("second")}


def test_what_no_row_names_is_deleted_after_a_while(
    kept: Database, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(kept)
    Objects(place).write(b"of a writer that died")
    with kept.begin() as connection:
        assert results.delete_orphans(connection) == 0, "its row may come yet"
        monkeypatch.setattr(results, "_ORPHANED", timedelta(0))
        assert results.delete_orphans(connection) == 1
    assert lying(place) == {name_of(CONTENT)}


def test_a_backup_reads_every_content_and_puts_it_back(kept: Database, place: str) -> None:
    save(kept)
    save(kept, SECOND, "second")
    with kept.read() as connection:
        found = dict(results.contents(connection))
    assert found == {name_of(text): text.encode() for text in (CONTENT, "second")}
    Objects(place).delete(found)
    with kept.begin() as connection:
        assert {results.put_content(connection, content) for content in found.values()} == set(found)
    assert load(kept) == CONTENT


def test_what_the_database_holds_stays_readable_when_contents_move_out(database: Database, tmp_path: Path) -> None:
    save(database)
    url = database.engine.url.render_as_string(hide_password=False)
    with open_database(url, str(tmp_path / "kept")) as moved:
        save(moved)
        save(moved, SECOND, "second")
        assert (load(moved), load(moved, SECOND)) == (CONTENT, "second")
        with moved.begin() as connection:
            assert results.delete(connection, tables.result.c.study == "supplier") == 2
    assert lying(str(tmp_path / "kept")) == set()


def test_a_folder_is_the_owners_alone(tmp_path: Path) -> None:
    place = tmp_path / "results"
    name = Objects(str(place)).write(b"of persons")
    assert (place.stat().st_mode & 0o777, (place / name).stat().st_mode & 0o777) == (0o700, 0o600)
    assert os.listdir(place) == [name]


def test_a_store_that_is_away_is_said_without_its_keys(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="results: s3://missing cannot be written") as said:
        Objects("s3://missing").write(b"content")
    assert "secret-of-test" not in str(said.value)
    assert "key-of-test" not in str(said.value)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="cannot be written"):
        Objects(str(tmp_path / "file")).write(b"content")
    with pytest.raises(StoreError, match=r"results: found 'ftp://\.\.\.'") as said:
        Objects("ftp://me:word@host/place")
    assert "word" not in str(said.value)


def test_a_folder_stands_in_the_instance_unless_it_says_where(tmp_path: Path) -> None:
    for given, meant in (
        ("", ""),
        ("results", str(tmp_path / "results")),
        ("/data", "/data"),
        ("s3://b/p", "s3://b/p"),
    ):
        assert Settings(instance=tmp_path, surveys=tmp_path, results=given).kept_in[1] == meant
