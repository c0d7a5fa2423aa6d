#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Large datagrams, and what an attacker does with their pieces.

echo PORT...                  sends every datagram back, and prints "PORT LENGTH SHA256" of it
ask ADDRESS PORT COUNT [SECONDS]   COUNT datagrams of 3000 bytes, for the answer to each of which it
                              waits so long; prints how many came back as they were
pieces MAC SOURCE TARGET PIECE...   frames from eth0, each PIECE as KIND:PORT:ID with KIND one of
                              first, tail, middle, overlap (into the first)
translate TUN VIRTUAL REAL     what comes in on TUN for VIRTUAL's port 30080 goes on to REAL's
                              port 7801, and answers back; both as IPv4,IPv6
"""
import fcntl
import hashlib
import selectors
import socket
import struct
import sys
import time

NIC = "eth0"
LARGE = 3000
PART = 512  # bytes of the IP payload in each piece
PATIENCE = 1
PORT, REAL_PORT = 30080, 7801
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def echo(ports):
    selector = selectors.DefaultSelector()
    for port in ports:
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        server.bind(("::", port))
        selector.register(server, selectors.EVENT_READ, port)
    print("serving", flush=True)
    while True:
        for key, _ in selector.select():
            data, peer = key.fileobj.recvfrom(65536)
            print(key.data, len(data), hashlib.sha256(data).hexdigest(), flush=True)
            try:
                key.fileobj.sendto(data, peer)
            except OSError:  # nobody is there
                pass


def ask(address, port, count, patience=PATIENCE):
    answered = 0
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as client:
        client.settimeout(patience)
        for number in range(count):
            data = number.to_bytes(4, "big") * (LARGE // 4)
            client.sendto(data, (address, port))
            try:
                answered += client.recv(65536) == data
            except TimeoutError:
                pass
    print(answered)


# --- pieces ---

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def datagram(ends, port):
    payload = b"piece" * 400
    payload = payload[:3 * PART - 8]
    header = struct.pack("!HHHH", 5000, port, 8 + len(payload), 0)
    pseudo = b"".join(ends) + struct.pack("!II", 8 + len(payload), socket.IPPROTO_UDP)
    total = checksum(pseudo + header + payload)
    return header[:6] + struct.pack("!H", total) + payload


def piece_of(ends, kind, port, number):
    start = {"first": 0, "overlap": PART - 256, "middle": PART, "tail": 2 * PART}[kind]
    part = datagram(ends, port)[start:start + PART]
    offset, more = start // 8, kind != "tail"
    if len(ends[0]) == 16:
        fragment = struct.pack("!BBHI", 17, 0, offset << 3 | more, number)
        return struct.pack("!IHBB", 6 << 28, 8 + len(part), 44, 64) + b"".join(
            ends) + fragment + part
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(part), number, offset | more << 13, 64,
                         17, 0) + b"".join(ends)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + part


def pieces(mac, source, target, words):
    family = family_of(source)
    ends = [socket.inet_pton(family, end) for end in (source, target)]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as nic:
        nic.bind((NIC, 0))
        head = bytes.fromhex(mac.replace(":", "")) + nic.getsockname()[4]
        head += struct.pack("!H", 0x86dd if family == socket.AF_INET6 else 0x0800)
        for word in words:
            kind, port, number = word.split(":")
            nic.send(head + piece_of(ends, kind, int(port), int(number)))
            time.sleep(0.01)


# --- translation, as a service's address has it ---

class Packet:
    """An IP packet whose ends are changed, with its checksums."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.is_v6 = data[0] >> 4 == 6
        self.size, self.at = (16, 8) if self.is_v6 else (4, 12)
        self.proto, self.l4, self.number, self.offset = self.parse()

    def parse(self):
        if not self.is_v6:
            number, offset = struct.unpack("!HH", self.data[4:8])
            return self.data[9], (self.data[0] & 15) * 4, number, offset & 0x1fff
        if self.data[6] != 44:
            return self.data[6], 40, None, 0
        _, offset, number = struct.unpack("!HHI", self.data[40:48])
        return self.data[40], 48, number, offset >> 3

    def end(self, which):
        start = self.at + which * self.size
        return bytes(self.data[start:start + self.size])

    def port(self, which):
        return struct.unpack("!H", self.data[self.l4 + 2 * which:self.l4 + 2 * which + 2])[0]

    def replace(self, start, new, sums):
        old = bytes(self.data[start:start + len(new)])
        self.data[start:start + len(new)] = new
        for at in sums:
            total = ~struct.unpack("!H", self.data[at:at + 2])[0] & 0xffff
            total += sum(~word & 0xffff for word in struct.unpack(f"!{len(old) // 2}H", old))
            total += sum(struct.unpack(f"!{len(new) // 2}H", new))
            while total > 0xffff:
                total = (total & 0xffff) + (total >> 16)
            self.data[at:at + 2] = struct.pack("!H", ~total & 0xffff)

    def move(self, which, address, port):
        l4_sum = [] if self.offset else [self.l4 + {6: 16, 17: 6}[self.proto]]
        self.replace(self.at + which * self.size, address,
                     l4_sum + ([] if self.is_v6 else [10]))
        if not self.offset:
            self.replace(self.l4 + 2 * which, struct.pack("!H", port), l4_sum)


def translate(name, virtual, real):
    virtual, real = ([socket.inet_pton(family_of(a), a) for a in ends.split(",")]
                     for ends in (virtual, real))
    asked, numbers = set(), set()
    with open("/dev/net/tun", "r+b", buffering=0) as tun:
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
        print("serving", flush=True)
        while True:
            packet = Packet(tun.read(65536))
            if packet.proto not in (6, 17):
                continue
            if packet.end(1) == virtual[packet.is_v6]:
                if not packet.offset:
                    asked.add((packet.proto, packet.end(0), packet.port(0)))
                packet.move(1, real[packet.is_v6], REAL_PORT)
            elif packet.offset and packet.number in numbers:
                packet.move(0, virtual[packet.is_v6], PORT)
            elif not packet.offset and (packet.proto, packet.end(1), packet.port(1)) in asked:
                numbers.add(packet.number)
                packet.move(0, virtual[packet.is_v6], PORT)
            tun.write(packet.data)


def main(argv):
    command, rest = argv[1], argv[2:]
    if command == "echo":
        return echo([int(port) for port in rest])
    if command == "ask":
        return ask(rest[0], int(rest[1]), int(rest[2]), *map(float, rest[3:]))
    if command == "pieces":
        return pieces(*rest[:3], rest[3:])
    if command == "translate":
        return translate(*rest)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
