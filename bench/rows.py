"""The rows of the table: which figure, beside which peers, within which limit."""
import dataclasses
from typing import Callable, Optional


@dataclasses.dataclass
class Row:
    label: str
    figure: str                        # as measuring.py names it
    show: Callable[[float], str]
    peers: tuple = ()                  # figures; with several, the best of them counts
    more_is_better: bool = False       # decides which peer is the best
    least: Optional[float] = None      # limits of the figure itself ...
    most: Optional[float] = None
    least_times: Optional[float] = None  # ... and of its ratio to the best peer
    most_times: Optional[float] = None
    target: str = ""


@dataclasses.dataclass
class Group:
    title: str
    rows: list


def rate(value):
    return f"{value / 1e6:.2f} M/s" if value >= 1e6 else f"{value / 1e3:.1f} k/s"


def duration(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}" if ns < 1000 * size else f"{ns / size:.0f} {unit}"
    return f"{ns:.0f} ns"


def milliseconds(value):
    return duration(value * 1e6)


def table():
    return [noop(), round_trips(), echo(), starts(), by_workers(), by_tasks(), memory()]


PEERS_NOOP = tuple(f"peer:noop.{name}.10000" for name in ("Pool.map", "Pool.imap_unordered", "Pool.apply_async"))
EXECUTOR_NOOP = tuple(f"peer:noop.{name}.4000" for name in ("Executor.map", "Executor.submit"))


def noop():
    ours = "ours:{}/workers:2/tasks:100000:items_per_second"
    target = dict(more_is_better=True, least=1e6, least_times=20, target=">= 1 M/s, >= 20 x")
    return Group("no-op tasks, 2 workers, many in flight, chunks of one; beside the best of multiprocessing.Pool", [
        Row("apply_async", ours.format("Noop"), rate, PEERS_NOOP, **target),
        Row("map", ours.format("NoopMap"), rate, PEERS_NOOP, **target),
        *[Row(peer_label(peer), peer, rate, more_is_better=True) for peer in PEERS_NOOP + EXECUTOR_NOOP],
    ])


def peer_label(figure):
    _, pool, way, _ = figure.partition(":")[2].split(".")
    return {"Pool": "multiprocessing.Pool", "Executor": "ProcessPoolExecutor"}[pool] + "." + way


def round_trips():
    rows = []
    for place in ("same", "apart", "anywhere"):
        futex = f"ours:Futex/{place}:median_ns"
        # Where both spin there is a limit in time, too; anywhere, the two are not in the same place.
        limits = {"same": dict(most_times=1.5, target="<= 1.5 x"),
                  "apart": dict(most_times=1.5, most=3000, target="<= 1.5 x, <= 3 us"), "anywhere": {}}[place]
        rows += [
            Row(f"apply, {place}", f"ours:Apply/{place}:median_ns", duration, (futex,), **limits),
            Row(f"raw futex, {place}", futex, duration),
            Row(f"raw pipe, {place}", f"ours:Pipe/{place}:median_ns", duration),
        ]
    return Group("round trip, 1 worker, beside a raw futex ping-pong on the same processor, apart, or unpinned", [
        *rows,
        Row("words that both spin on, apart", "ours:Spin/apart:median_ns", duration),
        Row("idle pool of 4: processor time in 1 s", "ours:Idle/workers:4:run_ns", duration, most=0, target="0"),
        Row("idle pool of 4: wake-ups in 1 s", "ours:Idle/workers:4:wake_ups", "{:.0f}".format, most=0, target="0"),
    ])


def echo():
    def echo_of(mebibytes, target):
        peers = tuple(f"peer:echo.{name}.{mebibytes}" for name in ("Pool.apply", "Executor.submit"))
        return [Row(f"echo of {mebibytes} MiB", f"ours:Echo/MiB:{mebibytes}:median_ns", duration,
                    peers, most_times=target, target="<= 0.2 x" if target else ""),
                *[Row(f"  {peer_label(peer)}", peer, duration) for peer in peers]]

    return Group("large payloads; beside the better of CPython's pools", [
        *echo_of(1, 0.2), *echo_of(64, None),
        Row("main grows by, result of 64 MiB", "ours:GrowthByResult/MiB:64:payloads", "{:.2f} x".format, most=1.5,
            target="< 1.5 x (no second copy)"),
        Row("main grows by, argument of 64 MiB", "ours:GrowthByArgument/MiB:64:payloads", "{:.2f} x".format, most=0.5,
            target="< 0.5 x (no second copy)"),
    ])


def starts():
    rows = []
    for where, label in (("small", "small process"), ("big", "beside 1 GiB written")):
        floor = f"start:{where}:floor"
        rows += [
            Row(f"fork, {label}", f"start:{where}:fork", milliseconds, (f"start:{where}:fork-floor",),
                most=1.5 if where == "small" else None, target="<= 1.5 ms" if where == "small" else ""),
            Row("  5 bare forks", f"start:{where}:fork-floor", milliseconds),
            Row(f"forkserver, {label}", f"start:{where}:forkserver", milliseconds, (floor,), most_times=1.5,
                target="<= 1.5 x"),
            Row(f"spawn, {label}", f"start:{where}:spawn", milliseconds, (floor,)),
            Row("  posix_spawn of the same, and 4 forks", floor, milliseconds),
        ]
    return Group("create 4 workers, first result, stop; beside its bare floor", rows)


def by_workers():
    first = "ours:Noop/workers:1/tasks:100000:ns_per_task"
    return Group("cost of a no-op task by number of workers, 100,000 in flight; beside 1 worker", [
        Row(f"{workers} worker{'s' * (workers > 1)}", f"ours:Noop/workers:{workers}/tasks:100000:ns_per_task",
            duration, (first,), most_times=2, target="flat: <= 2 x")
        for workers in (1, 2, 4, 16, 64, 256)])


def by_tasks():
    base = "ours:Noop/workers:2/tasks:1000:ns_per_task"
    return Group("cost of a no-op task by number of tasks in flight, 2 workers; beside 1,000", [
        Row(f"{10 ** power:,} task{'s' * (power > 0)}", f"ours:Noop/workers:2/tasks:{10 ** power}:ns_per_task",
            duration, (base,), most_times=2, target="flat: <= 2 x")
        for power in range(8)])


def memory():
    few, many = (f"ours:MemoryPerQueuedTask/tasks:{tasks}:bytes" for tasks in (10_000, 1_000_000))
    return Group("memory of main for each task that waits behind a busy worker, its future included; beside 10,000", [
        Row("10,000 queued", few, "{:.0f} bytes".format),
        Row("1,000,000 queued", many, "{:.0f} bytes".format, (few,), most_times=1.25, target="bounded: <= 1.25 x"),
    ])


def subjects(groups):
    """What has to be run for these rows, each once: `kind:name`."""
    figures = {figure for group in groups for row in group.rows for figure in (row.figure, *row.peers)}
    return sorted({subject_of(figure) for figure in figures})


def subject_of(figure):
    kind, _, rest = figure.partition(":")
    if kind == "start":
        return f"start:{rest.partition(':')[0]}"
    if kind == "ours":
        rest = rest.rpartition(":")[0]  # without the counter
    return f"{kind}:{rest}"


def kept(row, median, times):
    """True or False where the row has a limit. times: its ratio to its best peer, or None."""
    bounds = [(median, row.least, row.most), (times, row.least_times, row.most_times)]
    told = [value is not None and (least is None or value >= least) and (most is None or value <= most)
            for value, least, most in bounds if least is not None or most is not None]
    return all(told) if told else None
