"""Clients that are slow: half of the headers, half of a body, a log that is hardly read."""

import socket
import threading
import time

CONNECTIONS = 40
BEGINNINGS = [
    b"POST /personalizer/v1.0/rank HTTP/1.1\r\nHost: local",
    b"POST /personalizer/v1.0/rank HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    b"GET /log.dsjson HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


class SlowClients:
    def __init__(self):
        self.stopped = threading.Event()
        self.threads = []
        self.opened = 0

    def start(self, server):
        self.threads = [
            threading.Thread(target=self.dawdle, args=(server, BEGINNINGS[number % len(BEGINNINGS)]), daemon=True)
            for number in range(CONNECTIONS)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(10)

    def dawdle(self, server, beginning):
        """A byte a second, until the server has had enough of it."""
        while not self.stopped.is_set():
            try:
                with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                    self.opened += 1
                    connection.sendall(beginning)
                    self.trickle(connection)
            except OSError:
                pass
            self.stopped.wait(0.5)

    def trickle(self, connection):
        until = time.monotonic() + 20
        while not self.stopped.wait(1) and time.monotonic() < until:
            connection.sendall(b"x")
            connection.recv(1)

    def rows(self):
        return [("slow connections", self.opened)]
