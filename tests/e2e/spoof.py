#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a workload sends to be taken for another, from eth0, a few times each.

spoof.py VICTIM OTHER      both as MAC,IPv4,IPv6,LINK-LOCAL; each line of input is one of these,
                           and is answered with "sent":

arp-reply arp-request   OTHER's IPv4 is here: to all, as an answer or as a question
arp-direct              the same to VICTIM alone
nd-advert nd-advert-as  OTHER's IPv6 is here: from one's own, from it
nd-advert-link          its link-local address is
nd-solicit              OTHER asks from its IPv6 (nd-solicit-link: from its link-local), and is here
router                  a default route by here
redirect redirect4      OTHER is reached by here
udp udp6 udp-link       a datagram to VICTIM's port 7801, from OTHER's addresses
udp-own                 the same from one's own link-local address
"""
import sys
import time

from scapy.all import (ARP, IP, UDP, Ether, ICMP, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                       ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo,
                       ICMPv6NDOptSrcLLAddr, IPv6, Raw, conf, get_if_addr, get_if_hwaddr,
                       in6_getifaddr, sendp)

NIC = "eth0"
ALL = "ff:ff:ff:ff:ff:ff"
ALL_NODES = "33:33:00:00:00:01"
TIMES = 3


def own_ipv6(is_link_local):
    for address, _, interface in in6_getifaddr():
        if interface == NIC and address.startswith("fe80") == is_link_local:
            return address
    sys.exit("no address of its own")


def advert(victim, other, source, target, mac):
    return (Ether(src=mac, dst=victim[0]) / IPv6(src=source, dst=victim[2], hlim=255) /
            ICMPv6ND_NA(tgt=target, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac))


def solicit(victim, source, mac):
    return (Ether(src=mac, dst=victim[0]) / IPv6(src=source, dst=victim[2], hlim=255) /
            ICMPv6ND_NS(tgt=victim[2]) / ICMPv6NDOptSrcLLAddr(lladdr=mac))


def frame(what, victim, other):
    mac = get_if_hwaddr(NIC)
    link = own_ipv6(True)
    arp = {"hwsrc": mac, "psrc": other[1], "pdst": other[1]}
    to_victim = Ether(src=mac, dst=victim[0])
    datagram = UDP(sport=5000, dport=7801) / Raw(b"spoofed")
    error = IP(src=victim[1], dst=other[1]) / UDP(sport=1, dport=2)
    frames = {
        "arp-reply": lambda: Ether(src=mac, dst=ALL) / ARP(op=2, hwdst=ALL, **arp),
        "arp-request": lambda: Ether(src=mac, dst=ALL) / ARP(op=1, **arp),
        "arp-direct": lambda: to_victim / ARP(op=2, hwsrc=mac, psrc=other[1], hwdst=victim[0],
                                              pdst=victim[1]),
        "nd-advert": lambda: advert(victim, other, own_ipv6(False), other[2], mac),
        "nd-advert-as": lambda: advert(victim, other, other[2], other[2], mac),
        "nd-advert-link": lambda: advert(victim, other, link, other[3], mac),
        "nd-solicit": lambda: solicit(victim, other[2], mac),
        "nd-solicit-link": lambda: solicit(victim, other[3], mac),
        "router": lambda: (Ether(src=mac, dst=ALL_NODES) / IPv6(src=link, dst="ff02::1", hlim=255) /
                           ICMPv6ND_RA(routerlifetime=600) / ICMPv6NDOptSrcLLAddr(lladdr=mac) /
                           ICMPv6NDOptPrefixInfo(prefix="fd99::", prefixlen=64)),
        "redirect": lambda: (to_victim / IPv6(src=link, dst=victim[2], hlim=255) /
                             ICMPv6ND_Redirect(tgt=link, dst=other[2]) /
                             ICMPv6NDOptDstLLAddr(lladdr=mac)),
        "redirect4": lambda: (to_victim / IP(src=get_if_addr(NIC), dst=victim[1]) /
                              ICMP(type=5, code=1, gw=get_if_addr(NIC)) / Raw(bytes(error))),
        "udp": lambda: to_victim / IP(src=other[1], dst=victim[1]) / datagram,
        "udp6": lambda: to_victim / IPv6(src=other[2], dst=victim[2]) / datagram,
        "udp-own": lambda: to_victim / IPv6(src=link, dst=victim[3]) / datagram,
        "udp-link": lambda: to_victim / IPv6(src=other[3], dst=victim[3]) / datagram,
    }
    return frames[what]()


def main(argv):
    if len(argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    conf.verb = 0
    victim, other = (ends.split(",") for ends in argv[1:])
    for line in sys.stdin:
        packet = frame(line.strip(), victim, other)
        for _ in range(TIMES):
            sendp(packet, iface=NIC)
            time.sleep(0.01)
        print("sent", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
