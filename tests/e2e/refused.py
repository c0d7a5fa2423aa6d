#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a sender sees of a rejected packet.

refused ADDRESS SERVICE...   each is refused within 100 ms, one time of five at least
                             (SERVICE: tcp/80 or udp/53)
cut ADDRESS PORT SECONDS     an open connection is reset within so many seconds
flood ADDRESS PORT COUNT     so many SYNs; prints how many resets came back, and the seconds
tagged IFACE FROM TO SERVICE a frame with a VLAN tag is refused, with the same tag
"""
import errno
import random
import select
import socket
import struct
import sys
import time

LIMIT_S = 0.1
TRIES = 5  # a busy machine may be late for some
PATIENCE_S = 3
REFUSALS = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EACCES)


def ask(address, service):
    """The errno, and the seconds it took."""
    proto, port = service.split("/")
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    peer = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    peer.settimeout(PATIENCE_S)
    start = time.monotonic()
    try:
        peer.connect((address, int(port)))
        peer.send(b"?")
        peer.recv(1)
    except OSError as error:
        return error.errno, time.monotonic() - start
    return 0, time.monotonic() - start


def refused(address, *services):
    failures = 0
    for service in services:
        for _ in range(TRIES):
            code, seconds = ask(address, service)
            print(f"{address} {service}: {errno.errorcode.get(code, code)}, "
                  f"{seconds * 1000:.1f} ms")
            if code not in REFUSALS or seconds <= LIMIT_S:
                break
        failures += code not in REFUSALS or seconds > LIMIT_S
    return failures


def cut(address, port, seconds):
    peer = socket.create_connection((address, int(port)), PATIENCE_S)
    print("open", flush=True)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            peer.send(b"x")
        except (ConnectionResetError, BrokenPipeError) as error:
            print(f"reset: {error}")
            return 0
        time.sleep(0.05)
    return 1


def flood(address, port, count):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
    raw.connect((address, 0))
    start = time.monotonic()
    for i in range(int(count)):
        sport = 1024 + i % 60000
        raw.send(struct.pack("!HHIIBBHHH", sport, int(port), random.getrandbits(32), 0, 5 << 4, 2,
                             65535, 0, 0))
    seconds = time.monotonic() - start
    resets = 0
    while select.select([raw], [], [], 0.5)[0]:
        packet = raw.recv(2048)
        header = (packet[0] & 15) * 4
        resets += packet[header + 13] & 4 != 0
    print(resets, f"{seconds:.3f}")
    return 0


TAG = 5
SENDER, RECEIVER = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"
AUXDATA = 8  # PACKET_AUXDATA
TCP_RST = 4


def ip_packet(source, destination, proto, body):
    """Without checksums: only the receiver's stack asks for them."""
    if ":" in source:
        ends = [socket.inet_pton(socket.AF_INET6, end) for end in (source, destination)]
        return struct.pack("!IHBB", 6 << 28, len(body), proto, 64) + b"".join(ends) + body
    ends = [socket.inet_aton(end) for end in (source, destination)]
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0) + \
        b"".join(ends) + body


def is_refusal(packet, source):
    """A reset, or an ICMP error that says so."""
    if ":" in source:
        proto, body, error = packet[6], packet[40:], (58, 1, 1)
    else:
        proto, body, error = packet[9], packet[20:], (1, 3, 13)
    return (proto, body[0], body[1]) == error or (proto == 6 and body[13] & TCP_RST != 0)


def tag_of(frame, ancillary):
    """The kernel takes a received tag out of the bytes."""
    for _, kind, data in ancillary:
        if kind == AUXDATA:
            return struct.unpack_from("=IIIHHH", data)[5]
    return struct.unpack_from("!H", frame, 14)[0] if frame[12:14] == b"\x81\0" else 0


def tagged(interface, source, destination, service):
    proto, port = service.split("/")
    ports = struct.pack("!HH", 40000, int(port))
    syn = ports + struct.pack("!IIBBHHH", 7, 0, 5 << 4, 2, 65535, 0, 0)
    datagram = ports + struct.pack("!HH", 8, 0)
    ethertype = 0x86DD if ":" in source else 0x0800
    frame = RECEIVER + SENDER + struct.pack("!HHH", 0x8100, TAG, ethertype) + \
        ip_packet(source, destination, *((6, syn) if proto == "tcp" else (17, datagram)))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((interface, 0))
    wire.setsockopt(263, AUXDATA, 1)  # SOL_PACKET
    wire.send(frame)
    end = time.monotonic() + PATIENCE_S
    while select.select([wire], [], [], max(0, end - time.monotonic()))[0]:
        answer, ancillary, _, _ = wire.recvmsg(2048, 256)
        tag = tag_of(answer, ancillary)
        if answer[:12] == SENDER + RECEIVER:
            print(f"tag {tag}: {answer.hex()}")
            start = 18 if answer[12:14] == b"\x81\0" else 14
            return 0 if tag == TAG and is_refusal(answer[start:], source) else 1
    return 1


if __name__ == "__main__":
    commands = {"refused": refused, "cut": cut, "flood": flood, "tagged": tagged}
    sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
