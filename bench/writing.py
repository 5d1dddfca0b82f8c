"""The table as text, and the document around it."""
import dataclasses
import datetime
import os
import platform
import statistics

import rows

COMMAND = "./dev bench pool"


@dataclasses.dataclass
class About:
    started: datetime.datetime
    load: tuple
    rounds: int
    smoke: bool


def report(groups, samples, about):
    """The table, and whether every row of it has its figure."""
    lines = [heading(about)]
    complete = True
    for group in groups:
        lines += ["", group.title]
        for row in group.rows:
            complete = complete and bool(samples.of(row.figure))
            lines.append(line(row, samples))
    return "\n".join(lines) + "\n", complete


def heading(about):
    if about.smoke:
        return "smoke: fewer tasks than the rows say, once each; only whether they work counts"
    return (f"median (quartiles) of {about.rounds} rounds; x: median of the rounds' ratios to the peer; "
            "+ within its target, - not")


def line(row, samples):
    values = samples.of(row.figure)
    if not values:
        return f"  {row.label:<44} not measured"
    median = statistics.median(values)
    times = ratio_to_best(row, samples)
    mark = {True: "+", False: "-", None: " "}[rows.kept(row, median, times)]
    ratio = "" if times is None else f"{times:.2f} x"
    return f"{mark} {row.label:<44} {row.show(median):>12} {spread(row, values):<24} {ratio:>9}  {row.target}".rstrip()


def spread(row, values):
    if len(values) < 2:
        return ""
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"({row.show(low)} - {row.show(high)})"


def ratio_to_best(row, samples):
    """To that peer beside which it looks worst."""
    ratios = [samples.ratio(row.figure, peer) for peer in row.peers]
    ratios = [ratio for ratio in ratios if ratio is not None]
    if not ratios:
        return None
    return min(ratios) if row.more_is_better else max(ratios)


def machine(about):
    return (f"{about.started:%Y-%m-%d %H:%M}, {len(os.sched_getaffinity(0))} processors ({processor()}), "
            f"Linux {platform.release()}, Python {platform.python_version()}, "
            f"load average {about.load[0]:.1f} at its start, {os.getloadavg()[0]:.1f} at its end")


def processor():
    with open("/proc/cpuinfo") as file:
        for text in file:
            name, _, value = text.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    return platform.machine()


def document(text, about):
    return f"""# What the reference pool costs

Written by `{COMMAND}`; `bench/README.md` says what the rows mean.

{machine(about)}.

```
$ {COMMAND}
{text}```
"""
