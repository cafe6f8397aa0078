"""The files with which an installation runs: read as what they are, and held to what the program needs."""

from __future__ import annotations

import configparser
import re
import shutil
import stat
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from wtp.cli import main
from wtp.deploy import KINDS, Plan, files
from wtp.errors import SettingsError
from wtp.settings import Settings, load_settings
from wtp.web.security import MAX_UPLOAD
from wtp.web.traffic import LONGEST_END, THREADS

ROOT = Path(__file__).parents[2]
TRUSTED = {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"}  # by security.protect


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        instance=tmp_path / "instance", surveys=ROOT / "surveys", base_url="https://study.example", proxies=1
    )


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(out=tmp_path / "out", workers=4, analysts=2, threads=THREADS)


class _Unit(configparser.RawConfigParser):
    def __init__(self, text: str) -> None:
        super().__init__(strict=False)
        self.optionxform = str  # type: ignore[assignment, method-assign]
        self.read_string(text)


def _compose(settings: Settings, plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(files("compose", settings, plan)["compose.yaml"])
    return found


def test_units_of_systemd(settings: Settings, plan: Plan) -> None:
    made = {name: _Unit(text) for name, text in files("systemd", settings, plan).items()}
    service = made["wtp.service"]["Service"]
    assert service["ExecStart"].split()[1:] == [
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        "8000",
        "--workers",
        "4",
        "--analysts",
        "2",
    ]
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert service["KillMode"] == "mixed", "the parent decides when a worker ends"
    assert int(service["TimeoutStopSec"]) > LONGEST_END
    for unit in ("wtp.service", "wtp-backup.service"):
        part = made[unit]["Service"]
        assert part["User"] == "wtp"
        assert (part["NoNewPrivileges"], part["ProtectSystem"], part["UMask"]) == ("yes", "strict", "0077")
        assert str(settings.instance) in part["ReadWritePaths"]
        # The estimators are compiled when they are imported, and must have a place for it.
        assert "NUMBA_CACHE_DIR=%C/wtp" in part["Environment"].split()
        assert part["CacheDirectory"] == "wtp"
    assert "backup /var/backups/wtp --keep 30" in made["wtp-backup.service"]["Service"]["ExecStart"]
    assert made["wtp-backup.timer"]["Timer"]["Persistent"] == "yes"


def test_systemd_itself_finds_nothing_wrong(settings: Settings, plan: Plan, tmp_path: Path) -> None:
    """Where systemd is; elsewhere the test above has read the units."""
    verify = shutil.which("systemd-analyze")
    for name, text in files("systemd", replace(settings, instance=tmp_path), replace(plan, user="root")).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert text.count("[Unit]") == 1
    if verify:
        units = [str(tmp_path / name) for name in KINDS["systemd"]]
        told = subprocess.run([verify, "verify", *units], capture_output=True, text=True, check=False)
        about_us = [line for line in told.stderr.splitlines() if "wtp" in line and "Unit" not in line]
        assert (told.returncode, about_us) == (0, [])


def test_containers(settings: Settings, plan: Plan) -> None:
    compose = _compose(settings, plan)
    services = compose["services"]
    assert set(services) == {"proxy", "wtp", "backup", "postgres", "redis"}
    assert [name for name, each in services.items() if "ports" in each] == ["proxy"], (
        "nothing else is reached from outside"
    )
    for name, each in services.items():
        assert "no-new-privileges:true" in each["security_opt"]
        assert each.get("privileged") is None
        assert "healthcheck" in each or name == "proxy"
        assert all(network in compose["networks"] for network in each["networks"])
        for volume in each.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith(".") or source in compose["volumes"], volume
    assert compose["networks"]["data"] == compose["networks"]["pages"] == {"internal": True}
    wtp = services["wtp"]
    assert wtp["command"][:2] == ["wtp", "serve"]
    assert (wtp["read_only"], wtp["cap_drop"]) == (True, ["ALL"])
    assert int(wtp["stop_grace_period"].rstrip("s")) > LONGEST_END
    most = re.search(r"max_connections=(\d+)", " ".join(services["postgres"]["command"]))
    assert most is not None
    assert int(most[1]) > 4 * (THREADS + 1) + 2 * 3 + 3
    assert (plan.out / wtp["build"]["context"]).resolve() == ROOT
    assert (ROOT / wtp["build"]["dockerfile"]).resolve() == plan.out.resolve() / "Dockerfile"


def test_no_secret_but_in_its_own_file(settings: Settings, plan: Plan) -> None:
    made = files("compose", settings, plan)
    password = made[".env"].strip().partition("=")[2]
    assert len(password) >= 40
    assert files("compose", settings, plan)[".env"] != made[".env"], "a new one each time"
    assert not [name for name, text in made.items() if password in text and name != ".env"]
    given = tomllib.loads(made["settings.toml"])
    assert given["database"] == "postgresql+psycopg://wtp@postgres/wtp"
    assert made["compose.yaml"].count("POSTGRES_PASSWORD:?") == 2


def test_the_settings_of_the_container_are_settings(settings: Settings, plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(files("compose", settings, plan)["settings.toml"], encoding="utf-8")
    found = load_settings(tmp_path)
    assert (found.proxies, found.base_url, found.log) == (1, "https://study.example", "json")


def test_the_image(settings: Settings, plan: Plan) -> None:
    made = files("compose", settings, plan)
    image = made["Dockerfile"]
    assert "--require-hashes --only-binary :all: -r requirements.lock" in image
    assert re.findall(r"^USER (\S+)$", image, re.MULTILINE) == ["10001:10001"]
    assert "wtp serve" in image.replace('", "', " ")
    copied = set(re.findall(r"^COPY (?!--)(\S+) ", image, re.MULTILINE)) - {"."}
    allowed = {line[1:] for line in made["Dockerfile.dockerignore"].splitlines() if line.startswith("!")}
    assert copied <= allowed
    assert all((ROOT / name).exists() for name in allowed)
    assert "\n*\n" in made["Dockerfile.dockerignore"], "no secret, no answers: only what is named"
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for needed in ("psycopg==", "psycopg-binary==", "redis==", "hatchling==", "babel=="):
        assert f"\n{needed}" in locked


@pytest.mark.parametrize("kind", ["caddy", "compose", "nginx"])
def test_the_proxy_sets_what_is_believed_and_buffers(settings: Settings, plan: Plan, kind: str) -> None:
    text = files(kind, settings, plan)["wtp.conf" if kind == "nginx" else "Caddyfile"]
    assert text.count("{") == text.count("}")
    assert "study.example" in text
    target = "wtp:8000" if kind == "compose" else "127.0.0.1:8000"
    assert target in text
    command = "proxy_set_header" if kind == "nginx" else "header_up"
    given = dict(re.findall(rf"{command} (X-\S+) (.+?);?$", text, re.MULTILINE))
    assert set(given) == TRUSTED
    assert given["X-Forwarded-For"] == ("$remote_addr" if kind == "nginx" else "{remote_host}"), "set, not appended"
    sizes = [int(size) for size in re.findall(r"(?:max_size|request_buffers|client_max_body_size) (\d+)", text)]
    assert min(sizes) * 1_000_000 > MAX_UPLOAD
    assert ("proxy_request_buffering on" in text) or ("request_buffers" in text)
    assert re.search(r"/metrics \{\s+(return|respond) 404", text)
    assert not re.search(r"^\s*(access_log (?!off)|log\b)", text, re.MULTILINE)


def test_several_hosts_behind_one_proxy(settings: Settings, plan: Plan) -> None:
    several = replace(plan, upstreams=("10.0.0.1:8000", "10.0.0.2:8000"))
    caddy = files("caddy", settings, several)["Caddyfile"]
    assert "reverse_proxy 10.0.0.1:8000 10.0.0.2:8000 {" in caddy
    assert "health_uri /readyz" in caddy
    nginx = files("nginx", settings, several)["wtp.conf"]
    assert re.findall(r"server (\S+) max_fails=3", nginx) == ["10.0.0.1:8000", "10.0.0.2:8000"]


def test_without_an_https_address_there_is_nothing_to_fill_in(settings: Settings, plan: Plan) -> None:
    with pytest.raises(SettingsError, match="base_url: found 'http://127"):
        files("caddy", replace(settings, base_url="http://127.0.0.1:8000"), plan)


def test_the_command_writes_and_never_replaces_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance, out = tmp_path / "instance", tmp_path / "out"
    instance.mkdir()
    (instance / "settings.toml").write_text('base_url = "https://study.example"\nproxies = 1\n', encoding="utf-8")
    monkeypatch.setenv("WTP_INSTANCE", str(instance))
    monkeypatch.setenv("WTP_SURVEYS", str(ROOT / "surveys"))

    def run(*more: str) -> tuple[int, str]:
        said = CliRunner().invoke(main, ["deploy", "compose", "--out", str(out), *more])
        return said.exit_code, said.output

    assert run()[0] == 0
    assert {path.name for path in out.iterdir()} == set(KINDS["compose"])
    secret = (out / ".env").read_text(encoding="utf-8")
    assert stat.S_IMODE((out / ".env").stat().st_mode) == 0o600
    code, said = run()
    assert code == 1
    assert "exist; allowed: a folder without them" in said
    (out / "Caddyfile").write_text("old", encoding="utf-8")
    assert run("--force")[0] == 0
    assert (out / "Caddyfile").read_text(encoding="utf-8") != "old"
    assert (out / ".env").read_text(encoding="utf-8") == secret
