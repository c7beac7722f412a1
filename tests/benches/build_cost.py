#!/usr/bin/env python3
"""Measures what a build costs: wall and CPU seconds, cold and after an edit.

    tests/benches/build_cost.py [STEP...]        steps: run test edit (all)

A clone of HEAD is built in a temporary folder with an empty target folder; the registry's
sources are fetched first, so the network is not measured. Steps:

run   the README's first command, `cargo run --release -- scenarios/baseline.yaml`
test  `cargo test`, build and tests
edit  after an edit in one crate, that crate's tests (`cargo test -p`): for each of a few
      crates, the learner's first; the build of `test` is reused, or made

Wall seconds depend on what else the machine does; CPU seconds much less. Prints one row a step.
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
EDITED = ["learner", "statistics", "scenario", "engine"]


def measured(name, command, cwd):
    """Runs a command and prints a row: name, wall seconds, CPU seconds, exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name:<24} {wall:7.1f} s wall {cpu:8.1f} s CPU   exit {done.returncode}", flush=True)
    return done.returncode


def edit(clone, crate):
    """Appends an item to a crate, as an edit would."""
    with open(clone / "src" / crate / "src" / "lib.rs", "a", encoding="utf-8") as file:
        file.write("\n#[cfg(test)]\nconst _EDITED: () = ();\n")


def main():
    steps = sys.argv[1:] or ["run", "test", "edit"]
    unknown = [step for step in steps if step not in ("run", "test", "edit")]
    if unknown:
        sys.exit(f"error: unknown step `{unknown[0]}`; the steps are run, test, edit")
    os.environ.pop("CARGO_TARGET_DIR", None)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        clone = pathlib.Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
        subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=clone, check=True)
        if "run" in steps:
            command = ["cargo", "run", "--release", "--", "scenarios/baseline.yaml"]
            failed |= measured("run, cold", command, clone)
        if "test" in steps:
            failed |= measured("test, cold", ["cargo", "test"], clone)
        if "edit" in steps:
            for crate in EDITED:
                command = ["cargo", "test", "-p", f"bandit-runner-{crate}"]
                subprocess.run(command, cwd=clone, capture_output=True, check=True)
                edit(clone, crate)
                failed |= measured(f"edit, {crate}", command, clone)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
