#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Policies that nobody means well.

write DIRECTORY
    one a file: NAME.yaml; prints "ID NAME" of each, by the number of its case
rules FILE COUNT NETWORKS
    one of so many rules, and so many networks in one more
refuse MILLISECONDS MIB COMMAND...
    exits 0 if the command exits 2, and says why with the place in the file, its last word, within
    so much for each MiB of the file
"""
import os
import resource
import subprocess
import sys

HEAD = """apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: hostile}
spec:
  zones:
    - {name: a, cidrs: [10.0.0.0/24, "fd00::/64"]}
    - {name: b, cidrs: [10.0.1.0/24, "fd00:0:0:1::/64"]}
"""
RULE = "    - {name: r, from: a, to: b, services: tcp/80}\n"
RULES = HEAD + "  rules:\n" + RULE


def bomb(levels, width):
    lines = ["x0: &x0 [" + ", ".join(["y"] * width) + "]"]
    for level in range(1, levels):
        lines.append(f"x{level}: &x{level} [" + ", ".join([f"*x{level - 1}"] * width) + "]")
    return "\n".join(lines) + "\n"


def with_name(name):
    return HEAD + f"  rules:\n    - {{name: {name}, from: a, to: b, services: tcp/80}}\n"


def with_zone(name):
    return HEAD + f"    - {{name: {name}, cidrs: [10.0.2.0/24]}}\n"


def with_label(key, value):
    return HEAD + ("  workloads:\n    - {name: w, zone: a, addresses: [10.0.0.1], "
                   f"labels: {{{key}: {value}}}}}\n")


def policies():
    return {
        "IN-01": {
            "bomb": bomb(9, 9),
            "aliases": "x: &x [y]\nz: [" + "*x, " * 300000 + "]\n",
            "merge-loop": "a: &a {<<: *a}\n",
            "binary": HEAD + "  rules: !!binary aGVsbG8=\n",
        },
        "IN-02": {
            "deep-flow": "[" * 100000,
            "deep-maps": "{a: " * 50000,
            "deep-block": "".join(" " * i + "-\n" for i in range(1000)),
            "long-line": HEAD + "  rules: [" + "x" * 1000000 + "]\n",
            "documents": "---\na\n" * 150000,
            "nul": RULES + "    - {name: \"a\0b\", from: a}\n",
            "not-utf8": (RULES + "    - {name: ").encode() + b"\xff\xfe\xc0\xaf}\n",
            "surrogate": (RULES + "    - {name: ").encode() + b"\xed\xa0\x80}\n",
            "noise": os.urandom(1 << 20),
        },
        "IN-03": {
            "twice": HEAD + "  rules:\n    - {name: r, from: a, to: b, services: any, from: b}\n",
            "twice-list": RULES + "  rules:\n" + RULE,
            "almost": HEAD + "  rules:\n    - {name: r, from: a, to: b, servcies: tcp/80}\n",
            "case": HEAD + "  rules:\n    - {name: r, from: a, to: b, Services: tcp/80}\n",
        },
        "IN-06": {
            "name-up": with_name("../../tmp/hostile"),
            "name-slash": with_name("a/b"),
            "name-dot": with_name("."),
            "name-long": with_name("n" * 253),
            "name-nul": with_name('"a\\0b"'),
            "name-format": with_name('"%s%n"'),
            "name-line": with_name('"a\\nb"'),
            "zone-up": with_zone("../../tmp/hostile"),
            "zone-format": with_zone('"%s%n"'),
        },
        "IN-07": {
            "zone-host": with_zone("host"),
            "zone-any": with_zone("any"),
            "zone-outside": with_zone("outside"),
            "zone-remote": with_zone("remote-node"),
            "zone-default": with_zone("default"),
            "label-long": with_label("a", "x" * 10000000),
            "label-line": with_label('"a\\nhost"', "b"),
        },
    }


def write(directory):
    for case, files in policies().items():
        for name, text in files.items():
            with open(f"{directory}/{name}.yaml", "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode())
            print(case, name)


def write_rules(path, count, networks):
    with open(path, "w", encoding="ascii") as file:
        file.write(HEAD + "  rules:\n")
        for i in range(count):
            file.write(f"    - {{name: r{i}, from: a, to: b, "
                       f"services: {'tcp' if i & 1 else 'udp'}/{i % 60000 + 1}}}\n")
        ends = [f"{{cidr: 100.64.{i >> 7}.{i % 128 * 2}}}" for i in range(networks)]
        if ends:
            file.write("    - {name: out, from: a, to: [" + ",\n      ".join(ends) +
                       "], services: tcp/80}\n")


def refuse(milliseconds, mib, command):
    limit = os.path.getsize(command[-1]) // (1 << 20) + 1
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent, largest = (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024
    print(done.returncode, f"{spent:.0f} ms, {largest:.0f} MiB", done.stderr[:400])
    has_place = command[-1].encode() + b":" in done.stderr and b": error: " in done.stderr
    is_plain = not any(byte < 0x20 and byte not in b"\n\t" for byte in done.stderr)
    return not (done.returncode == 2 and has_place and is_plain and
                spent <= milliseconds * limit and largest <= mib * limit)


def main(argv):
    if len(argv) == 3 and argv[1] == "write":
        return write(argv[2])
    if len(argv) == 5 and argv[1] == "rules":
        return write_rules(argv[2], int(argv[3]), int(argv[4]))
    if len(argv) > 4 and argv[1] == "refuse":
        return refuse(int(argv[2]), int(argv[3]), argv[4:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
