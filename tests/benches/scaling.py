#!/usr/bin/env python3
"""How the cost of an experiment grows with its size and with the number of shards, on this machine.

    cargo build --release && tests/benches/scaling.py

Prints the tables of `runner guide scaling`. A shard is one process with one thread; as many run at
once as there are cores.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "target/release/runner"
POLICIES = 6


def run(*arguments):
    """CPU and wall time, seconds, and the largest memory, MB, of one process."""
    command = [str(RUNNER), *map(str, arguments)]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if status != 0:
        raise SystemExit(f"{command} ended with {status}: {said.decode()}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def scenario(seeds, iterations):
    return [
        "scenarios/policies.yaml", "--quiet", "--threads", "1", "--set", "gates=[]",
        "--set", f"matrix.seeds=1..{seeds}",
        "--set", f"phases.baseline.iterations={iterations}",
        "--set", f"phases.validation.iterations={iterations // 5}",
    ]


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def grow(folder):
    print("one process, one thread")
    print("| cells | iterations each | CPU s | µs an iteration | memory MB | results MB | merge s | merge MB |")
    print("|---|---|---|---|---|---|---|---|")
    for seeds, iterations in [(2, 10_000), (20, 10_000), (160, 10_000), (20, 100_000), (2, 1_000_000)]:
        out, merged = folder / "whole", folder / "merged"
        cpu, _, memory = run("run", *scenario(seeds, iterations), "--out", out)
        merge, _, merge_memory = run("merge", out, "--out", merged, "--quiet")
        cells, each = seeds * POLICIES, iterations + iterations // 5
        print(f"| {cells:,} | {each:,} | {cpu:.2f} | {cpu / cells / each * 1e6:.2f} | {memory:.0f} "
              f"| {size(out) / 1e6:.1f} | {merge:.2f} | {merge_memory:.0f} |", flush=True)
        shutil.rmtree(out)
        shutil.rmtree(merged)


def cut(folder):
    seeds, iterations, cores = 42, 5_000, os.cpu_count()
    print(f"\n{seeds * POLICIES} cells of {iterations * 6 // 5:,} iterations, {cores} shards at once, medians of 3")
    print("| shards | CPU s of all | longest shard, CPU s | wall s | merge s |")
    print("|---|---|---|---|---|")
    for count in [1, 2, 3, 7, 14, 42]:
        rounds = []
        for _ in range(3):
            def shard(number):
                out = folder / f"shard-{number}"
                return run("run", *scenario(seeds, iterations), "--shard", f"{number}/{count}", "--out", out)[0]
            began = time.monotonic()
            with ThreadPoolExecutor(cores) as pool:
                cpu = list(pool.map(shard, range(1, count + 1)))
            wall = time.monotonic() - began
            folders = [folder / f"shard-{number}" for number in range(1, count + 1)]
            merge, _, _ = run("merge", *folders, "--out", folder / "merged", "--quiet")
            rounds.append((sum(cpu), max(cpu), wall, merge))
            for path in [*folders, folder / "merged"]:
                shutil.rmtree(path)
        total, longest, wall, merge = (statistics.median(column) for column in zip(*rounds))
        print(f"| {count} | {total:.2f} | {longest:.2f} | {wall:.2f} | {merge:.2f} |", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        grow(Path(folder))
        cut(Path(folder))


if __name__ == "__main__":
    main()
