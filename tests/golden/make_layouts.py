"""What other software finds in the choice data that `wtp export --format NAME` writes, of the 60 simulated respondents in `layouts_choices.csv.gz`.

Writes `layouts.json`: of each layout the SHA-256 of its choice file, log-likelihood and coefficients, as Biogeme, xlogit, R's survival (`clogit`, on the files of logitr and mlogit) and bayesm (`llmnl`,
maximised by R's `optim`) find them, with versions and what each program printed. The scripts are those of the exported zips where the program could be installed. Run by hand:
`python tests/golden/make_layouts.py PYTHON_WITH_BIOGEME`, with Rscript, survival and bayesm on the machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path

from tests.export.conftest import frozen
from wtp.export import FORMATS, Source
from wtp.survey import load_survey

HERE = Path(__file__).parent
SURVEY = HERE.parents[1] / "surveys" / "supplier"
_READ = 'd <- read.csv("choices.csv", fileEncoding = "UTF-8-BOM", check.names = FALSE)\n'
CLOGIT = (
    "library(survival)\n"
    + _READ
    + """
keys <- c("id", "simulated", "obsID", "chid", "task", "altID", "alt", "choice")
x <- setdiff(names(d)[sapply(d, is.numeric)], keys)
d$set <- if ("obsID" %in% names(d)) d$obsID else d$chid
d$y <- as.integer(as.logical(d$choice))
f <- clogit(as.formula(paste("y ~", paste(x, collapse = " + "), "+ strata(set)")), data = d, control = coxph.control(eps = 1e-12))
cat(sprintf("log-likelihood %.9f\\n", f$loglik[2]))
cat(sprintf("%s %.9f\\n", x, coef(f)), sep = "")
"""
)
LLMNL = (
    "suppressMessages(library(bayesm))\n"
    + _READ
    + """
x <- setdiff(names(d), c("respondent", "simulated", "task", "slot", "chosen"))
y <- d$slot[d$chosen == 1]
X <- as.matrix(d[, x])
b <- rep(0, length(x))
scale <- ifelse(x == "price", 0.01, 1)
for (again in 1:5) {
  f <- optim(b, function(b) -llmnl(b, y, X), method = "BFGS", control = list(maxit = 5000, reltol = 1e-16, parscale = scale, ndeps = rep(1e-5, length(x))))
  b <- f$par
}
cat(sprintf("log-likelihood %.9f\\n", -f$value))
cat(sprintf("%s %.9f\\n", x, f$par), sep = "")
"""
)


def written(name: str, folder: Path) -> str:
    """Unpack the layout into a folder; its hash."""
    survey = load_survey(SURVEY)
    file = io.BytesIO()
    FORMATS[name].write(Source.of(survey, frozen(survey)), file, None)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return hashlib.sha256((folder / "choices.csv").read_bytes()).hexdigest()


def run(folder: Path, *command: str) -> str:
    """What a program prints."""
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def told(printed: str, log_likelihood: str, coefficient: str) -> dict[str, object]:
    """The figures in what was printed, by two patterns."""
    found = re.search(log_likelihood, printed)
    if found is None:
        raise SystemExit(f"no log-likelihood in:\n{printed}")
    pairs = re.findall(coefficient, printed[found.end() :], re.MULTILINE)
    return {
        "log_likelihood": float(found[1]),
        "params": {name: float(value) for name, value in pairs},
        "printed": printed,
    }


def main(biogeme: str) -> None:
    """All programs, one after the other."""
    figures: dict[str, object] = {}
    r = run(
        HERE,
        "Rscript",
        "-e",
        'cat(R.version.string, "; survival", as.character(packageVersion("survival")), "; bayesm", as.character(packageVersion("bayesm")))',
    )
    ours = (r"log-likelihood (\S+)", r"^(?!log-lik)(\S+) (-?\d\S+)$")
    for name, program in (("logitr", CLOGIT), ("mlogit", CLOGIT), ("bayesm", LLMNL)):
        with tempfile.TemporaryDirectory() as place:
            digest = written(name, Path(place))
            (Path(place) / "fit.R").write_text(program, encoding="utf-8")
            figures[name] = {"sha256": digest, "with": r, **told(run(Path(place), "Rscript", "fit.R"), *ours)}
            if name == "bayesm":
                run(Path(place), "Rscript", "fit_bayesm.R", "200")  # the script that we ship runs through
    with tempfile.TemporaryDirectory() as place:
        digest = written("xlogit", Path(place))
        printed = run(Path(place), sys.executable, "fit_xlogit.py")
        figures["xlogit"] = {"sha256": digest, "with": f"xlogit {version('xlogit')}", **told(printed, *ours)}
    with tempfile.TemporaryDirectory() as place:
        digest = written("biogeme", Path(place))
        printed = run(Path(place), biogeme, "-W", "ignore", "fit_biogeme.py")
        of = run(
            Path(place),
            biogeme,
            "-c",
            "from importlib.metadata import version as v; print('Biogeme', v('biogeme'), '; tomlkit', v('tomlkit'))",
        )
        figures["biogeme"] = {"sha256": digest, "with": of, **told(printed, *ours)}
    (HERE / "layouts.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
