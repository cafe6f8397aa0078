"""Where independent pieces of a computation run: on the cores of this machine, in processes of it, or on a Dask cluster, by joblib.

A piece is a function with all that it needs: it is seeded by itself and changes nothing but its own arguments, so it may run anywhere, in any order, and once more where
a worker died, and the figures stay the same to the digit. `computing` says where the pieces of all that is computed within it run; without it they run here.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits

from wtp.errors import ComputeError, WtpError

T = TypeVar("T")
Each = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], Iterator[Any]]
HERE, PROCESSES, CLUSTER = "here", "processes", "cluster"
_SCHEMES = ("dask://", "tcp://", "tls://")
_CONNECT_SECONDS = 15
_CALLS = 3  # of the same pieces, where workers die under them
_LOOK_SECONDS = 1.0
_NOT_ALLOWED = "compute: found {where!r}; allowed: empty for the cores of this machine, a number of processes from 2 on, or the address of a Dask cluster such as tcp://host:8786; mend the setting."
_NO_DASK = "compute: the client for Dask is missing; allowed: dask with distributed; install wtp[dask], or leave the setting empty."
_NOT_REACHED = "compute: no Dask cluster answers at {where} ({reason}); allowed: a scheduler with workers that have the same version of wtp; start them, or leave the setting empty."
_LOST = "compute: {what} broke off under the work ({reason}); allowed: workers with memory enough that stay up; look at their logs, then start the work again."


@dataclass(frozen=True, slots=True)
class _Place:
    """Where pieces run. alive: whether what runs them still answers."""

    kind: str = HERE
    alive: Callable[[], bool] = lambda: True


_HERE = _Place()
_PLACE: ContextVar[_Place] = ContextVar("place", default=_HERE)


@dataclass(frozen=True, slots=True)
class _Result:
    """What a piece gave; anything else that comes back is no result, as of a piece whose worker is gone."""

    value: Any


# Slots keep out weak references, so that joblib's Dask backend sends a piece with its task; what can be weakly referenced it leaves with one worker, with whom it would be lost.
@dataclass(frozen=True, eq=False, slots=True)
class _Piece:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __call__(self) -> _Result:
        _single_thread()
        _PLACE.set(_HERE)
        with parallel_config(backend="sequential"):
            return _Result(self.function(*self.arguments))


def elsewhere() -> bool:
    """Whether pieces run in other processes, where nothing of this one is seen."""
    return _PLACE.get().kind != HERE


@contextlib.contextmanager
def hands(cores: int | None = None, *, threads: bool = True) -> Iterator[Each]:
    """What runs `function` of each piece: an iterator of the results in the order of the pieces, as they come; pieces are asked for as hands are free.

    cores: at most so many of this machine at once, by default all. threads: whether pieces mostly leave Python's lock alone and so run at once here; else they run
    here one after the other, and elsewhere at once all the same. A piece must give back all that it changes, since elsewhere it works on a copy. Iterating raises
    ComputeError where no process or cluster is left to run pieces.
    """
    if elsewhere():
        yield _away
        return
    count = (cores or os.cpu_count() or 1) if threads else 1
    kept = Parallel(count, backend="threading", pre_dispatch="n_jobs", batch_size=1, return_as="generator")
    with threadpool_limits(1) if threads else contextlib.nullcontext(), kept as pool:
        yield lambda function, pieces: pool(delayed(function)(*piece) for piece in pieces)


def each(
    function: Callable[..., T], pieces: Iterable[tuple[Any, ...]], cores: int | None = None, *, threads: bool = True
) -> Iterator[T]:
    """`hands` for the pieces of one time."""
    with hands(cores, threads=threads) as run:
        yield from run(function, pieces)


def _away(function: Callable[..., Any], pieces: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    kept: list[tuple[Any, ...]] = []  # begun, without a result yet
    rest = iter(pieces)
    for call in range(1, _CALLS + 1):
        try:
            for result in _results(_again(function, kept, rest)):
                kept.pop(0)
                yield result
            return
        except WtpError:
            raise
        except Exception as error:
            alive = _PLACE.get().alive()
            if alive and not isinstance(error, _broken()):
                raise  # a fault of the piece itself
            if call == _CALLS or not alive:
                what = "the processes" if _PLACE.get().kind == PROCESSES else "the Dask cluster"
                raise ComputeError(_LOST.format(what=what, reason=_said(error))) from error


def on_cores(function: Callable[[T], Any], parts: Iterable[T], cores: int | None = None) -> list[Any]:
    """function of each part at once in this process, wherever pieces run: for parts of one computation that work on the same arrays."""
    with ThreadPoolExecutor(
        cores or os.cpu_count() or 1
    ) as pool:  # joblib looks for results every 10 ms: too seldom for parts of a millisecond
        return list(pool.map(function, parts))


@contextlib.contextmanager
def computing(where: str) -> Iterator[None]:
    """Run the pieces of all that is computed within on: "" the cores of this machine, "2" or more processes of it, "tcp://host:8786" (or dask://) a Dask cluster.

    Raises ComputeError for another text, for a cluster that does not answer, and where the extra `dask` is missing.
    """
    if not where:
        yield
    elif where.isascii() and where.isdecimal() and int(where) > 1:
        with _set(_Place(PROCESSES)), parallel_config(
            backend="loky", n_jobs=int(where), max_nbytes=None, inner_max_num_threads=1, initializer=_end_with, initargs=(os.getpid(),)
        ):  # fmt: skip
            try:
                yield
            finally:
                get_reusable_executor().shutdown(wait=True, kill_workers=True)
    elif where.startswith(_SCHEMES):
        with (
            _client(where) as client,
            parallel_config(backend="dask", client=client),
            _set(_Place(CLUSTER, lambda: client.status == "running")),
        ):
            yield
    else:
        raise ComputeError(_NOT_ALLOWED.format(where=where))


def _again(
    function: Callable[..., Any], kept: list[tuple[Any, ...]], rest: Iterator[tuple[Any, ...]]
) -> Iterator[_Piece]:
    """The pieces that were begun before, then the others, which are kept until they have a result."""
    for arguments in list(kept):
        yield _Piece(function, arguments)
    for arguments in rest:
        kept.append(arguments)
        yield _Piece(function, arguments)


def _results(pieces: Iterator[_Piece]) -> Iterator[Any]:
    pool = Parallel(pre_dispatch="n_jobs", batch_size=1, return_as="generator")
    for found in pool(delayed(piece)() for piece in pieces):
        if not isinstance(found, _Result):
            raise CancelledError(_said(found))
        yield found.value


def _broken() -> tuple[type[BaseException], ...]:
    """What is raised when a process or a worker dies, or the way to it is cut."""
    own = (BrokenExecutor, CancelledError, OSError, TimeoutError)
    if _PLACE.get().kind != CLUSTER:
        return own
    return (*own, importlib.import_module("distributed").scheduler.KilledWorker)


@contextlib.contextmanager
def _client(where: str) -> Iterator[Any]:
    """A client of the cluster; imported only where one is used, since that takes a second."""
    try:
        dask, distributed = importlib.import_module("dask"), importlib.import_module("distributed")
    except ImportError as error:
        raise ComputeError(_NO_DASK) from error
    address = where.replace("dask://", "tcp://", 1)
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
        try:
            client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False, name="wtp")
        except (OSError, ValueError) as error:
            raise ComputeError(_NOT_REACHED.format(where=where, reason=_said(error))) from error
        with contextlib.closing(client):
            yield client


@contextlib.contextmanager
def _set(place: _Place) -> Iterator[None]:
    token = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(token)


def _said(error: object) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")


@cache
def _single_thread() -> None:
    """From now on this process has one thread a piece, as pieces have that run here at once."""
    threadpool_limits(1)


def _end_with(parent: int) -> None:
    """Let this process end when the one that began it is gone, killed for instance."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
