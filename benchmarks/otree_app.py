"""An oTree project with the pages of the default study, and its production server: what `benchmarks/load.py --peer` runs beside ours.

Consent, three questions, an introduction, thirteen choice tasks (three offers of seven attributes each, and whether it would be bought), four prices, seven ratings,
thanks: the same pages with the same kinds of fields, written as oTree's manual writes them: an app each for what comes before the tasks, the tasks as rounds, and what
comes after; fields on the player, a radio widget or an input each, a table in the template. Nothing is piped, drafted, translated or kept twice, so a page of it does less.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.conftest import SURVEYS
from wtp.survey import load_survey
from wtp.web import free_port

_KEY = "key-of-a-benchmark"
_A_SESSION = 60
_SETTINGS = """
from os import environ
SESSION_CONFIGS = [dict(name="supplier", display_name="supplier", app_sequence=["before", "choice", "after"], num_demo_participants=1)]
SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.0, participation_fee=0.0, doc="")
PARTICIPANT_FIELDS = []
SESSION_FIELDS = []
LANGUAGE_CODE = "en"
REAL_WORLD_CURRENCY_CODE = "EUR"
USE_POINTS = False
ADMIN_USERNAME = "admin"
ADMIN_PASSWORD = environ.get("OTREE_ADMIN_PASSWORD")
SECRET_KEY = "a secret of a benchmark that nobody else uses"
"""
_APP = """
from otree.api import *

class C(BaseConstants):
    NAME_IN_URL = "{name}"
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = {rounds}
{constants}

class Subsession(BaseSubsession):
    pass

class Group(BaseGroup):
    pass

class Player(BasePlayer):
{fields}

{pages}
"""
_TEMPLATE = """{{{{ block title }}}}{title}{{{{ endblock }}}}
{{{{ block content }}}}
{content}
{{{{ next_button }}}}
{{{{ endblock }}}}
"""


@dataclass(frozen=True)
class OTree:
    """A running server of oTree."""

    process: subprocess.Popen[bytes]
    port: int

    def starts(self, people: int = 1_500) -> list[str]:
        """Addresses at which people begin, one each; the sessions for them are made here."""
        found = []
        for _ in range(0, people, _A_SESSION):
            body = json.dumps({"session_config_name": "supplier", "num_participants": _A_SESSION}).encode()
            made = self._post("/api/sessions", body)
            path = "/" + made["session_wide_url"].split("/", 3)[3]
            found += [path] * _A_SESSION
        return found[::-1]

    def _post(self, path: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "otree-rest-key": _KEY}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=300) as reply:
            made: dict[str, str] = json.load(reply)
            return made


@contextmanager
def otree(command: str, folder: Path, url: str) -> Iterator[OTree]:
    """oTree's production server on the project, with a SQLite file of its own or the PostgreSQL database of `url`."""
    _write(folder)
    bin_folder = Path(command).resolve().parent
    port = free_port(30_000 + os.getpid() % 10_000)
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "OTREE_PRODUCTION": "1",
        "OTREE_REST_KEY": _KEY,
        "OTREE_ADMIN_PASSWORD": "not asked for",
        "OTREE_AUTH_LEVEL": "STUDY",
        "DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://") or "sqlite:///db.sqlite3",
    }
    reset = [command, "resetdb", "--noinput"]
    subprocess.run(reset, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [command, "prodserver", f"127.0.0.1:{port}"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(process, port, folder / "server.log")
        yield OTree(process, port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # it has a helper, which does not end with it
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("oTree does not answer")


def _write(folder: Path) -> None:
    """The project, its words and its first version's tasks taken from the default study."""
    survey = load_survey(SURVEYS / "supplier")
    definition = survey.definition
    assert survey.design is not None
    pages = {page.id: page for page in definition.pages}
    (folder / "_static").mkdir(parents=True)
    (folder / "settings.py").write_text(_SETTINGS, encoding="utf-8")
    asked = [
        ("q_" + q.id, q.label["en"], [(o.id, o.label["en"]) for o in q.options]) for q in pages["profile"].questions
    ]  # type: ignore[union-attr]
    fields = ['    agree = models.BooleanField(label="I agree and want to take part", widget=widgets.CheckboxInput)']
    fields += [
        f"    {name} = models.StringField(label={label!r}, choices={options!r}, widget=widgets.RadioSelect)"
        for name, label, options in asked
    ]
    first = [("Consent", ["agree"]), ("Profile", [name for name, *_ in asked]), ("Introduction", [])]
    _app(folder, "before", 1, "", fields, first, {name: _words(pages[name.lower()]) for name, _ in first})

    labels = {a.id: a.label["en"] for a in definition.attributes}
    words = {(a.id, level.id): level.label["en"] for a in definition.attributes for level in a.levels}
    tasks = [
        [[words[a, o.levels[a]] for a in labels] + [f"€{o.price:g} per month"] for o in task.alternatives]
        for task in next(iter(survey.design.versions.values()))
    ]
    constants = f"    HEADINGS = {[*labels.values(), 'Price']!r}\n    TASKS = {tasks!r}"
    fields = [
        "    chosen = models.IntegerField(choices=[1, 2, 3], widget=widgets.RadioSelect)",
        '    buys = models.BooleanField(label="Would you really buy the offer that you chose, at its price?", '
        'choices=[[True, "Yes, I would buy it"], [False, "No, I would not buy it"]], widget=widgets.RadioSelect)',
    ]
    table = """<table class="table"><tr><th></th>{{ for heading in C.HEADINGS }}<th>{{ heading }}</th>{{ endfor }}</tr>
{{ for offer in offers }}<tr><td><label><input type="radio" name="chosen" value="{{ offer.number }}" required> Offer {{ offer.number }}</label></td>{{ for level in offer.cells }}<td>{{ level }}</td>{{ endfor }}</tr>
{{ endfor }}</table>
{{ formfield 'buys' }}"""
    shown = """    @staticmethod
    def vars_for_template(player):
        task = C.TASKS[player.round_number - 1]
        return dict(offers=[dict(number=number, cells=cells) for number, cells in enumerate(task, 1)])
"""
    choice = [("Choice", ["chosen", "buys"])]
    _app(folder, "choice", len(tasks), constants, fields, choice, {"Choice": table}, more=shown)

    prices = ["too_cheap", "cheap", "expensive", "too_expensive"]
    sense = pages["prices"].questions[0]  # type: ignore[union-attr]
    fields = [f"    {name} = models.FloatField(label={getattr(sense, name)['en']!r}, min=0)" for name in prices]
    rated = pages["importance"].questions[0]  # type: ignore[union-attr]
    fields += [
        f"    r_{item.id} = models.IntegerField(label={item.label['en']!r}, choices=[1, 2, 3, 4, 5, 6, 7], widget=widgets.RadioSelectHorizontal)"
        for item in rated.items
    ]
    last = [("Prices", prices), ("Importance", [f"r_{item.id}" for item in rated.items]), ("Thanks", [])]
    contents = {name: _words(pages[name.lower()]) for name, _ in last}
    _app(folder, "after", 1, "", fields, last, contents)


def _words(page: object) -> str:
    return "".join(f"<p>{part}</p>\n" for part in (getattr(page, "text", None) or {"en": ""})["en"].split("\n\n"))


def _app(
    folder: Path,
    name: str,
    rounds: int,
    constants: str,
    fields: list[str],
    pages: list[tuple[str, list[str]]],
    contents: dict[str, str],
    more: str = "",
) -> None:
    place = folder / name
    place.mkdir()
    classes = "\n\n".join(
        f"class {page}(Page):\n    form_model = 'player'\n    form_fields = {form!r}\n{more}" for page, form in pages
    )
    sequence = f"\n\npage_sequence = [{', '.join(page for page, _ in pages)}]\n"
    source = _APP.format(
        name=name, rounds=rounds, constants=constants, fields="\n".join(fields), pages=classes + sequence
    )
    (place / "__init__.py").write_text(source, encoding="utf-8")
    for page, form in pages:
        fields_shown = "" if more or not form else "{{ formfields }}"
        button = page != "Thanks"
        text = _TEMPLATE.format(title=page, content=contents[page] + fields_shown)
        (place / f"{page}.html").write_text(text if button else text.replace("{{ next_button }}\n", ""), "utf-8")
