#!/usr/bin/env python3
"""Soaks `runner serve --state`: a set rate of Rank and Reward calls while the server is killed,
its disk fills up, its logs are deleted, its files are damaged, and other clients are slow.

    tests/soak/soak.py [SECONDS] [--runner PROGRAM] [--rate RATE] [--seed SEED]

An hour by default. The client keeps books of what was acknowledged. After every fault, and at
the end, they are compared with the log of the server. The last lines are the balance; the exit
code is 0 if it is even, and 3 if not. The state lies in a small tmpfs, in a mount namespace of
this process: without the right to make one, nothing is judged, and the exit code is 2.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from books import Books, Clients
from faults import Faults
from server import Server, SoakError
from slow import SlowClients

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
DISK_BYTES = 192 << 20
RETAINED = 20_000
INSIDE = "RUNNER_SOAK_INSIDE"


def main():
    arguments = parse()
    if os.environ.get(INSIDE) != "1":
        return enter_namespace()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "soak", folder], check=False
        )
        if mounted.returncode:
            print("nothing is judged: a tmpfs for the state cannot be mounted", file=sys.stderr)
            return 2
        try:
            return soak(arguments, folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)


def parse():
    parser = argparse.ArgumentParser(description="Soaks `runner serve --state`.")
    parser.add_argument("seconds", nargs="?", type=float, default=3600)
    parser.add_argument("--runner", default=os.path.join(ROOT, "target/release/runner"))
    parser.add_argument("--rate", type=float, default=200, help="pairs of Rank and Reward a second")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def enter_namespace():
    """The mount is seen by this process only, and is gone with it however it ends."""
    environment = {**os.environ, INSIDE: "1"}
    private = [["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]]
    for command in private:
        if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return subprocess.run([*command, sys.executable, *sys.argv], env=environment, check=False).returncode
    print("nothing is judged: no mount namespace can be made", file=sys.stderr)
    return 2


def soak(arguments, folder):
    draws = random.Random(arguments.seed)
    server = Server(arguments.runner, folder, RETAINED)
    books = Books(RETAINED)
    clients = Clients(books, arguments.rate)
    slow = SlowClients()
    faults = Faults(server, books, clients, folder, draws)
    began = time.monotonic()
    error = None
    try:
        server.start()
        clients.start(server)
        slow.start(server)
        run(arguments.seconds, began, faults, server, books)
    except SoakError as failure:
        error = str(failure)
    finally:
        slow.stop()
        clients.stop()
        try:
            if error is None:
                server.wait_until_well()
                books.check(server)
        except SoakError as failure:
            error = str(failure)
        code = server.end("TERM")
    return balance(time.monotonic() - began, server, books, clients, faults, slow, error, code)


def run(seconds, began, faults, server, books):
    """A fault at a time, each kind in turn, with quiet seconds between them."""
    pause = min(20.0, max(2.0, seconds / 30))
    while time.monotonic() - began < seconds:
        time.sleep(min(pause, max(0.0, seconds - (time.monotonic() - began))))
        if time.monotonic() - began >= seconds:
            return
        name = faults.next()
        server.wait_until_well()
        books.check(server)
        figures = f"{books.line()}; {server.figures()}"
        print(f"{time.monotonic() - began:7.0f} s  {name:<30} {figures}", flush=True)


def balance(seconds, server, books, clients, faults, slow, error, code):
    problems = list(books.problems)
    if error:
        problems.append(error)
    if code != 0:
        problems.append(f"stopping ended with exit code {code}")
    if books.ranked == 0 or not faults.counts:
        problems.append("nothing was judged: no call was acknowledged, or no fault was made")
    missing = [kind for kind in faults.kinds() if kind not in faults.counts]
    if missing:
        problems.append(f"not tried in the time that there was: {', '.join(missing)}")
    print(f"\nbalance after {seconds:.0f} s")
    for name, value in [*books.rows(), *clients.rows(), *server.rows(), *slow.rows()]:
        print(f"  {name:<44} {value}")
    for kind, count in sorted(faults.counts.items()):
        print(f"  {kind:<44} {count}")
    for problem in problems[:20]:
        print(f"  problem: {problem}")
    print("the balance is even" if not problems else f"{len(problems)} problems")
    return 3 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
