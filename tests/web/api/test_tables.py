"""What a program gets is what the pages show: JSON to the last digit, CSV to the last byte, parts that join, nothing sent twice."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from flask import Flask

from tests.web.api.conftest import OTHER, STUDY, TABLE, Hold, Program
from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.export.frames import AnswerFrames
from wtp.store import Database, answers, background_jobs, results, tables
from wtp.store.api_tokens import RESULTS
from wtp.web.api.replies import TIME
from wtp.web.stopping import Gate

LABELS = ["left_out_respondents", "simulated_respondents"]
NEXT = re.compile(r'<([^>]*)>; rel="next"')


def test_the_list_of_studies_names_those_of_the_token(program: Program, hold: Hold) -> None:
    assert [each["study"] for each in program.get("/api/v1/studies").json["studies"]] == ["supplier", "workshop"]
    one = hold(RESULTS, studies=("workshop",)).get("/api/v1/studies").json["studies"]
    assert [(each["study"], each["url"], each["title"]["de"]) for each in one] == [
        ("workshop", OTHER, "Ihre nächste Inspektion")
    ]


def test_a_study_says_what_it_asks_and_how_far_it_is(program: Program) -> None:
    study = program.get(STUDY).json
    assert study["counts"] == {"begun": 12, "completed": 12, "simulated": 12}
    assert (study["state"], study["results_open"], study["price"]["currency"]) == ("open", True, "EUR")
    speed = next(each for each in study["attributes"] if each["attribute"] == "speed")
    assert (speed["current"], speed["label"]["en"]) == ("two_days", "Speed of problem solving")
    assert [level["level"] for level in speed["levels"]] == ["five_days", "two_days", "same_day"]
    assert [each["segment"] for each in study["segments"]] == ["uptime", "cost", "growth"]
    assert [each["version"] for each in study["versions"]] == [1]
    assert {"core_problem", "importance"} <= {each["question"] for each in study["questions"]}


def test_every_table_of_the_analysis_is_there_to_the_last_digit(program: Program, shown: Analysis) -> None:
    listed = program.get(f"{STUDY}/tables").json
    assert [each["table"] for each in listed["tables"]] == list(shown.tables)
    for each in listed["tables"]:
        frame = shown.tables[each["table"]]
        reply = program.get(each["url"]).json
        assert each["columns"] == list(frame.columns)
        assert each["rows"] == reply["total"] == len(reply["rows"]) == len(frame)
        assert [column["name"] for column in reply["columns"]] == [*frame.columns, *LABELS]
        wanted = frame.astype(object).where(frame.notna(), None).to_dict("records")
        assert [{name: row[name] for name in frame.columns} for row in reply["rows"]] == wanted, each["table"]


def test_what_is_withheld_is_null_and_its_note_says_why(program: Program) -> None:
    rows = program.get(f"{TABLE}?segment=cost").json["rows"]
    assert rows
    assert {row["segment"] for row in rows} == {"cost"}
    for row in rows:
        assert row["estimate"] is row["low"] is row["high"] is None
        assert row["note"].startswith("The price did not clearly drive the answers")
    assert program.get(f"{TABLE}?segment=growth").json["rows"] == [], "20 respondents"


def test_notes_and_simulated_respondents_are_said(program: Program) -> None:
    listed = program.get(f"{STUDY}/tables").json
    assert listed["notes"] == [{"severity": "warning", "segment": "cost", "text": "Only 12 respondents."}]
    assert listed["analysis"]["simulated_respondents"] == 12
    reply = program.get(TABLE)
    assert reply.json["analysis"]["simulated_respondents"] == 12
    assert {row["simulated_respondents"] for row in reply.json["rows"]} == {12}
    assert "supplier-willingness_to_pay-simulated.csv" in program.get(f"{TABLE}.csv").headers["Content-Disposition"]


def test_columns_are_explained_in_every_language(program: Program) -> None:
    columns = {column["name"]: column for column in program.get(TABLE).json["columns"]}
    assert columns["low"]["type"] == "number"
    assert columns["simulated_respondents"]["type"] == "whole number"
    assert all(
        set(column["meaning"]) == {"en", "de"} and all(column["meaning"].values()) for column in columns.values()
    )
    assert columns["segment"]["codes"]["uptime"]["de"] == "Stillstand vermeiden"


def test_csv_is_the_file_of_the_page_byte_by_byte(app: Flask, program: Program, shown: Analysis) -> None:
    manager = Staff(app.test_client())
    manager.log_in()
    for table in shown.tables:
        page = manager.client.get(f"/results/supplier/{table}.csv").data
        assert program.get(f"{STUDY}/tables/{table}.csv").data == page, table
        assert program.get(f"{STUDY}/tables/{table}", Accept="text/csv").data == page, table


def test_long_answers_are_the_files_of_the_page(app: Flask, program: Program) -> None:
    analyst = Staff(app.test_client(), "analyst")
    analyst.log_in()
    page = analyst.client.get("/manage/supplier/exports/choices").data
    assert page.count(b"\n") > 400
    assert program.get(f"{STUDY}/choices.csv").data == page
    assert program.get(f"{STUDY}/choices", Accept="text/csv").data == page


@pytest.mark.parametrize("part", ["respondents", "choices"])
def test_answers_are_all_there(app: Flask, database: Database, program: Program, part: str) -> None:
    survey = app.extensions["wtp_surveys"]["supplier"]
    with database.read() as connection:
        found = answers.read_answers(connection, "supplier")
    wanted = AnswerFrames(survey.definition).table(part, found.respondents)
    wanted = wanted.assign(**{name: wanted[name].dt.strftime(TIME) for name in wanted.select_dtypes("datetimetz")})
    reply = program.get(f"{STUDY}/{part}").json
    assert reply["rows"] == wanted.astype(object).where(wanted.notna(), None).to_dict("records")
    assert reply["simulated_respondents"] == 12
    assert all(row["simulated"] for row in reply["rows"])
    assert all(column["meaning"]["en"] for column in reply["columns"])
    text = program.get(f"{STUDY}/{part}.csv").data.decode("utf-8-sig")
    assert len(pd.read_csv(io.StringIO(text))) == len(wanted)


@pytest.mark.parametrize("limit", [1, 5, 7, 24, 1000])
@pytest.mark.parametrize("path", [TABLE, f"{TABLE}?segment=uptime", f"{STUDY}/respondents"])
def test_following_the_links_gives_every_row_once(program: Program, path: str, limit: int) -> None:
    whole = program.get(path).json
    rows, address, parts = [], f"{path}{'&' if '?' in path else '?'}limit={limit}", 0
    while address:
        reply = program.get(address)
        assert reply.json["total"] == whole["total"]
        assert 0 < len(reply.json["rows"]) <= limit
        rows += reply.json["rows"]
        parts += 1
        found = NEXT.search(reply.headers["Link"])
        address = found[1] if found else ""
    assert rows == whole["rows"]
    assert parts == -(-whole["total"] // limit)


def test_links_lead_to_the_first_the_last_and_the_one_before(program: Program) -> None:
    total = program.get(TABLE).json["total"]
    links = program.get(f"{TABLE}.csv?limit=10&offset=10").headers["Link"]
    found = {rel: re.search(r"offset=(\d+)", target)[1] for target, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', links)}  # type: ignore[index]
    assert found == {"first": "0", "prev": "0", "next": "20", "last": str((total - 1) // 10 * 10)}
    assert "Link" not in program.get(TABLE).headers


def test_parts_of_csv_join_to_the_whole(program: Program) -> None:
    whole = program.get(f"{STUDY}/choices.csv").data
    lines = whole.count(b"\n") - 1
    parts = [program.get(f"{STUDY}/choices.csv?limit=100&offset={first}").data for first in range(0, lines, 100)]
    assert parts[0] + b"".join(part.partition(b"\n")[2] for part in parts[1:]) == whole


def test_beyond_the_end_there_is_nothing_and_it_is_no_mistake(program: Program) -> None:
    reply = program.get(f"{TABLE}?limit=5&offset=100000")
    assert (reply.status_code, reply.json["rows"]) == (200, [])
    assert "next" not in reply.headers["Link"]


@pytest.mark.parametrize(
    "path", ["/api/v1/studies", STUDY, f"{STUDY}/tables", TABLE, f"{TABLE}.csv", f"{STUDY}/choices"]
)
def test_what_a_program_has_is_not_sent_again(program: Program, path: str) -> None:
    first = program.get(path)
    again = program.get(path, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert program.get(path, If_None_Match='"another"').status_code == 200


def test_the_tag_tells_every_form_and_part_apart(program: Program) -> None:
    paths = [TABLE, f"{TABLE}.csv", f"{TABLE}?limit=3", f"{TABLE}?segment=uptime", f"{STUDY}/tables/importance"]
    tags = [program.get(path).headers["ETag"] for path in paths]
    assert len(set(tags)) == len(paths)


def test_the_tag_changes_with_the_answers(app: Flask, database: Database, program: Program) -> None:
    paths = (f"{STUDY}/tables/segments", f"{STUDY}/respondents")
    before = [program.get(path).headers["ETag"] for path in paths]
    query = sa.select(tables.answer).order_by(tables.answer.c.id).limit(1)
    with database.begin() as connection:
        row = dict(connection.execute(query).mappings().one())
        changed = {**row, "id": None, "revision": row["revision"] + 1, "content": {**row["content"]}}
        added = connection.execute(
            sa.insert(tables.answer).values(**changed).returning(tables.answer.c.id)
        ).scalar_one()
    try:
        after = [program.get(path, If_None_Match=tag) for path, tag in zip(paths, before, strict=True)]
        assert [reply.status_code for reply in after] == [200, 200]
        assert not {reply.headers["ETag"] for reply in after} & set(before)
    finally:
        with database.begin() as connection:
            connection.execute(sa.delete(tables.answer).where(tables.answer.c.id == added))


def test_a_result_that_is_closed_is_not_told_and_the_reason_is(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = Gate(12, 300, {"all": 9.0}, 4.0, None, False)
    for module in ("access", "studies"):
        monkeypatch.setattr(f"wtp.web.api.{module}.gate_of", lambda *_: shut)
    for path in (f"{STUDY}/tables", TABLE, f"{TABLE}.csv"):
        reply = program.get(path)
        assert (reply.status_code, reply.mimetype) == (403, "application/problem+json")
        assert reply.json["type"] == "/api/v1/#problem-closed"
        assert reply.json["found"] == "12 people completed"
        assert reply.json["allowed"] == "300 people who completed and every price upper limit known to 4 EUR"
    assert program.get(STUDY).json["results_open"] is False
    assert program.get(f"{STUDY}/choices").status_code == 200, "answers are no results, as on the pages"


def test_the_quick_analysis_is_done_when_the_reply_comes(program: Program, database: Database) -> None:
    reply = program.post(f"{STUDY}/analyses", json={"seed": 7})
    assert (reply.status_code, reply.json["state"]) == (201, "done")
    assert reply.headers["Location"] == reply.json["url"]
    facts = reply.json["facts"]
    assert (facts["seed"], facts["respondents"], facts["estimator"]) == (7, 12, "none")
    polled = program.get(reply.json["url"])
    assert (polled.status_code, polled.json) == (200, reply.json)
    again = program.post(f"{STUDY}/analyses", json={"seed": 7})
    assert (again.status_code, again.json) == (200, reply.json), "made once"
    listed = program.get(reply.json["tables"]).json
    assert listed["analysis"] == facts
    with database.read() as connection:
        kept = Analysis.from_json(results.of_study(connection, "supplier", reply.json["analysis"]) or "")
    first = listed["tables"][0]
    assert program.get(first["url"]).json["total"] == len(kept.tables[first["table"]])


def test_a_final_analysis_that_was_made_is_found(program: Program, shown: Analysis) -> None:
    reply = program.post(f"{STUDY}/analyses", json={"model": "hierarchical"})
    assert (reply.status_code, reply.json["state"]) == (200, "done")
    assert reply.json["facts"]["respondents"] == shown.respondents
    rows = program.get(f"{TABLE}?analysis={reply.json['analysis']}").json["rows"]
    assert rows == program.get(TABLE).json["rows"]


def test_a_final_analysis_for_which_answers_do_not_suffice_is_refused_in_words(program: Program) -> None:
    reply = program.post(f"{STUDY}/analyses", json={"model": "hierarchical", "seed": 3})
    assert (reply.status_code, reply.json["type"]) == (422, "/api/v1/#problem-value")
    assert reply.json["found"] == "too few answers for hierarchical"
    assert reply.json["allowed"].startswith("75 respondents")


def test_a_job_is_started_once_joined_and_polled(
    program: Program, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr("wtp.jobs.start.final_models", lambda *_: ("hierarchical",))
    asked = {"model": "hierarchical", "seed": 4}
    first, again = (program.post(f"{STUDY}/analyses", json=asked) for _ in range(2))
    assert (first.status_code, first.json["state"], first.headers["Retry-After"]) == (202, "waiting", "5")
    assert again.json == first.json, "the same analysis is joined"
    place, now = first.headers["Location"], datetime.now(UTC)
    with database.begin() as connection:
        job = background_jobs.newest(connection, "supplier", first.json["analysis"])
        assert job is not None
        assert background_jobs.claim(connection, job.id, "worker", now)
        background_jobs.report(connection, job.id, "worker", {"sweeps": 40})
    polled = program.get(place)
    assert (polled.status_code, polled.json["state"], polled.json["progress"]) == (200, "running", {"sweeps": 40})
    assert polled.json["tables"] is None
    with database.begin() as connection:
        background_jobs.cancel(connection, job.id, now)
    assert program.get(place).json["state"] == "cancelled"


def test_another_studys_analysis_is_not_there(program: Program) -> None:
    made = program.post(f"{OTHER}/analyses", json={}).json["analysis"]
    assert program.get(f"{OTHER}/analyses/{made}").status_code == 200
    assert program.get(f"{STUDY}/analyses/{made}").status_code == 404
    assert program.get(f"{STUDY}/tables?analysis={made}").status_code == 404
