"""What goes wrong in a soak."""

import glob
import gzip
import json
import os
import re
import threading
import time

from server import SoakError
from unpacked import unpacked

FULL_FOR = 3.0


class Faults:
    """Each kind in turn."""

    def __init__(self, server, books, clients, folder, draws):
        self.server = server
        self.books = books
        self.clients = clients
        self.folder = folder
        self.draws = draws
        self.counts = {}
        self.turn = 0

    def all(self):
        return [self.kill, self.fill_disk, self.kill_on_full_disk, self.erase, self.stop, self.damage, self.repair]

    def kinds(self):
        return [name_of(fault) for fault in self.all()]

    def next(self):
        fault = self.all()[self.turn % len(self.all())]
        self.turn += 1
        name = fault() or name_of(fault)
        self.counts[name] = self.counts.get(name, 0) + 1
        return name

    def kill(self):
        """kill -9"""
        self.server.end("KILL")
        self.server.start()

    def stop(self):
        """stop and start"""
        code = self.server.end("TERM")
        if code != 0:
            raise SoakError(f"stopping ended with exit code {code}")
        self.server.start()

    def fill_disk(self):
        """full disk"""
        with Filler(self.folder):
            self.expect_unwell()
            time.sleep(FULL_FOR)
        self.server.wait_until_well()

    def kill_on_full_disk(self):
        """kill -9 on a full disk"""
        with Filler(self.folder):
            self.expect_unwell()
            self.server.end("KILL")
        self.server.start()

    def expect_unwell(self):
        """Callers get 503 once the disk is full, and the journal has used the room that it has ready;
        the clients note every other answer."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.server.call("GET", "/status")[0] == 503:
                return
            time.sleep(0.1)
        raise SoakError("the disk is full, and the status is not 503")

    def erase(self):
        """logs deleted beside others"""
        before = self.books.known()
        period = {"startTime": "2000-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}
        contract = {"name": "soak", **period, "policies": [], "enableOfflineExperimentation": True}
        calls = [("GET", "/log.dsjson?open=true", None)] * 3
        calls += [("POST", "/personalizer/v1.0/evaluations", contract), ("GET", "/personalizer/v1.0/evaluations", None)]
        beside = [threading.Thread(target=self.server.call, args=call, daemon=True) for call in calls]
        for thread in beside:
            thread.start()
        status, answer = self.server.call("DELETE", "/personalizer/v1.0/logs")
        if status != 204:
            raise SoakError(f"deleting the logs was answered with {status}: {answer[:200]!r}")
        for thread in beside:
            thread.join(60)
        self.books.deleted(before)
        self.expect_erased({int(event.rsplit("-", 1)[1]) for event in before})

    def expect_erased(self, deleted):
        """No deleted event is served, and no context of one is in the folder. Rewards that were sent
        later may still name one."""
        served = {int(event["EventId"].rsplit("-", 1)[1]) for event in self.server.events()}
        if left := served & deleted:
            self.books.problem(f"{len(left)} events were deleted, and are in the log")
        for path in self.files():
            try:
                content = unpacked(path)
            except FileNotFoundError:
                continue  # A newer snapshot has replaced it.
            stored = {int(number) for number in re.findall(rb"canary-(\d+)", content)}
            if left := stored & deleted:
                self.books.problem(f"{len(left)} events were deleted, and are in `{os.path.basename(path)}`")

    def damage(self):
        """damaged file, refused"""
        self.server.end("KILL")
        for path in self.draws.sample(self.files(), k=min(4, len(self.files()))):
            # A start that was not refused has removed files.
            if os.path.exists(path):
                with Flipped(path, self.draws):
                    self.expect_refusal(path)
        self.server.start()

    def repair(self):
        """damaged segment, repaired"""
        self.server.end("TERM")
        segments = [path for path in self.files() if path.endswith(".dsjson.gz")]
        if not segments:
            self.server.start()
            return "damaged segment: there was none"
        path = self.draws.choice(segments)
        with gzip.open(path) as file:
            lost = [json.loads(line)["EventId"] for line in file]
        flip(path, self.draws)
        self.expect_refusal(path)
        self.books.given_up.update(lost)
        self.server.start("--repair")
        return None

    def files(self):
        found = [path for path in glob.glob(os.path.join(self.server.state, "*")) if os.path.isfile(path)]
        return sorted(path for path in found if has_content(path))

    def expect_refusal(self, path):
        """A damaged file is named, and nothing is served. A kill may leave a segment that no
        snapshot lists yet, or a file that is not complete: it is removed, and not read."""
        code, message = self.server.refused()
        if code is None and path.endswith((".dsjson.gz", ".tmp")) and not os.path.exists(path):
            return
        if code != 7 or os.path.basename(path) not in message:
            raise SoakError(f"`{os.path.basename(path)}` is damaged, and the start ended with {code}: {message}")


def has_content(path):
    """A journal without a record has zeros only."""
    try:
        with open(path, "rb") as file:
            return any(file.read())
    except FileNotFoundError:
        return False


def name_of(fault):
    return fault.__doc__


class Filler:
    """A file that takes all room that there is, again and again while room is made."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "filler")

    def __enter__(self):
        with open(self.path, "ab", buffering=0) as file:
            for size in (1 << 20, 4 << 10, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    pass
        return self

    def __exit__(self, *_):
        os.remove(self.path)


class Flipped:
    """A file with one changed bit, for as long as it is used."""

    def __init__(self, path, draws):
        self.path, self.draws = path, draws

    def __enter__(self):
        with open(self.path, "rb") as file:
            self.content = file.read()
        flip(self.path, self.draws)

    def __exit__(self, *_):
        if os.path.exists(self.path):
            with open(self.path, "wb") as file:
                file.write(self.content)


def flip(path, draws):
    """Changes a bit; of a journal in the first half of its records: its last record may be an
    unfinished one, and zeros follow that are not read."""
    with open(path, "r+b") as file:
        content = file.read()
        is_journal = os.path.basename(path).startswith("journal")
        read = (len(content.rstrip(b"\0")) + 1) // 2 if is_journal else len(content)
        place = draws.randrange(read)
        file.seek(place)
        byte = file.read(1)[0] ^ (1 << draws.randrange(8))
        file.seek(place)
        file.write(bytes([byte]))
