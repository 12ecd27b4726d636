"""What the benchmarks share: running a command while watching its memory, and saying on what machine that was."""
import os
import shutil
import subprocess
import sys
import time

SAMPLE_SECONDS = 0.02


def need(*commands):
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; the Debian packages are named in bench/README.md")


def corpora(given=None):
    """The folder of real mail: the argument, DAYLIGHT_CORPORA, or shared/corpora beside the checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    folder = given or os.environ.get("DAYLIGHT_CORPORA") or os.path.join(here, "../../shared/corpora")
    return os.path.realpath(folder)


def program():
    """The release build of Daylight, or what DAYLIGHT names."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.environ.get("DAYLIGHT") or os.path.join(here, "../target/release/daylight")
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is missing: cargo build --release")
    return os.path.realpath(path)


def tree(pid):
    """The process and all that descend from it."""
    pids = [pid]
    for one in pids:
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children") as file:
                    pids.extend(int(child) for child in file.read().split())
        except OSError:
            pass  # It has ended meanwhile.
    return pids


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""  # It has ended meanwhile.


def memory(pids):
    """The bytes that these processes hold for themselves: anonymous and shared memory, without mapped files.

    A child that has been forked and has not yet called exec still shows its parent's pages as its own. It has its parent's command line then, and is
    left out: those pages are there once.
    """
    total = 0
    root = command_line(pids[0]) if pids else b""
    for pid in pids:
        if pid != pids[0] and command_line(pid) in (root, b""):
            continue
        try:
            with open(f"/proc/{pid}/status") as file:
                for line in file:
                    if line.startswith(("RssAnon:", "RssShmem:")):
                        total += int(line.split()[1]) * 1024
        except OSError:
            pass
    return total


def measure(command, env=None, log=None):
    """Runs a command; its seconds by the wall clock, and the peak of the memory of all its processes together, looked at every 20 ms."""
    with open(log or os.devnull, "wb") as out:
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory(tree(process.pid)))
            try:
                process.wait(SAMPLE_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        seconds = time.monotonic() - start
    if process.returncode != 0:
        tail = open(log, errors="replace").read()[-2000:] if log else ""
        sys.exit(f"{' '.join(command)} ended with {process.returncode}\n{tail}")
    return seconds, peak


def warm(folder):
    """Reads every file once, so that nobody pays for the disk."""
    for base, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(base, name), "rb") as file:
                while file.read(1 << 20):
                    pass


def machine():
    """One line on what this was measured on."""
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown processor")
    total = int(open("/proc/meminfo").readline().split()[1]) // 1024 // 1024
    return f"{os.cpu_count()} cores ({model}), {total} GiB, Linux {os.uname().release}, {time.strftime('%Y-%m-%d')}"


def size(folder):
    """The bytes of all files below a folder."""
    return sum(os.path.getsize(os.path.join(base, name)) for base, _, names in os.walk(folder) for name in names)


def table(head, rows):
    """A table in Markdown."""
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
