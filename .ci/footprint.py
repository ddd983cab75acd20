"""How small and how quick the built binary is: size on disk, time from start to serving, memory when idle.

Usage: footprint.py BINARY. Prints each figure beside its bound; a figure over its bound is a failure.
Only the standard library is used. The memory figure needs Linux; elsewhere it is left out, aloud.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

# Eight wire formats, three clouds' credentials and one vocabulary for counting tokens: 12 MB, bound 15. The clients of
# PostgreSQL and Redis, SQLite, TLS towards clients and the figures came on top, and with them a wider bound.
SIZE_MB = 15.0
START_MS = 20.0
# What the proxy itself holds, and that with the pages of its file that were touched, which the system can drop.
OWN_MIB = 6.0
IDLE_MIB = 14.0
STARTS = 11


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bare_environment():
    """No provider key of the machine must switch anything on."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}


def answers(port):
    """Whether the health route answers 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        return line.recv(64).startswith(b"HTTP/1.1 200")


def start(binary, folder):
    """Starts a proxy; gives the process and the milliseconds until it answered."""
    port = free_port()
    began = time.perf_counter()
    proxy = subprocess.Popen(
        [binary, "serve", "--listen", f"127.0.0.1:{port}"],
        cwd=folder,
        env=bare_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while time.perf_counter() - began < 10:
        if proxy.poll() is not None:
            sys.exit(f"the proxy ended with {proxy.returncode} before it served")
        try:
            if answers(port):
                return proxy, (time.perf_counter() - began) * 1000
        except OSError:
            time.sleep(0.0002)
    proxy.kill()
    sys.exit("the proxy did not answer within 10 s")


def stop(proxy):
    proxy.terminate()
    try:
        proxy.wait(timeout=10)
    except subprocess.TimeoutExpired:
        proxy.kill()
        sys.exit("the proxy did not end within 10 s of SIGTERM")


def resident_mib(pid, kind):
    """Resident memory of a kind, or None where the system does not tell it this way."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            for line in status:
                if line.startswith(f"{kind}:"):
                    return int(line.split()[1]) / 1024
    except FileNotFoundError:
        pass
    return None


def judge(name, value, bound, unit):
    fits = value <= bound
    print(f"{name:<28} {value:8.2f} {unit:<4} bound {bound:g}{'' if fits else '   TOO MUCH'}")
    return fits


def main(binary):
    fits = [judge("binary", os.path.getsize(binary) / 1e6, SIZE_MB, "MB")]
    times = []
    idle = own = None
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(STARTS):
            proxy, took = start(binary, folder)
            times.append(took)
            if len(times) == STARTS:
                time.sleep(1)
                idle = resident_mib(proxy.pid, "VmRSS")
                own = resident_mib(proxy.pid, "RssAnon")
            stop(proxy)
    fits.append(judge(f"start, median of {STARTS}", statistics.median(times), START_MS, "ms"))
    if idle is None:
        print("idle memory                  SKIPPED: no /proc here")
    else:
        fits.append(judge("idle memory, its own", own, OWN_MIB, "MiB"))
        fits.append(judge("idle memory, with its file", idle, IDLE_MIB, "MiB"))
    sys.exit(0 if all(fits) else 1)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
