"""A fit taken up again from the files of `wtp estimate`: all that money values, price limits, simulator and segments need, without fitting anew.

`fit.json` holds the coding (names, attributes with their levels and columns, form of the price), and of a pooled fit estimates and covariance. The draws of respondents
stand in `draws.parquet` (hierarchical), those of classes or simulated respondents in `population.parquet` (latent, mixed).
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import KRINSKY_ROBB, POSTERIOR, Draws, normal_draws
from wtp.estimation.formulas import AttributeColumns
from wtp.estimation.labelled import Labels
from wtp.estimation.price_form import LINEAR, PriceForm

FIT_FILE, DRAWS_FILE, POPULATION_FILE = "fit.json", "draws.parquet", "population.parquet"
_FORMAT = 1
_POPULATION_DRAWS = {"mixed": 200, "latent": 2_000}


@dataclass(frozen=True, eq=False, slots=True)
class Coding:
    """What `ChoiceData` tells of columns, without the choices."""

    names: tuple[str, ...]
    attributes: tuple[AttributeColumns, ...]
    none: int | None
    price: str | None
    price_form: PriceForm | None
    respondents: np.ndarray
    weights: np.ndarray | None = None
    labels: Labels | None = None


@dataclass(frozen=True, eq=False, slots=True)
class SavedFit:
    """Draws and coding of a fit that was saved; what pricing and segments take.

    model: conditional, mixed, latent or hierarchical. status: of a hierarchical fit.
    """

    model: str
    data: Coding
    respondents: int
    status: str
    drawn: Draws
    seed: int
    generalise: bool = True
    notes: tuple[Note, ...] = ()

    def simulate(self, draws: int = 2_000, seed: int = 0) -> Draws:
        """Draws (R, G, K), evenly spaced where there are more; respondents of a hierarchical fit weighted as its own results do."""
        total = len(self.drawn.values)
        kept = np.linspace(0, total - 1, min(draws, total)).round().astype(int)
        weights = self.drawn.weights if len(self.drawn.weights) == 1 else self.drawn.weights[kept]
        drawn = Draws(self.drawn.values[kept], weights, self.drawn.method)
        return drawn.generalised([self.seed, seed]) if self.model == "hierarchical" and self.generalise else drawn

    def segment(self, members: np.ndarray) -> SavedFit:
        """Some of the respondents (N,) of a hierarchical fit."""
        data = replace(self.data, respondents=self.data.respondents[members])
        return replace(self, data=data, drawn=self.drawn.of(members), respondents=int(members.sum()))


@dataclass(frozen=True, eq=False, slots=True)
class SavedPooledFit:
    """Estimates and clustered covariance of a saved conditional logit, in utility space."""

    data: Coding
    respondents: int
    utility_params: np.ndarray
    utility_covariance: np.ndarray
    notes: tuple[Note, ...] = ()

    @property
    def utility_errors(self) -> np.ndarray:
        """(K,) standard errors."""
        return np.asarray(np.sqrt(np.diag(self.utility_covariance)))

    def simulate(self, draws: int = 10_000, seed: int = 0) -> Draws:
        """Draws (R, 1, K) by Krinsky and Robb (1986)."""
        values = normal_draws(self.utility_params, self.utility_covariance, draws, seed)
        return Draws(values[:, None, :], np.ones((1, 1)), KRINSKY_ROBB)


def fit_record(fit: Any, model: str) -> dict[str, Any]:
    """The JSON record `fit.json` of a fit."""
    data = fit.data
    form = data.price_form
    record: dict[str, Any] = {
        "format": _FORMAT,
        "model": model,
        "names": list(data.names),
        "none": data.none,
        "price": data.price,
        "price_form": form and {"column": form.column, "kind": form.kind, "tested": form.tested, "knots": form.knots},
        "attributes": [
            {
                "name": columns.name,
                "levels": [level.item() if isinstance(level, np.generic) else level for level in columns.levels],
                "contrasts": columns.contrasts.tolist(),
                "numeric": columns.numeric,
                "of": columns.of,
                "only": list(columns.only),
            }
            for columns in data.attributes
        ],
        "labels": _labels_record(data.labels),
        "respondents": int(fit.respondents),
        "weights": None if data.weights is None else data.weights.tolist(),
        "status": getattr(fit, "status", ""),
        "seed": int(getattr(fit, "seed", 0)),
    }
    if isinstance(fit, ConditionalLogitResults):
        record["params"] = fit.utility_params.tolist()
        record["covariance"] = np.asarray(fit.utility_covariance).tolist()
    return record


def population_frame(fit: Any, model: str) -> pd.DataFrame | None:
    """draw, group, weight and one column a parameter, of classes or simulated respondents; None for other models."""
    if model not in _POPULATION_DRAWS:
        return None
    drawn = fit.simulate(_POPULATION_DRAWS[model])
    count, groups, k = drawn.values.shape
    frame = pd.DataFrame(drawn.values.reshape(-1, k), columns=list(fit.data.names))
    frame.insert(0, "weight", np.broadcast_to(drawn.weights, (count, groups)).ravel())
    frame.insert(0, "group", np.tile(np.arange(groups), count))
    frame.insert(0, "draw", np.repeat(np.arange(count), groups))
    return frame


def load_fit(folder: str | Path) -> SavedFit | SavedPooledFit:
    """The fit that `wtp estimate --out` wrote into a folder. Raises DataError where its files are not there or not of this version."""
    place = Path(folder)
    try:
        record = json.loads((place / FIT_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{place / FIT_FILE}: {error.strerror}; allowed: a folder that wtp estimate wrote; check the path."
        ) from error
    except ValueError as error:
        raise DataError(f"{place / FIT_FILE}: not JSON ({error}); run wtp estimate again.") from error
    if record.get("format") != _FORMAT:
        raise DataError(
            f"{place / FIT_FILE}: format {record.get('format')!r}; allowed: {_FORMAT}; run wtp estimate again."
        )
    if record["model"] == "conditional":
        return unpack_fit(record)
    hierarchical = record["model"] == "hierarchical"
    path = place / (DRAWS_FILE if hierarchical else POPULATION_FILE)
    if not path.is_file():
        raise DataError(f"{path}: no such file; allowed: all files that wtp estimate wrote; run it again.")
    frame = pd.read_parquet(path)
    groups = int(frame["draw"].eq(frame["draw"].iloc[0]).sum())
    values = frame[record["names"]].to_numpy(dtype=float).reshape(-1, groups, len(record["names"]))
    if hierarchical:
        people = frame["respondent"].to_numpy()[:groups]
        weights = np.ones(groups) if record["weights"] is None else np.array(record["weights"])
        drawn = Draws(values, (weights / weights.sum())[None, :], POSTERIOR)
    else:
        people = np.arange(record["respondents"])
        drawn = Draws(values, frame["weight"].to_numpy(dtype=float).reshape(-1, groups), KRINSKY_ROBB)
    return SavedFit(
        record["model"], _coding(record, people), record["respondents"], record["status"], drawn, record["seed"]
    )


def _labels_record(labels: Labels | None) -> dict[str, Any] | None:
    if labels is None:
        return None
    prices = {
        name: {"tested": form.tested, "column": form.column, "parameter": form.parameter}
        for name, form in labels.prices.items()
    }
    return {
        "column": labels.column,
        "names": list(labels.names),
        "prices": prices,
        "own_prices": labels.own_prices,
        "comparable": labels.comparable,
    }


def _labels(record: Mapping[str, Any] | None, attributes: tuple[AttributeColumns, ...]) -> Labels | None:
    if record is None:
        return None
    prices = {
        name: PriceForm(form["column"], LINEAR, tuple(form["tested"]), parameter=form["parameter"])
        for name, form in record["prices"].items()
    }
    return Labels(
        record["column"], tuple(record["names"]), attributes, prices, record["own_prices"], record["comparable"]
    )


def pack_fit(fit: Any, model: str, draws: int, seed: int = 0) -> dict[str, Any]:
    """A fit as one JSON record with its draws inside, as `unpack_fit` takes it: `simulate(draws, seed)` then gives the same again.

    Draws of respondents are kept in single precision. model: conditional, latent, mixed or hierarchical.
    """
    record = fit_record(fit, model)
    if model == "conditional":
        return record
    plain = replace(fit, generalise=False) if model == "hierarchical" else fit
    drawn = plain.simulate(draws, seed)
    values = drawn.values.astype(np.float32) if model == "hierarchical" else drawn.values
    return record | {
        "people": np.asarray(fit.data.respondents).tolist(),
        "values": _packed(values),
        "draw_weights": _packed(drawn.weights),
        "generalise": bool(getattr(fit, "generalise", False)),
    }


def unpack_fit(record: Mapping[str, Any]) -> SavedFit | SavedPooledFit:
    """The fit of a record that `pack_fit` made."""
    if record["model"] == "conditional":
        coding = _coding(record, np.arange(record["respondents"]))
        return SavedPooledFit(coding, record["respondents"], np.array(record["params"]), np.array(record["covariance"]))
    method = POSTERIOR if record["model"] == "hierarchical" else KRINSKY_ROBB
    drawn = Draws(_unpacked(record["values"]).astype(float), _unpacked(record["draw_weights"]), method)
    coding = _coding(record, np.array(record["people"]))
    return SavedFit(
        record["model"],
        coding,
        record["respondents"],
        record["status"],
        drawn,
        record["seed"],
        generalise=record["generalise"],
    )


def _packed(values: np.ndarray) -> str:
    file = io.BytesIO()
    np.savez_compressed(file, values=values)
    return base64.b64encode(file.getvalue()).decode()


def _unpacked(text: str) -> np.ndarray:
    with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as kept:
        return np.asarray(kept["values"])


def _coding(record: Mapping[str, Any], respondents: np.ndarray) -> Coding:
    form = record["price_form"]
    attributes = tuple(
        AttributeColumns(
            a["name"],
            tuple(a["levels"]),
            np.array(a["contrasts"], dtype=float),
            a["numeric"],
            a.get("of", ""),
            tuple(a.get("only", ())),
        )
        for a in record["attributes"]
    )
    return Coding(
        names=tuple(record["names"]),
        attributes=attributes,
        labels=_labels(record.get("labels"), attributes),
        none=record["none"],
        price=record["price"],
        price_form=form and PriceForm(form["column"], form["kind"], tuple(form["tested"]), tuple(form["knots"])),
        respondents=respondents,
        weights=None if record["weights"] is None else np.array(record["weights"]),
    )
