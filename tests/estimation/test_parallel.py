"""Pieces run on this machine's cores, in processes, and on a Dask cluster on loopback: the same figures to the digit, dead workers and lost clusters included."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from tests.design.test_efficient import free
from tests.estimation.dying import dies, dies_once
from tests.estimation.test_hierarchical import population
from tests.jobs.conftest import until
from wtp.analysis import plan as quick_plan
from wtp.design import search
from wtp.design.exchange import coordinate_exchange
from wtp.errors import ComputeError
from wtp.estimation import ConditionalLogit, HierarchicalLogit, LatentClassLogit, bootstrap, parallel
from wtp.estimation.hierarchical import Progress
from wtp.estimation.parallel import computing, each, elsewhere
from wtp.survey import load_survey

LOOPBACK = "127.0.0.1:0"  # a port that is free
SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A scheduler and two workers, each a process; dead workers are replaced."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=LOOPBACK, silence_logs=50) as running:
        yield running


def _hierarchical(**more: object) -> list[np.ndarray]:
    fit = HierarchicalLogit(population(40, 6)[0], signs={"price": -1}, covariates=["branch"]).fit(
        draws=300, warmup=200, stop=None, seed=5, keep=100, **more
    )  # type: ignore[arg-type]
    return [fit.individual.to_numpy(), *fit.sampled.individual, *fit.sampled.population, fit.sampled.watched]


def _bootstrap() -> list[np.ndarray]:
    return [bootstrap(ConditionalLogit(population(40, 6)[0]).fit(), 120, seed=3).draws.values]


def _latent() -> list[np.ndarray]:
    fit = LatentClassLogit(population(40, 6)[0], 2).fit(starts=3, seed=2)
    return [fit.params.to_numpy(), fit.starts["log_likelihood"].to_numpy()]


def _plan() -> list[np.ndarray]:
    definition = load_survey(SUPPLIER).definition
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"STUDIES": 1, "CHECKS": 1, "REFERENCE": 80}.items():
            patch.setattr(quick_plan, name, value)
        made = quick_plan.plan_study(definition, search(definition, 1), seed=4)
    return [made.needed[["estimate", "half_width", "needed"]].to_numpy(), made.check[["forecast", "ratio"]].to_numpy()]


def _design() -> list[np.ndarray]:
    coded = [np.vstack([np.eye(3), -np.ones(3)]) for _ in range(4)]
    found = coordinate_exchange(coded, 16, 3, free([4] * 4, 3), draws=np.zeros((1, 12)), starts=5, seed=7)
    assert found.starts == 5
    return [found.levels, np.array([found.error])]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """To the digit."""
    return len(one) == len(other) and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("make", [_hierarchical, _bootstrap, _latent, _plan, _design], ids=lambda make: make.__name__)
def test_the_same_figures_on_a_cluster(make: Callable[[], list[np.ndarray]], cluster: LocalCluster) -> None:
    with computing(cluster.scheduler_address.replace("tcp://", "dask://")):
        assert elsewhere()
        found = make()
    assert not elsewhere()
    assert same(found, make())


def test_the_same_figures_in_processes_whose_death_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with computing("2"):
        found = _hierarchical()
        pieces = list(each(dies_once, ((tmp_path / "mark", number) for number in range(4))))
        monkeypatch.setattr(parallel, "_CALLS", 1)
        with pytest.raises(ComputeError, match="compute: the processes broke off"):
            list(each(dies, [(1,), (2,)]))
    assert same(found, _hierarchical())
    assert [number for number, _ in pieces] == [0, 1, 2, 3]
    assert os.getpid() not in {process for _, process in pieces}


def test_a_fit_goes_on_when_a_worker_of_the_cluster_is_killed(cluster: LocalCluster) -> None:
    here, killed = _hierarchical(), []

    def kill(progress: Progress) -> None:
        if progress.sweeps >= 200 and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with computing(cluster.scheduler_address):
        found = _hierarchical(progress=kill)
    assert killed
    assert same(found, here)


def test_a_cluster_that_ends_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_CONNECT_SECONDS", 10)
    file, quiet = tmp_path / "scheduler.json", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begin = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = subprocess.Popen([*begin, "--no-dashboard", "--scheduler-file", str(file)], **quiet)  # type: ignore[call-overload]
    join = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    worker = subprocess.Popen([*join, "--scheduler-file", str(file)], cwd=tmp_path, **quiet)  # type: ignore[call-overload]

    def end(progress: Progress) -> None:
        if progress.sweeps >= 200:
            scheduler.kill()

    try:
        until(lambda: file.exists() and file.read_text().endswith("}"))
        address = json.loads(file.read_text())["address"]
        with pytest.raises(ComputeError, match="compute: the Dask cluster broke off"), computing(address):
            _hierarchical(progress=end)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("where", "said"),
    [("tcp://127.0.0.1:9", "no Dask cluster answers at tcp://127.0.0.1:9"), ("1", "allowed: empty"), ("http://host", "allowed: empty")],
)  # fmt: skip
def test_what_is_no_place_is_said(where: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_CONNECT_SECONDS", 0.5)
    with pytest.raises(ComputeError, match=said), computing(where):
        pass
