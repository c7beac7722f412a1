#!/usr/bin/env python3
"""What the page of `--live` costs a load, and how soon it shows each second.

A load of a minute against a served loop is watched by a reader of the page's changes. The page has a
thread; its CPU time is compared with that of the whole process. A second is shown when the timeline
of the page names it; that is compared with the end of that second.

usage: live_page.py [RUNNER] [SECONDS] [RATE]
"""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNNER = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/runner")
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
RATE = int(sys.argv[3]) if len(sys.argv) > 3 else 500


def cpu_seconds(stat):
    """User and system time in a `stat` file of procfs."""
    fields = pathlib.Path(stat).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def page_thread(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return next(task for task in tasks if (task / "comm").read_text().strip() == "live page")


def last_second(event):
    """The last second that the timeline names."""
    named = re.findall(r"second ([\d,]+): calls", event)
    return max((int(text.replace(",", "")) for text in named), default=None)


with tempfile.TemporaryDirectory() as folder:
    changes = [
        "phases.warm-up.duration=1s",
        f"phases.ramp.stages=[{{ to: {RATE}/s, over: 1s }}]",
        f"phases.steady.rate={RATE}/s",
        f"phases.steady.duration={SECONDS}s",
        # What has not ended is not shown.
        "phases.steady.think_time=0s",
        "expect=[]",
    ]
    command = [RUNNER, "run", "scenarios/load.yaml", "--live", "--quiet", "--out", f"{folder}/out"]
    command += [word for change in changes for word in ("--set", change)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "live page: " in line:
            address = line.split("live page: ")[1].strip()
            break
    thread = page_thread(process.pid)
    first, sizes = {}, []
    with urllib.request.urlopen(address + "events") as events:
        for line in events:
            now, text = time.time(), line.decode()
            if text.startswith("event: end"):
                break
            if not text.startswith("data: "):
                continue
            used, of_page = cpu_seconds(f"/proc/{process.pid}/stat"), cpu_seconds(thread / "stat")
            sizes.append(len(line))
            shown = last_second(text)
            if shown is not None:
                for second in range(max(first, default=-1) + 1, shown + 1):
                    first[second] = now
    process.send_signal(2)
    process.wait()
    manifest = json.loads(pathlib.Path(f"{folder}/out/manifest.json").read_text())

start = datetime.fromisoformat(manifest["wall_clock"]["started"].replace("Z", "+00:00")).timestamp()
delays = [at - (start + second + 1) for second, at in first.items()]
print(f"{len(delays)} seconds shown, after {statistics.median(delays):.2f} s (median), {max(delays):.2f} s at worst")
print(f"the page took {of_page:.2f} s of {used:.2f} s CPU: {100 * of_page / used:.2f} %")
print(f"{len(sizes)} changes of {statistics.median(sizes) / 1024:.0f} KiB (median)")
