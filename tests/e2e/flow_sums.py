#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Flow logs and captures, as sums.

compare LOG... -- INTERFACE=CAPTURE...
    whether packets and bytes by interface, addresses, ports and protocol are the same in both;
    prints what differs, and how much there was
lines LOG...
    whether every line is one of a VPC flow log of version 2; prints those that are not
"""
import collections
import re
import socket
import struct
import sys

NUMBER = r"(?:0|[1-9][0-9]*)"
# In the default order of its documentation; what there is nothing to say of is "-".
LINE = re.compile(
    r"2 (?:-|unknown|[0-9]{12}) (?P<interface>[!-~]+) (?P<src>[0-9a-f.:]+) (?P<dst>[0-9a-f.:]+) "
    rf"(?P<sport>{NUMBER}) (?P<dport>{NUMBER}) (?P<protocol>{NUMBER}) (?P<packets>{NUMBER}) "
    rf"(?P<bytes>{NUMBER}) (?P<start>{NUMBER}) (?P<end>{NUMBER}) (?:ACCEPT|REJECT) OK\n")
SKIPPED = re.compile(rf"2 -(?: -){{8}} {NUMBER} {NUMBER} - (?:NODATA|SKIPDATA)\n")
SECONDS_OF_CLOCK = 2 ** 33


def parse(line):
    match = LINE.fullmatch(line)
    if not match:
        return None
    for name in ("src", "dst"):
        family = socket.AF_INET6 if ":" in match[name] else socket.AF_INET
        if socket.inet_ntop(family, socket.inet_pton(family, match[name])) != match[name]:
            return None
    if max(int(match["sport"]), int(match["dport"])) > 65535 or int(match["protocol"]) > 255:
        return None
    if not int(match["start"]) <= int(match["end"]) < SECONDS_OF_CLOCK:
        return None
    return match


def wrong_lines(paths):
    count = 0
    wrong = 0
    for path in paths:
        with open(path, newline="\n", encoding="ascii") as log:
            for line in log:
                count += 1
                if not parse(line) and not SKIPPED.fullmatch(line):
                    print(f"{path}: {line!r}")
                    wrong += 1
    print(f"{count} lines, {wrong} of them wrong")
    return wrong or not count


def add(sums, key, packets, length):
    sums[key][0] += packets
    sums[key][1] += length


def sum_logs(paths):
    sums = collections.defaultdict(lambda: [0, 0])
    for path in paths:
        with open(path, encoding="ascii") as log:
            for match in filter(None, map(parse, log)):
                key = (match["interface"], match["src"], match["dst"], int(match["sport"]),
                       int(match["dport"]), int(match["protocol"]))
                add(sums, key, int(match["packets"]), int(match["bytes"]))
    return sums


def frame_key(frame):
    kind = struct.unpack(">H", frame[12:14])[0]
    ip = frame[14:]
    if kind == 0x0800:
        src, dst = (socket.inet_ntop(socket.AF_INET, ip[i:i + 4]) for i in (12, 16))
        protocol, rest = ip[9], ip[(ip[0] & 15) * 4:]
    elif kind == 0x86dd:
        src, dst = (socket.inet_ntop(socket.AF_INET6, ip[i:i + 16]) for i in (8, 24))
        protocol, rest = ip[6], ip[40:]
    else:
        return None
    if protocol not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        return None
    return (src, dst, *struct.unpack(">HH", rest[:4]), protocol)


def sum_capture(interface, path, sums):
    with open(path, "rb") as capture:
        data = capture.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at < len(data):
        kept, length = struct.unpack(order + "II", data[at + 8:at + 16])
        key = frame_key(data[at + 16:at + 16 + kept])
        if key:
            add(sums, (interface, *key), 1, length)
        at += 16 + kept


def compare(logs, captures):
    logged = sum_logs(logs)
    captured = collections.defaultdict(lambda: [0, 0])
    for capture in captures:
        interface, path = capture.split("=")
        sum_capture(interface, path, captured)
    differ = [k for k in sorted({*logged, *captured}) if logged.get(k) != captured.get(k)]
    for key in differ:
        print(*key, "logged", logged.get(key), "captured", captured.get(key))
    packets, length = (sum(s[i] for s in captured.values()) for i in (0, 1))
    print(f"{len(captured)} directions, {packets} packets, {length} bytes")
    return bool(differ) or not packets


def main(argv):
    if argv[1] == "lines":
        return wrong_lines(argv[2:])
    split = argv.index("--")
    return compare(argv[2:split], argv[split + 1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
