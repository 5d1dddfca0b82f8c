"""CPython's pools, measured as pool_bench.cc measures ours: `peers.py FIGURE POOL WAY N` prints a number.

    noop POOL WAY N    no-op tasks per second, N of them in flight, chunks of one
    echo POOL WAY N    median nanoseconds in which N MiB go to a worker and come back, one at a time
"""
import concurrent.futures
import multiprocessing
import statistics
import sys
import time

WORKERS = 2
ECHOES = 20


def nothing(_):
    pass


def same(data):
    return data


def map_all(pool, count):
    pool.map(nothing, range(count), 1)


def imap_unordered(pool, count):
    for _ in pool.imap_unordered(nothing, range(count), 1):
        pass


def apply_async(pool, count):
    for result in [pool.apply_async(nothing, (i,)) for i in range(count)]:
        result.get()


def executor_map(pool, count):
    for _ in pool.map(nothing, range(count)):
        pass


def submit(pool, count):
    for result in [pool.submit(nothing, i) for i in range(count)]:
        result.result()


NOOP = {("Pool", "map"): map_all, ("Pool", "imap_unordered"): imap_unordered,
        ("Pool", "apply_async"): apply_async,
        ("Executor", "map"): executor_map, ("Executor", "submit"): submit}
ECHO = {("Pool", "apply"): lambda pool, data: pool.apply(same, (data,)),
        ("Executor", "submit"): lambda pool, data: pool.submit(same, data).result()}


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def noop(pool, way, count):
    way(pool, 10 * WORKERS)  # all are there
    return count / timed(lambda: way(pool, count))


def echo(pool, way, mebibytes):
    data = bytes(mebibytes << 20)
    way(pool, data)
    echoes = max(ECHOES // mebibytes, 3)
    return 1e9 * statistics.median(timed(lambda: way(pool, data)) for _ in range(echoes))


def main(figure, kind, way, count):
    measure, ways = {"noop": (noop, NOOP), "echo": (echo, ECHO)}[figure]
    pools = {"Pool": multiprocessing.Pool, "Executor": concurrent.futures.ProcessPoolExecutor}
    with pools[kind](WORKERS) as pool:
        print(measure(pool, ways[kind, way], int(count)))


if __name__ == "__main__":
    main(*sys.argv[1:])
