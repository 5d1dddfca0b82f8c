"""One measurement of one subject: a program is run, its figures are read."""
import collections
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SMOKE_TASKS = 20_000
COUNTERS = ("items_per_second", "median_ns", "payloads", "bytes", "run_ns", "wake_ups")


class Samples:
    """Figure by name: one number for each round in which it could be measured."""

    def __init__(self):
        self.values = collections.defaultdict(list)

    def add(self, figures):
        for name, value in figures.items():
            self.values[name].append(value)

    def of(self, name):
        return self.values.get(name, [])

    def ratio(self, name, peer):
        """Of what was measured in the same round; None if nothing was."""
        pairs = [ours / theirs for ours, theirs in zip(self.of(name), self.of(peer)) if theirs]
        return statistics.median(pairs) if pairs else None


def measure(subject, folder, smoke):
    """The figures of a subject, as `kind:name`. Where it fails it says so, and there are none."""
    kind, _, name = subject.partition(":")
    try:
        return {"ours": ours, "start": start, "peer": peer}[kind](name, folder, smoke)
    except (subprocess.CalledProcessError, ValueError, KeyError) as error:
        print(f"{subject}: {getattr(error, 'stderr', None) or error}", file=sys.stderr)
        return {}


def output(command, smoke):
    environment = dict(os.environ)
    if smoke:
        environment["POOLPROOF_BENCH_MOST_TASKS"] = str(SMOKE_TASKS)
    return subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


def ours(name, folder, smoke):
    """The counters of a figure of poolproof_pool_bench."""
    told = json.loads(output([os.path.join(folder, "poolproof_pool_bench"), "--benchmark_format=json",
                              f"--benchmark_filter=^{name}(/iterations|/real_time|$)"], smoke))
    (run,) = told["benchmarks"]
    if run.get("error_occurred"):
        raise ValueError(run["error_message"])
    figures = {f"ours:{name}:{counter}": run[counter] for counter in COUNTERS if counter in run}
    if "items_per_second" in run:
        figures[f"ours:{name}:ns_per_task"] = 1e9 / run["items_per_second"]
    return figures


def start(where, folder, smoke):
    """Milliseconds of each start method and floor, in a small or a big process."""
    lines = output([os.path.join(folder, "poolproof_bench_start"), "1" if smoke else "11", where], smoke)
    return {f"start:{where}:{name}": float(ms) for name, ms in map(str.split, lines.splitlines())}


def peer(name, _, smoke):
    """A figure of CPython's pools: noop.Pool.map.10000, for example."""
    figure, pool, way, count = name.split(".")
    if smoke and figure == "noop":
        count = "500"
    command = [sys.executable, os.path.join(HERE, "peers.py"), figure, pool, way, count]
    return {f"peer:{name}": float(output(command, smoke))}
