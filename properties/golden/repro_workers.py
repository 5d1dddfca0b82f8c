"""W3 NoZombieLeft (ProcessPoolExecutor:fork, CPython 3.11.7)
Expected: After join has returned no worker is alive, and neither then nor whenever the tree is at
rest is a worker or helper of the pool dead and unreaped.
"""
import contextlib, os, signal, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor

def nothing():
    pass

if __name__ == "__main__" and sys.argv[1:] == ["program"]:
    pool = ProcessPoolExecutor(1)
    f1 = pool.submit(nothing)
    f1.result()
    workers = [getattr(w, "pid", w) for w in list(pool._processes.values())]
    pool.shutdown(wait=False)
    # join
    left = [pid for pid in workers if os.path.exists("/proc/%d" % pid)]
    print("happened: after join (step 5), workers are left:", left, flush=True)
    os._exit(77 if left else 0)
elif __name__ == "__main__":
    child = subprocess.Popen([sys.executable, __file__, "program"], start_new_session=True)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=10)
        seen = child.poll() == 77
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
            time.sleep(0.5)  # semaphores are removed meanwhile
            os.killpg(child.pid, signal.SIGKILL)
    print(__doc__ if seen else __doc__ + "not this time")
    sys.exit(1 if seen else 0)
