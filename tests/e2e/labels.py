#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Probes that tell when they were sent, and what a change of policy did to them.

send ADDRESS PORT           a datagram a millisecond, every other one from a new port
take PORT                   prints "SOURCE SENT CAME" of each, times in seconds since 1970
judge FLIPS TAKEN A B       FLIPS: lines "WHO BEFORE AFTER", when a policy that lets WHO through,
                            A or B, was asked for and stood; exits 0 if, of what was sent between
                            two changes, one's probes came, and none of the other's before the next
"""
import bisect
import socket
import sys
import time

BEAT = 0.001
WANTED = 0.5       # of those that should have come: a busy machine sends them later


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(address, port):
    kept = socket.socket(family_of(address), socket.SOCK_DGRAM)
    at = time.monotonic()
    while True:
        with socket.socket(family_of(address), socket.SOCK_DGRAM) as fresh:
            for own in (kept, fresh):
                own.sendto(f"{time.time():.6f}".encode(), (address, port))
        at += 2 * BEAT
        time.sleep(max(0, at - time.monotonic()))


def take(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        own.bind(("::", port))
        print("serving", flush=True)
        while True:
            data, peer = own.recvfrom(64)
            print(peer[0].removeprefix("::ffff:"), data.decode(), f"{time.time():.6f}", flush=True)


def judge(flips, taken, names):
    came = {name: [] for name in names}
    for line in taken:
        if line.count(" ") == 2:
            source, sent, arrived = line.split()
            came.setdefault(source, []).append((float(sent), float(arrived)))
    for times in came.values():
        times.sort()
    steady, wrong, right, wanted = 0.0, 0, 0, 0.0
    changes = [(who, float(before), float(after)) for who, before, after in map(str.split, flips)]
    for (who, _, stands), (_, over, _) in zip(changes, changes[1:]):
        steady += over - stands
        wanted += (over - stands) / BEAT
        for name in names:
            probes = came[name][bisect.bisect(came[name], (stands, 0)):
                                bisect.bisect(came[name], (over, 0))]
            if name == who:
                right += len(probes)
            else:
                # Whoever sends may have to wait between its look at the clock and its sending.
                wrong += sum(arrived < over for _, arrived in probes)
    took = sorted(after - before for _, before, after in changes)
    # A busy machine may let some of them wait.
    most = took[len(took) * 3 // 5]
    print(f"{len(changes)} changes, most took less than {most:.3f} s; steady for {steady:.1f} s, "
          f"{right} of {wanted:.0f} came that should, {wrong} that should not")
    return 0 if not wrong and right > wanted * WANTED and most < 1 else 1


def main(argv):
    command, rest = argv[1], argv[2:]
    if command == "send":
        return send(rest[0], int(rest[1]))
    if command == "take":
        return take(int(rest[0]))
    if command == "judge":
        with open(rest[0]) as flips, open(rest[1]) as taken:
            return judge(flips, taken, rest[2:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
