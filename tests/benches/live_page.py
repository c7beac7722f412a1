#!/usr/bin/env python3
"""What the page of `--live` costs a load, and how soon it shows each second.

A load of a minute against a served loop is made without a page, with one that nobody opens, and with
one that a browser follows, in turns. Their CPU time, user and system, is that of the whole process
until its results are sealed: the report that takes the place of the page is made after that, and its
time is told on its own, as is that of the thread of the page. A second is shown when the timeline of
the page names it; that is compared with the end of that second.

usage: live_page.py [RUNNER] [SECONDS] [RATE] [TURNS]
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNNER = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/runner")
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
RATE = int(sys.argv[3]) if len(sys.argv) > 3 else 500
TURNS = int(sys.argv[4]) if len(sys.argv) > 4 else 1


def cpu_seconds(process):
    """User and system time of a process, in hundredths of a second."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def page_seconds(process):
    """CPU time of the thread of the page."""
    tasks = pathlib.Path(f"/proc/{process}/task").iterdir()
    page = next(task for task in tasks if (task / "comm").read_text().strip() == "live page")
    return int((page / "schedstat").read_text().split()[0]) / 1e9


def last_second(changes):
    """The last second that the timeline names."""
    named = re.findall(r"second ([\d,]+): calls", changes)
    return max((int(text.replace(",", "")) for text in named), default=None)


def load(folder, *options):
    """Starts the load."""
    changes = [
        "phases.warm-up.duration=1s",
        f"phases.ramp.stages=[{{ to: {RATE}/s, over: 1s }}]",
        f"phases.steady.rate={RATE}/s",
        f"phases.steady.duration={SECONDS}s",
        # What has not ended is not shown.
        "phases.steady.think_time=0s",
        "expect=[]",
    ]
    command = [RUNNER, "run", "scenarios/load.yaml", "--quiet", "--out", f"{folder}/out", *options]
    command += [word for change in changes for word in ("--set", change)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def address(process):
    for line in process.stderr:
        if "live page: " in line:
            return line.split("live page: ")[1].strip()
    sys.exit("the load has no page")


def until_sealed(process, folder):
    """Waits until the results are sealed; the CPU time until then."""
    manifest = pathlib.Path(folder) / "out/manifest.json"
    while process.poll() is None:
        used = cpu_seconds(process.pid)
        if manifest.exists() and '"complete": true' in manifest.read_text():
            return used
        time.sleep(0.01)
    sys.exit("the load ended before its results were seen")


def until_report(process):
    """Waits until the report is in the place of the page, and ends it; the CPU time until then."""
    for line in process.stderr:
        if "until Ctrl-C" in line:
            break
    used = cpu_seconds(process.pid)
    process.send_signal(2)
    process.wait()
    return used


def alone():
    with tempfile.TemporaryDirectory() as folder:
        process = load(folder)
        usage = os.wait4(process.pid, 0)[2]
        return usage.ru_utime + usage.ru_stime


def unwatched():
    with tempfile.TemporaryDirectory() as folder:
        process = load(folder, "--live")
        address(process)
        used = until_sealed(process, folder)
        return used, until_report(process) - used


def watched():
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        process = load(folder, "--live")
        first, read, of_page = {}, 0, 0.0
        # The browser is told of the end after the report was made.
        sealed = pool.submit(until_sealed, process, folder)
        with urllib.request.urlopen(address(process) + "events") as events:
            for line in events:
                now, text = time.time(), line.decode()
                if text.startswith("event: end"):
                    break
                read += len(line)
                shown = last_second(text)
                if shown is not None:
                    of_page = page_seconds(process.pid)
                    for second in range(max(first, default=-1) + 1, shown + 1):
                        first[second] = now
        used = sealed.result()
        until_report(process)
        manifest = json.loads(pathlib.Path(f"{folder}/out/manifest.json").read_text())
    started = manifest["wall_clock"]["started"].replace("Z", "+00:00")
    start = datetime.fromisoformat(started).timestamp()
    delays = [at - (start + second + 1) for second, at in first.items()]
    return used, of_page, delays, read


for turn in range(TURNS):
    plain, (unopened, of_report) = alone(), unwatched()
    used, of_page, delays, read = watched()
    print(f"{len(delays)} seconds shown, after {statistics.median(delays):.2f} s (median), {max(delays):.2f} s at worst")
    print(f"CPU: {plain:.2f} s without a page, {unopened:.2f} s unopened, {used:.2f} s with a browser")
    print(f"the thread of the page took {of_page:.2f} s: {100 * of_page / used:.2f} %; the report at the end {of_report:.2f} s")
    print(f"{read / len(delays) / 1024:.0f} KiB were sent for each second", flush=True)
