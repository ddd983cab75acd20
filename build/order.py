"""Which functions run from the start of the program to its first answer, as a script for the linker.

Usage: order.py BINARY > build/start.ld, with a release binary that has its symbols:
    cargo rustc --release --bin waypost -- -C strip=none
Needs valgrind. The system maps a file in pieces of 64 KB; with these functions side by side an idle proxy takes up
2 MiB less. Names that are not there any more do no harm, so this is run again only when the figures of
`.ci/run footprint` say so.
"""

import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

# A path is taken whole where so much of its code runs, by share and by bytes.
DENSE, LEAST = 0.35, 200
# Small paths of shared code (growing vectors, dropping) are taken where a little of it runs.
SMALL, SPARSE = 60_000, 0.08
PORT = 18_917

HEAD = """\
/* Written by build/order.py: what runs from the start to the first answer lies side by side. */
SECTIONS
{
  .text.start :
  {
"""
TAIL = """\
  }
} INSERT BEFORE .text;
"""


def trace(binary, folder):
    """Starts the program under callgrind, asks for its health, and gives the trace's lines."""
    out = os.path.join(folder, "trace")
    proxy = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--dump-instr=yes", f"--callgrind-out-file={out}"]
        + [binary, "serve", "--listen", f"127.0.0.1:{PORT}"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=5).read()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    time.sleep(1)
    subprocess.run(["callgrind_control", "-d", str(proxy.pid)], check=True, stdout=subprocess.DEVNULL)
    proxy.send_signal(signal.SIGKILL)
    proxy.wait()
    with open(f"{out}.1", encoding="utf-8") as lines:
        yield from lines


def ran(lines, binary):
    """The addresses in the binary that ran."""
    names, here, address, found = {}, "", 0, set()
    for line in lines:
        if named := re.match(r"(c?ob)=\((\d+)\)(?: (.*))?", line):
            names.setdefault(named[2], named[3])
            here = names[named[2]] if named[1] == "ob" else here
        elif placed := re.match(r"(?:0x([0-9a-f]+)|([+-]\d+)|\*)\s", line):
            address = int(placed[1], 16) if placed[1] else address + int(placed[2] or 0)
            if here == binary:
                found.add(address)
    return found


def functions(binary):
    """Start, size and name of each function, in order."""
    table = subprocess.run(["nm", "-n", "-S", "-t", "d", binary], check=True, capture_output=True, text=True)
    rows = (line.split(None, 3) for line in table.stdout.splitlines())
    return [(int(row[0]), int(row[1]), row[3]) for row in rows if len(row) == 4 and row[2] in "tTwW"]


def path(name):
    """The parts of a mangled name, without the hash at its end."""
    parts, at = ["_ZN"], 3
    while length := re.match(r"\d+", name[at:]):
        end = at + len(length[0]) + int(length[0])
        parts.append(name[at:end])
        at = end
    return parts[:-1] if re.fullmatch(r"17h[0-9a-f]{16}", parts[-1]) else parts


def weighed(table, addresses):
    """Bytes of code by path, and how many of them belong to functions that ran."""
    whole, live = collections.Counter(), collections.Counter()
    addresses = sorted(addresses)
    at = 0
    for start, size, name in table:
        while at < len(addresses) and addresses[at] < start:
            at += 1
        runs = at < len(addresses) and addresses[at] < start + size
        if not name.startswith("_ZN"):
            continue
        parts = path(name)
        for depth in range(2, len(parts) + 1):
            whole[tuple(parts[:depth])] += size
            live[tuple(parts[:depth])] += size if runs else 0
    return whole, live


def chosen(whole, live):
    """The shortest paths that are worth it."""
    taken = set()
    for key in sorted(whole, key=len):
        share = live[key] / whole[key]
        dense = share >= DENSE and live[key] >= LEAST
        small = whole[key] <= SMALL and share >= SPARSE
        if (dense or small) and not any(key[:depth] in taken for depth in range(2, len(key))):
            taken.add(key)
    return sorted("".join(key) for key in taken)


def main(binary):
    with tempfile.TemporaryDirectory() as folder:
        addresses = ran(trace(binary, folder), binary)
    names = chosen(*weighed(functions(binary), addresses))
    print(HEAD + "".join(f"    *(.text*.{name}*)\n" for name in names) + TAIL, end="")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
