#!/usr/bin/env python3
"""Changes random bytes of a state of `runner serve`, and searches it for what was deleted.

    tests/soak/damage.py [FLIPS] [--runner PROGRAM] [--seed SEED]

A server is filled: a segment, a snapshot and a journal, with joined and open events and an
evaluation; it is killed. Then, 1,000 times, a random byte of a random file is changed, and a start
must name the file and end with exit code 7. A byte behind the last record of a journal is like a
write that did not end: the start says so, and everything is served as it was. Every tenth state is repaired: what is served then is a part of
what was. Last, the logs are deleted, and no value of a context and no id is in the folder, also
once everything in it is unpacked; results of evaluations still name features. The exit code is 0
if all of that held, 3 if not.
"""

import argparse
import collections
import glob
import os
import random
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, SoakError
from unpacked import unpacked

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
EVENTS = 600
ACTIONS = [{"id": name, "features": [{"kind": name}]} for name in ("tea", "coffee", "milk")]
LOG = "personalizer/v1.0"
# What the note says of bytes behind the last record of a journal.
UNFINISHED = "were not written to their end"


def main():
    parser = argparse.ArgumentParser(description="Damages a state of `runner serve`.")
    parser.add_argument("flips", nargs="?", type=int, default=1000)
    parser.add_argument("--runner", default=os.path.join(ROOT, "target/release/runner"))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    problems = []
    with tempfile.TemporaryDirectory(prefix="damage-") as folder:
        server = Server(arguments.runner, folder, 20_000)
        try:
            fill(server)
            flip_all(server, arguments, random.Random(arguments.seed), problems)
            search(server, problems)
        except SoakError as error:
            problems.append(str(error))
    for problem in problems[:20]:
        print(f"  problem: {problem}")
    print("all of it held" if not problems else f"{len(problems)} problems")
    return 3 if problems else 0


def fill(server):
    """A state with everything that a state may have, left by `kill -9`."""
    server.start()
    for number in range(EVENTS):
        if number == EVENTS // 2:
            server.end("TERM")
            server.start()
        event = f"canary-id-{number}"
        context = [{"visitor": f"canary-{number}", "hour": number % 24}]
        body = {"eventId": event, "contextFeatures": context, "actions": ACTIONS}
        expect(server, "POST", f"/{LOG}/rank", body, 201)
        expect(server, "POST", f"/{LOG}/events/{event}/reward", {"value": 0.5}, 204)
    period = {"startTime": "2000-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}
    contract = {"name": "n", **period, "policies": [], "enableOfflineExperimentation": False}
    expect(server, "POST", f"/{LOG}/evaluations", contract, 201)
    server.end("KILL")


def expect(server, method, path, body, wanted):
    status, answer = server.call(method, path, body)
    if status != wanted:
        raise SoakError(f"{method} {path} was answered with {status}: {answer[:200]!r}")


def flip_all(server, arguments, draws, problems):
    """A start from every damaged copy. Each of them is thrown away afterwards."""
    whole = server.state + ".whole"
    shutil.copytree(server.state, whole)
    known = lines_of(server)
    found = collections.Counter()
    for turn in range(arguments.flips):
        shutil.rmtree(server.state)
        shutil.copytree(whole, server.state)
        name, place = flip(server.state, draws)
        where = f"byte {place} of `{name}`"
        code, message = refused_or_served(server)
        if code == 7 and name in message:
            found[f"{kind(name)}: refused by name"] += 1
            if turn % 10 == 0:
                repair(server, known, where, found, problems)
        elif code is None:
            left = judge(server, known, where, problems)
            found[f"{kind(name)}: named, and all is served"] += 1
            if name not in message or UNFINISHED not in message:
                problems.append(f"{where}: it is served without a word of it")
            if left != len(known):
                problems.append(f"{where}: {len(known) - left} events are missing without a word")
        else:
            problems.append(f"{where}: exit code {code}: {message}")
    for outcome, count in sorted(found.items()):
        print(f"  {outcome:<44} {count}")
    shutil.rmtree(server.state)
    shutil.move(whole, server.state)


def lines_of(server):
    """What the whole state knows, once it is served."""
    server.start()
    known = {event["EventId"]: event for event in server.events()}
    server.end("TERM")
    if len(known) != EVENTS:
        raise SoakError(f"{EVENTS} events were acknowledged, the log has {len(known)}")
    return known


def flip(state, draws):
    files = sorted(path for path in glob.glob(os.path.join(state, "*")) if os.path.getsize(path) > 0)
    path = draws.choice(files)
    place = draws.randrange(os.path.getsize(path))
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0] ^ draws.randrange(1, 256)
        file.seek(place)
        file.write(bytes([byte]))
    return os.path.basename(path), place


def kind(name):
    return name.split("-")[0]


def refused_or_served(server, *more):
    """The exit code and the message of a start; none, and what it noted, once it is served."""
    before = os.path.getsize(server.log)
    try:
        server.start(*more)
    except SoakError:
        return server.process.returncode, server.last_message()
    with open(server.log, encoding="utf-8") as file:
        file.seek(before)
        return None, file.read()


def repair(server, known, where, found, problems):
    """It goes on with what the damage has left."""
    code, message = refused_or_served(server, "--repair")
    if code is not None:
        problems.append(f"{where}: it is not repaired: {code}: {message}")
        return
    left = judge(server, known, where, problems)
    found[f"repaired, with {'all' if left == len(known) else 'some' if left else 'no'} events"] += 1


def judge(server, known, where, problems):
    """Nothing is served that was not written. Returns the number of events."""
    events = server.events()
    wrong = [event["EventId"] for event in events if not same(event, known.get(event["EventId"]))]
    code = server.end("TERM")
    if wrong:
        problems.append(f"{where}: {wrong[0]} and {len(wrong) - 1} more are not what was written")
    if code != 0:
        problems.append(f"{where}: stopping ended with exit code {code}")
    return len(events)


def same(event, known):
    """A reward may be missing, with the record that had it."""
    if known is None:
        return False
    untouched = ("Timestamp", "a", "c", "p", "pdrop", "_labelIndex")
    if any(event.get(key) != known.get(key) for key in untouched):
        return False
    rewards = lambda line: [one["v"] for one in line["o"] if "v" in one]
    return rewards(event) in (rewards(known), [])


def search(server, problems):
    """No byte of a deleted event is in the folder."""
    server.start()
    present = containing(server.state)
    expect(server, "DELETE", f"/{LOG}/logs", None, 204)
    left = containing(server.state)
    server.end("KILL")
    print(f"  files with deleted events, before and after    {len(present)}, {len(left)}")
    if not present:
        problems.append("the search finds nothing before the logs are deleted")
    problems.extend(f"`{name}` still has deleted events" for name in left)


def containing(state):
    paths = [path for path in glob.glob(os.path.join(state, "**"), recursive=True) if os.path.isfile(path)]
    return [os.path.basename(path) for path in paths if b"canary-" in unpacked(path)]


if __name__ == "__main__":
    sys.exit(main())
