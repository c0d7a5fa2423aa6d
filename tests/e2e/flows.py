#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Connections that talk all the time, and datagrams that are nobody's answer.

echo PORT...
    sends back what comes over TCP and UDP
beat SECONDS COUNT ADDRESS,PORT...
    COUNT connections of TCP and of UDP to each; every 50 ms, or more rarely if there are many,
    each says something, and prints "talking" when the first of it is answered.  After SECONDS, or
    when SIGTERM comes, prints "ADDRESS,PORT PROTOCOL SENT ANSWERED LAST" of each, LAST: when the
    last thing was said that was answered, in seconds since 1970; and to stderr, in which rounds
    datagrams were not answered
scatter PORT OTHER
    answers a datagram to PORT from there and from OTHER, to the asking port and to the next one
gather ADDRESS PORT FROM
    asks so from port FROM, and prints what comes there and at the next as "SOURCE-PORT PORT"
"""
import collections
import selectors
import signal
import socket
import sys
import time

BEAT = 0.05
PATIENCE = 1
LONG_PATIENCE = 10 # where an answer is expected: a busy machine may take longer
QUIET = 5 # so long nothing comes before nothing more is expected
SO_RCVBUFFORCE = 33
RATE = 4000 # messages a second, at most


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_socket(port, family=socket.AF_INET6):
    own = socket.socket(family, socket.SOCK_DGRAM)
    own.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    own.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    return own


def echo(ports):
    selector = selectors.DefaultSelector()
    servers = []
    for port in ports:
        servers.append(socket.create_server(("::", port), family=socket.AF_INET6,
                                            backlog=4096, dualstack_ipv6=True))
        for own in (servers[-1], udp_socket(port)):
            selector.register(own, selectors.EVENT_READ)
    print("serving", flush=True)
    while True:
        for key, _ in selector.select():
            own = key.fileobj
            try:
                if own in servers:
                    selector.register(own.accept()[0], selectors.EVENT_READ)
                elif own.type == socket.SOCK_DGRAM:
                    data, peer = own.recvfrom(64)
                    own.sendto(data, peer)
                elif data := own.recv(64):
                    own.sendall(data)
                else:
                    selector.unregister(own)
            except OSError:
                selector.unregister(own)


class Flow:
    def __init__(self, end, kind):
        self.end, self.kind = end, kind
        address, port = end.rsplit(",", 1)
        self.own = socket.socket(family_of(address), kind)
        self.own.settimeout(LONG_PATIENCE)
        self.own.connect((address, int(port)))
        self.own.setblocking(False)
        self.sent, self.answered, self.last = 0, 0, -1 # a round
        self.unanswered = set() # rounds, of datagrams

    def hear(self):
        before = self.answered
        try:
            while data := self.own.recv(64):
                # A stream may join answers; each is of one byte, in the order of the rounds.
                if self.kind == socket.SOCK_STREAM:
                    self.answered += len(data)
                    self.last = self.answered - 1
                else:
                    self.answered += 1
                    self.unanswered.discard(data)
                    self.last = max(self.last, int.from_bytes(data, "big"))
        except OSError:
            pass
        return self.answered > before

    def say(self, number):
        self.sent += 1
        word = b"x"
        if self.kind == socket.SOCK_DGRAM:
            word = number.to_bytes(4, "big")
            self.unanswered.add(word)
        try:
            self.own.send(word)
        except OSError:
            pass

    def line(self, began):
        word = "tcp" if self.kind == socket.SOCK_STREAM else "udp"
        last = began[self.last] if self.last >= 0 else 0
        return f"{self.end} {word} {self.sent} {self.answered} {last:.3f}"


def tell_unanswered(flows, began):
    rounds = collections.Counter(word for flow in flows for word in flow.unanswered)
    for word, missing in sorted(rounds.items()):
        number = int.from_bytes(word, "big")
        print(f"# round {number} of {len(began)}, at {began[number]:.3f}: {missing} unanswered",
              file=sys.stderr)


def hear_all(flows):
    """Until everything is answered, or nothing comes for a while: a busy machine takes its time."""
    quiet = time.monotonic()
    while (time.monotonic() - quiet < QUIET and
           any(flow.answered < flow.sent for flow in flows)):
        time.sleep(BEAT)
        if any([flow.hear() for flow in flows]):
            quiet = time.monotonic()


def beat(seconds, count, ends):
    flows = [Flow(end, kind) for end in ends for _ in range(count)
             for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    end = time.monotonic() + seconds
    began = []
    while time.monotonic() < end and not stopped:
        began.append(time.time())
        for flow in flows:
            flow.say(len(began) - 1)
        time.sleep(max(BEAT, len(flows) / RATE))
        for flow in flows:
            flow.hear()
        if len(began) == 1:
            hear_all(flows)
            print("talking", flush=True)
    time.sleep(PATIENCE)
    hear_all(flows)
    for flow in flows:
        print(flow.line(began), flush=True)
    tell_unanswered(flows, began)


def scatter(port, other):
    owns = [udp_socket(port), udp_socket(other)]
    print("serving", flush=True)
    while True:
        data, peer = owns[0].recvfrom(64)
        for own in owns:
            for target in (peer[1], peer[1] + 1):
                try:
                    own.sendto(data, (peer[0], target))
                except OSError:
                    pass


def gather(address, port, start):
    family = family_of(address)
    owns = [udp_socket(start, family), udp_socket(start + 1, family)]
    owns[0].sendto(b"x", (address, port))
    owns[0].settimeout(LONG_PATIENCE)
    owns[1].settimeout(PATIENCE / 2)
    for own in owns:
        try:
            while True:
                _, peer = own.recvfrom(64)
                print(peer[1], own.getsockname()[1], flush=True)
                own.settimeout(PATIENCE / 2)
        except TimeoutError:
            pass


def main(argv):
    command, rest = argv[1], argv[2:]
    if command == "echo":
        return echo([int(port) for port in rest])
    if command == "beat":
        return beat(float(rest[0]), int(rest[1]), rest[2:])
    if command == "scatter":
        return scatter(int(rest[0]), int(rest[1]))
    if command == "gather":
        return gather(rest[0], int(rest[1]), int(rest[2]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
