#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flood of denied packets: every drop is accounted for, with and without a rate limit.
. "$(dirname "$0")/lib.sh"

readonly packets=100000

add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7

# books VERDICT: dropped produced delivered suppressed lost
books()
{
	"$BULKHEAD" status -o json | "$python" -c '
import json, sys
status = json.load(sys.stdin)
books = status["books"]["deny"]
drops = sum(reason["packets"] for reason in status["drops"].values())
print(status["dropped"], drops, books["produced"], books["delivered"], books["suppressed"],
      books["lost"])'
}

# The books, and how much the tail has printed of them.
progress()
{
	books
	wc -c <"$work/tail"
}

are_settled()
{
	local first

	first=$(progress)
	sleep 0.3
	[ "$first" = "$(progress)" ]
}

are_balanced()
{
	local dropped reasons produced delivered suppressed lost

	read -r dropped reasons produced delivered suppressed lost <<<"$(books)"
	echo "dropped $dropped, reasons $reasons, produced $produced =" \
		"delivered $delivered + suppressed $suppressed + lost $lost"
	[ "$dropped" -eq "$produced" ] && [ "$reasons" -eq "$produced" ] &&
		[ "$produced" -eq $((delivered + suppressed + lost)) ]
}

# What a reader of the tail got or was told that it missed is what was delivered.
tail_is_complete()
{
	local shown missed delivered=$1

	shown=$(wc -l <"$work/tail")
	missed=$(awk '/ events missed/ { n += $2 } END { print n + 0 }' "$work/tail.err")
	echo "shown $shown + missed $missed, delivered $delivered"
	[ $((shown + missed)) -eq "$delivered" ]
}

# flood_with OPTION…: one round with its own agent.
flood_with()
{
	local what="$*" dropped observer floods
	what=${what:-no options}

	it "the agent enforces with $what" start_agent server --policy "$policies/web-server.yaml" \
		--attach eth0 "$@"
	"$BULKHEAD" observe -f >"$work/tail" 2>"$work/tail.err" &
	observer=$!
	sleep 0.3
	in_ns visitor "$python" "$here/peer.py" flood 192.0.2.10 9999 "$packets" >flood4 &
	floods=$!
	in_ns visitor "$python" "$here/peer.py" flood 2001:db8::10 9999 "$packets" >flood6 &
	wait "$floods" $! || :
	wait_for 20 are_settled || :
	sleep 0.5
	it "the books balance with $what" are_balanced
	read -r dropped _ <<<"$(books)"
	# Some are lost on the cable, before any program sees them.
	it "the flood was counted with $what" test "$dropped" -ge $((packets * 3 / 2))
	kill -INT "$observer"
	wait "$observer" || :
	it "the tail is complete with $what" tail_is_complete "$(status_value books.deny.delivered)"
	it "the agent ends with $what" stop_agent TERM
	"$BULKHEAD" detach
}

flood_with
flood_with --event-rate 0
flood_with --event-rate 5000

end_test
