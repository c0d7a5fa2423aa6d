#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# usage: filters.sh pass|drop|end NAME COUNT: begins or ends a filter that another tool loads, in
# this network namespace, with so many rules or addresses.  Clients are of 10.0.0.0/18, the first
# is 10.0.0.1, and they ask for udp/1024.  prepare writes what load loads: so many addresses and
# nothing else.  Exits 3 if the tool is not installed.
set -eu

readonly not_installed=3
readonly interface=live1
readonly client=10.0.0.1
readonly clients=10.0.0.0/18
readonly prepared=/run/bench-filter

command=$1
name=$2
count=$3

need()
{
	command -v "$1" >/dev/null || exit "$not_installed"
}

# Addresses that send nothing, one a line.
others()
{
	awk -v count="$count" 'BEGIN {
		for (i = 1; i < count; i++)
			printf "10.%d.%d.%d\n", 64 + i / 40000, i / 200 % 200, i % 200 + 1
	}'
}

# What a rule of the command's kind is called.
verdict_of()
{
	[ "$command" = pass ] && echo "$1" || echo "$2"
}

# nft_table RULES [SET]: passes what no rule drops, drops what none allows.
nft_table()
{
	printf 'table inet bench {\n%s\nchain input {\n%s\n%s\n%s\n}\n}\n' "${2:-}" \
		"type filter hook input priority 0; policy $(verdict_of drop accept);" \
		"iifname != $interface accept" "$1"
}

nft_set()
{
	printf 'set known { type ipv4_addr; elements = { '
	others | tr '\n' ','
	printf ' %s } }' "$client"
}

nft_rules()
{
	others | sed 's/.*/ip saddr & drop/'
	echo "ip saddr $client $(verdict_of accept drop)"
}

iptables_rules()
{
	echo '*filter'
	others | sed 's/.*/-A INPUT -s & -j DROP/'
	echo "-A INPUT -s $client -j $(verdict_of ACCEPT DROP)"
	[ "$command" = drop ] || echo "-A INPUT -i $interface -j DROP"
	echo COMMIT
}

ipset_lines()
{
	echo "create bench hash:ip maxelem $((count + 1))"
	others | sed 's/^/add bench /'
	echo "add bench $client"
}

ipset_begin()
{
	ipset_lines | ipset restore
	iptables-legacy -A INPUT -m set --match-set bench src -j "$(verdict_of ACCEPT DROP)"
	[ "$command" = drop ] || iptables-legacy -A INPUT -i "$interface" -j DROP
}

# It knows either what it denies, or what it allows.
xdp_filter_begin()
{
	xdp-filter load --mode native -f ipv4 --policy "$(verdict_of deny allow)" "$interface"
	xdp-filter ip --mode src "$client"
}

# Flows that nobody answered are soon gone, so that they are new the next time.
conntrack_begin()
{
	nft_table "ct state established,related accept
		ip saddr $clients ct state new $(verdict_of accept drop)" | nft -f -
	sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1
}

begin()
{
	case $name in
	nft-rules) nft_table "$(nft_rules)" | nft -f - ;;
	nft-set)
		nft_table "ip saddr @known $(verdict_of accept drop)" "$(nft_set)" | nft -f -
		;;
	nft-conntrack) conntrack_begin ;;
	iptables-legacy) iptables_rules | iptables-legacy-restore ;;
	ipset) ipset_begin ;;
	xdp-filter) xdp_filter_begin ;;
	esac
}

prepare()
{
	case $name in
	nft-set) nft_table '' "$(nft_set)" ;;
	ipset) ipset_lines ;;
	iptables-legacy) iptables_rules ;;
	esac >"$prepared"
}

load()
{
	case $name in
	nft-set) nft -f "$prepared" ;;
	ipset) ipset restore <"$prepared" ;;
	iptables-legacy) iptables-legacy-restore <"$prepared" ;;
	esac
}

end()
{
	case $name in
	nft-*) nft delete table inet bench ;;
	iptables-legacy) iptables-legacy -F INPUT ;;
	ipset) iptables-legacy -F INPUT && ipset destroy bench ;;
	xdp-filter) xdp-filter unload "$interface" ;;
	esac
}

case $name in
nft-*) need nft ;;
iptables-legacy) need iptables-legacy ;;
ipset) need ipset && need iptables-legacy ;;
xdp-filter) need xdp-filter ;;
esac
case $command in
pass | drop) begin ;;
*) "$command" ;;
esac
