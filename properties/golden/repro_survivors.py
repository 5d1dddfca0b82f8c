"""W1 NoWorkerOutlivesParent (ProcessPoolExecutor:fork, CPython 3.11.7)
Expected: After main's death, of whatever cause, every process of its tree dies within the grace
that the contract names (default 1 s). One of which it is proved that nothing can wake it is not
waited for: it counts as left behind at once.
"""
import contextlib, os, signal, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor

def nothing():
    pass

def family(session, number=0):  # its processes that are alive; each is sent the signal
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(OSError), open("/proc/%d/status" % pid) as status:
            if os.getsid(pid) == session and "Z (zombie)" not in status.read():
                os.kill(pid, number)
                found.append(pid)
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
        family(child.pid, signal.SIGTERM)
        time.sleep(0.5)  # semaphores are removed meanwhile
        family(child.pid, signal.SIGKILL)
    print(__doc__ + "Happened:", seen or "not this time")
    sys.exit(1 if seen else 0)
