#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Policies for the end-to-end tests, as JSON, which is YAML.

random SEED               a small policy with a bit of everything
large WORKLOADS RULES     a site of applications: one rule in five by label, the others by name
"""
import json
import random
import sys

SERVICES = ["tcp/80", "tcp/443", "tcp/440-443", "udp/53", "icmp/echo-request", "icmp6/echo-request",
            "any"]
TEAMS = ["red", "blue"]


def zone_prefixes(n):
    return [f"10.7.{n}.0/24", f"fd00:0:7:{n}::/64"]


def address(zone, n):
    return [f"10.7.{zone}.{n}", f"fd00:0:7:{zone}::{n:x}"]


def document(zones, workloads, rules):
    return {
        "apiVersion": "bulkhead.dev/v1",
        "kind": "ZonePolicy",
        "metadata": {"name": "generated"},
        "spec": {"zones": zones, "workloads": workloads, "rules": rules},
    }


def random_selector(pick, names, depth=0):
    kind = pick.randrange(8 if depth < 2 else 5)
    if kind < 2:
        return pick.choice(names)
    if kind == 2:
        return {"labels": {"team": pick.choice(TEAMS)}}
    if kind == 3:
        return {"cidr": f"10.7.{pick.randrange(3)}.0/{pick.choice([24, 25, 27])}"}
    if kind == 4:
        return {"matchExpressions": [{"key": "team", "operator": "NotIn",
                                      "values": [pick.choice(TEAMS)]}]}
    if kind == 5:
        return "any"
    if kind == 6:
        return {"except": random_selector(pick, names, depth + 1)}
    return [random_selector(pick, names, depth + 1) for _ in range(2)]


def random_policy(seed):
    pick = random.Random(seed)
    zones = [{"name": f"zone{n}", "cidrs": zone_prefixes(n)} for n in range(3)]
    for zone in zones:
        if pick.random() < 0.2:
            zone["mode"] = pick.choice(["audit", "off"])
    workloads = []
    for n in range(5):
        zone = pick.randrange(3)
        workload = {"name": f"load{n}", "zone": f"zone{zone}"}
        workload["addresses"] = address(zone, n * 9 + 1)
        if pick.random() < 0.7:
            workload["labels"] = {"team": pick.choice(TEAMS)}
        workloads.append(workload)
    names = [end["name"] for end in zones + workloads]
    rules = []
    for n in range(pick.randint(2, 8)):
        rule = {"name": f"rule{n}", "from": random_selector(pick, names),
                "to": random_selector(pick, names),
                "services": pick.sample(SERVICES, pick.randint(1, 2))}
        if pick.random() < 0.3:
            rule["action"] = "deny"
        rules.append(rule)
    return document(zones, workloads, rules)


def large_policy(workload_count, rule_count):
    pick = random.Random(7)
    zone_names = ["dmz", "internal", "data", "management", "batch"]
    zones = [{"name": name, "cidrs": [f"10.{n}.0.0/16", f"fd00:0:{n}::/48"]}
             for n, name in enumerate(zone_names)]
    apps = max(1, workload_count // 10)
    workloads = []
    for n in range(workload_count):
        zone = n % len(zones)
        high, low = divmod(n, 250)
        workloads.append({
            "name": f"w{n}", "zone": zone_names[zone],
            "addresses": [f"10.{zone}.{high}.{low + 1}", f"fd00:0:{zone}:{high:x}::{low + 1:x}"],
            "labels": {"app": f"a{n % apps}", "site": f"s{n % 3}"}})
    rules = []
    for n in range(rule_count):
        port = f"tcp/{1000 + pick.randrange(400)}"
        if n % 5 == 0:
            ends = [{"labels": {"app": f"a{pick.randrange(apps)}"}} for _ in range(2)]
        else:
            ends = [f"w{pick.randrange(workload_count)}" for _ in range(2)]
        rules.append({"name": f"r{n}", "from": ends[0], "to": ends[1], "services": port})
    return document(zones, workloads, rules)


def main(argv):
    if argv[1] == "random":
        policy = random_policy(int(argv[2]))
    else:
        policy = large_policy(int(argv[2]), int(argv[3]))
    json.dump(policy, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(sys.argv)
