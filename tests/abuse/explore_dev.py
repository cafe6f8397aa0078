import sys, traceback
from collections import Counter
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st
from tests.abuse.walk import operations
from tests.abuse import test_routes
import time


def test_explore(house):
    every = operations(house)
    from pathlib import Path

    n = int(Path("/tmp/brief/8/n").read_text())
    found = {}
    seen = Counter()
    slow = []

    def one(operation):
        @seed(n)
        @settings(
            max_examples=n,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(st.data())
        def ask(data):
            t = time.process_time()
            try:
                seen[test_routes.send(house, operation, data.draw)] += 1
            except Exception as e:
                if type(e).__module__.startswith("hypothesis"):
                    raise
                tb = [
                    f
                    for f in traceback.extract_tb(e.__traceback__)
                    if "/wtp/" in f.filename and "site-packages" not in f.filename
                ]
                last = tb[-1] if tb else None
                key = (type(e).__name__, str(last and (last.filename[-40:], last.lineno, last.line)))
                found.setdefault(key, []).append((operation.rule, operation.method, str(e)[:300]))
            d = time.process_time() - t
            slow.append((d, operation.rule, operation.method))

        try:
            ask()
        except Exception as e:
            print("HYP", operation.rule, operation.method, type(e), str(e)[:300])

    for operation in every:
        one(operation)
    print(len(every), seen)
    for k, v in found.items():
        print("#", k, len(v), v[0])
    print(sorted(slow)[-25:], sum(s[0] for s in slow))
