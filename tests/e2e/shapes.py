#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Packets in unusual shapes: large ones that are still to be cut, in pieces of memory, tagged.

take PORT                      takes TCP connections, tells each how much it brought, and its hash
give ADDRESS PORT BYTES        sends so much over one, exits 0 if the other end took just that
gather PORT BYTES              counts the bytes of datagrams, joined ones among them, until there
                               are so many, or for a while
segments ADDRESS PORT COUNT    COUNT datagrams of 60000 bytes that the kernel or the NIC cuts
frame KIND MAC SOURCE TARGET PORT   one datagram as a frame from eth0, its payload the KIND:
                               plain, ring (only its link header in one piece), priority,
                               priorities, tag, wrong (its checksum), unsummed
catch                          prints the UDP header and payload of frames to ports 7801 and 7802
"""
import hashlib
import mmap
import os
import socket
import struct
import sys
import time

NIC = "eth0"
UDP_SEGMENT, UDP_GRO, SOL_UDP = 103, 104, 17
SO_RCVBUFFORCE = 33
SEGMENT, DATAGRAM = 1400, 60000
PATIENCE, SILENCE = 10, 1  # seconds
BLOCK = 1 << 20
PORTS = (7801, 7802)

SOL_PACKET, PACKET_TX_RING = 263, 13
RING_HEADER = 32  # struct tpacket_hdr, aligned; the frame follows
SEND_REQUEST = 1


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


# --- streams ---

def take(port):
    with socket.create_server(("::", port), family=socket.AF_INET6,
                              dualstack_ipv6=True) as server:
        print("serving", flush=True)
        while True:
            peer, _ = server.accept()
            digest, count = hashlib.sha256(), 0
            while data := peer.recv(BLOCK):
                digest.update(data)
                count += len(data)
            peer.sendall(f"{count} {digest.hexdigest()}".encode())
            peer.close()


def give(address, port, count):
    block = os.urandom(BLOCK)
    digest = hashlib.sha256()
    with socket.create_connection((address, port), timeout=30) as peer:
        for _ in range(count // BLOCK):
            peer.sendall(block)
            digest.update(block)
        peer.shutdown(socket.SHUT_WR)
        taken = peer.recv(256).decode()
    given = f"{count // BLOCK * BLOCK} {digest.hexdigest()}"
    print(f"given {given}\ntaken {taken}")
    return given != taken


# --- datagrams ---

def gather(port, wanted):
    count = 0
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.setsockopt(SOL_UDP, UDP_GRO, 1)
        server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        server.bind(("::", port))
        server.settimeout(0.1)
        print("serving", flush=True)
        end = time.monotonic() + (PATIENCE if wanted else SILENCE)
        while time.monotonic() < end and (count < wanted or not wanted):
            try:
                count += len(server.recv(65536))
            except TimeoutError:
                continue
    print(count, flush=True)


def segments(address, port, count):
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as client:
        client.setsockopt(SOL_UDP, UDP_SEGMENT, SEGMENT)
        for _ in range(count):
            client.sendto(b"s" * DATAGRAM, (address, port))
            time.sleep(0.005)
    print(count * DATAGRAM)


# --- frames ---

def checksum(data):
    total = sum(struct.unpack(f"!{len(data + b'x') // 2}H", data + b"\0" * (len(data) % 2)))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_of(kind, ends, port):
    payload = kind.encode().ljust(200, b".")
    length = 8 + len(payload)
    pseudo = b"".join(ends) + struct.pack("!II", length, socket.IPPROTO_UDP)
    header = struct.pack("!HHHH", 5000, port, length, 0)
    total = checksum(pseudo + header + payload)
    if kind == "wrong":
        total ^= 0x0101
    if kind == "unsummed":
        total = 0
    return struct.pack("!HHHH", 5000, port, length, total) + payload


def ip_of(kind, source, target, port):
    family = family_of(source)
    ends = [socket.inet_pton(family, end) for end in (source, target)]
    datagram = udp_of(kind, ends, port)
    if family == socket.AF_INET6:
        return 0x86dd, struct.pack("!IHBB", 6 << 28, len(datagram), 17, 64) + b"".join(
            ends) + datagram
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 7, 0, 64, 17, 0)
    header += b"".join(ends)
    return 0x0800, header[:10] + struct.pack("!H", checksum(header)) + header[12:] + datagram


def send_by_ring(nic, frame):
    """The kernel copies the link header; the rest stays in the ring's pages."""
    size = 4096
    nic.setsockopt(SOL_PACKET, PACKET_TX_RING, struct.pack("IIII", size, 1, size, 1))
    with mmap.mmap(nic.fileno(), size) as ring:
        ring[RING_HEADER:RING_HEADER + len(frame)] = frame
        ring[:16] = struct.pack("LII", SEND_REQUEST, len(frame), len(frame))
        nic.send(b"")


def send_frame(kind, mac, source, target, port):
    tags = {"priority": [(0x8100, 0xe000)], "priorities": [(0x88a8, 0xe000), (0x8100, 0)],
            "tag": [(0x8100, 42)]}.get(kind, [])
    ethertype, packet = ip_of(kind, source, target, port)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as nic:
        nic.bind((NIC, 0))
        frame = bytes.fromhex(mac.replace(":", "")) + nic.getsockname()[4]
        frame += b"".join(struct.pack("!HH", *tag) for tag in tags)
        frame += struct.pack("!H", ethertype) + packet
        if kind == "ring":
            send_by_ring(nic, frame)
        else:
            nic.send(frame)
    print(packet[20 if ethertype == 0x0800 else 40:].hex())


def udp_in(frame):
    """The first UDP header to one of the ports, behind whatever tags and IP header."""
    for port in PORTS:
        at = frame.find(struct.pack("!HH", 5000, port))
        if at > 0:
            return frame[at:at + 208]
    return None


def catch():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as nic:
        nic.bind((NIC, 3))
        print("serving", flush=True)
        while True:
            frame, sender = nic.recvfrom(4096)
            datagram = udp_in(frame)
            if datagram and sender[2] != socket.PACKET_OUTGOING:
                print(datagram.hex(), flush=True)


def main(argv):
    command, rest = argv[1], argv[2:]
    if command == "take":
        return take(int(rest[0]))
    if command == "give":
        return give(rest[0], int(rest[1]), int(rest[2]))
    if command == "gather":
        return gather(int(rest[0]), int(rest[1]))
    if command == "segments":
        return segments(rest[0], int(rest[1]), int(rest[2]))
    if command == "frame":
        return send_frame(*rest[:4], int(rest[4]))
    if command == "catch":
        return catch()
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
