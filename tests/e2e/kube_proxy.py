#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The rules that kube-proxy makes of Services in its nftables mode, as far as they translate.

kube_proxy.py NODE4,NODE6 [--keep-source] SERVICE...
    prints them; SERVICE is NUMBER=[NODEPORT/]PORT:BACKEND[,BACKEND...], of the Service at
    10.96.0.NUMBER and fd00:96::NUMBER; BACKEND is SUBNET.HOST:PORT, of the pod at
    10.244.SUBNET.HOST and fd00:10:0:SUBNET::HOST.  With --keep-source what comes by a node port
    isn't masqueraded, as with externalTrafficPolicy: Local.
"""
import sys

TABLE = """table {family} kube-proxy {{
	chain mark-for-masquerade {{ meta mark set meta mark or 0x4000; }}
{chains}
	map service-ips {{
		type {address} . inet_proto . inet_service : verdict
		elements = {{ {addresses} }}
	}}
	map service-nodeports {{
		type inet_proto . inet_service : verdict
		{ports}
	}}
	chain services {{
		{family} daddr . meta l4proto . th dport vmap @service-ips
		{family} daddr {node} meta l4proto . th dport vmap @service-nodeports
	}}
	chain nat-prerouting {{ type nat hook prerouting priority dstnat; jump services; }}
	chain nat-output {{ type nat hook output priority -100; jump services; }}
	chain masquerading {{
		meta mark and 0x4000 == 0 return
		meta mark set meta mark xor 0x4000
		masquerade fully-random
	}}
	chain nat-postrouting {{ type nat hook postrouting priority srcnat; jump masquerading; }}
}}
"""


def parse(word):
    number, rest = word.split("=")
    port, backends = rest.split(":", 1)
    node_port, _, port = port.rpartition("/")
    return int(number), node_port, port, [b.split(":") for b in backends.split(",")]


def pod(place, is_v6):
    subnet, host = place.split(".")
    return f"fd00:10:0:{subnet}::{host}" if is_v6 else f"10.244.{subnet}.{host}"


def endpoint_chain(name, address, port, family, is_v6):
    target = f"[{address}]" if is_v6 else address
    return (f"\tchain {name} {{ {family} saddr {address} jump mark-for-masquerade\n"
            f"\t\tmeta l4proto {{ tcp, udp }} dnat to {target}:{port}; }}\n")


def table(family, node, services, keeps_source):
    is_v6 = family == "ip6"
    chains, addresses, ports = "", [], []
    for number, node_port, port, backends in services:
        choices = []
        for at, (place, to) in enumerate(backends):
            name = f"endpoint-{number}-{at}"
            chains += endpoint_chain(name, pod(place, is_v6), to, family, is_v6)
            choices.append(f"{at} : goto {name}")
        chains += (f"\tchain service-{number} {{ numgen random mod {len(backends)}"
                   f" vmap {{ {', '.join(choices)} }}; }}\n")
        jump = "" if keeps_source else "jump mark-for-masquerade; "
        chains += f"\tchain external-{number} {{ {jump}goto service-{number}; }}\n"
        address = f"fd00:96::{number}" if is_v6 else f"10.96.0.{number}"
        for proto in ("tcp", "udp"):
            addresses.append(f"{address} . {proto} . {port} : goto service-{number}")
            if node_port:
                ports.append(f"{proto} . {node_port} : goto external-{number}")
    return TABLE.format(family=family, node=node, chains=chains,
                        address="ipv6_addr" if is_v6 else "ipv4_addr",
                        addresses=",\n\t\t\t".join(addresses),
                        ports=f"elements = {{ {', '.join(ports)} }}" if ports else "")


def main(nodes, *words):
    keeps_source = "--keep-source" in words
    services = [parse(word) for word in words if not word.startswith("-")]
    for family, node in zip(("ip", "ip6"), nodes.split(",")):
        print(f"table {family} kube-proxy\ndelete table {family} kube-proxy")
        print(table(family, node, services, keeps_source), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
