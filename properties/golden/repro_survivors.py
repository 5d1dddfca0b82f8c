"""W1 NoWorkerOutlivesParent (ProcessPoolExecutor:fork, CPython 3.11.7)
Expected: After main's death, of whatever cause, every process of its tree dies within the grace
that the contract names (default 1 s). One of which it is proved that nothing can wake it is not
waited for: it counts as left behind at once.
"""
import contextlib, glob, os, signal, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor


def nothing():
    pass


def family(session):  # its processes that are alive
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path) as stat:
            state, _, _, its = stat.read().rpartition(")")[2].split()[:4]
            if int(its) == session and state not in "ZX":
                found.append(int(path.split("/")[2]))
    return found


if __name__ == "__main__" and sys.argv[1:] == ["program"]:
    pool = ProcessPoolExecutor(1)
    f1 = pool.submit(nothing)
    f1.result()
    os._exit(0)
elif __name__ == "__main__":
    child = subprocess.Popen([sys.executable, __file__, "program"], start_new_session=True)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=10)
        time.sleep(2)
        left = family(child.pid)
        seen = child.poll() is not None and left and "main is gone, these live: %s" % left
    finally:
        for number in signal.SIGTERM, signal.SIGKILL:
            for pid in family(child.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(0.5)  # semaphores are removed meanwhile
    print(__doc__ + "Happened:", seen or "not this time")
    sys.exit(1 if seen else 0)
