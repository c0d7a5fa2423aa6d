#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# usage: filters.sh pass|drop|end NAME: begins or ends a filter that another tool loads, in this
# network namespace.  The client is 10.0.0.1, and asks for udp/1024.  Exits 3 if the tool is not
# installed.
set -eu

readonly not_installed=3
readonly interface=live1
readonly client=10.0.0.1

command=$1
name=$2

need()
{
	command -v "$1" >/dev/null || exit "$not_installed"
}

# Ten thousand addresses that send nothing, one a line.
others()
{
	awk 'BEGIN { for (i = 0; i < 10000; i++) printf "10.77.%d.%d\n", i / 200, i % 200 + 1 }'
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
		"iifname != $interface accept" "$1" | nft -f -
}

nft_set()
{
	printf 'set known { type ipv4_addr; elements = { '
	others | tr '\n' ','
	printf ' %s } }' "$client"
}

iptables_begin()
{
	for last in 1 2 3 4 5 6 7 8 9; do
		iptables-legacy -A INPUT -s "10.77.0.$last" -j DROP
	done
	iptables-legacy -A INPUT "$@" -j "$(verdict_of ACCEPT DROP)"
	[ "$command" = drop ] || iptables-legacy -A INPUT -i "$interface" -j DROP
}

ipset_begin()
{
	{
		echo create bench hash:ip
		others | sed 's/^/add bench /'
		echo "add bench $client"
	} | ipset restore
	iptables-legacy -A INPUT -m set --match-set bench src -j "$(verdict_of ACCEPT DROP)"
	[ "$command" = drop ] || iptables-legacy -A INPUT -i "$interface" -j DROP
}

# It knows either what it denies, or what it allows.
xdp_filter_begin()
{
	xdp-filter load --mode native -f ipv4 --policy "$(verdict_of deny allow)" "$interface"
	xdp-filter ip --mode src "$client"
}

begin()
{
	case $name in
	nft-rules)
		nine=$(for last in 1 2 3 4 5 6 7 8 9; do echo "ip saddr 10.77.0.$last drop"; done)
		nft_table "$nine
			ip saddr $client $(verdict_of accept drop)"
		;;
	nft-set)
		nft_table "ip saddr @known $(verdict_of accept drop)" "$(nft_set)"
		;;
	nft-conntrack)
		nft_table "ct state established,related accept
			ip saddr $client ct state new $(verdict_of accept drop)"
		;;
	iptables-legacy)
		iptables_begin -s "$client"
		;;
	ipset)
		ipset_begin
		;;
	xdp-filter)
		xdp_filter_begin
		;;
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
if [ "$command" = end ]; then
	end
else
	begin
fi
