#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flood of denied packets: every drop is accounted for, with and without a rate limit.
. "$(dirname "$0")/lib.sh"

readonly packets=60000
readonly seconds=2 # of each flood of distinct packets

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
for what in list(status["drops"].values()) + status["cpus"]:
    assert what.get("packets", what.get("dropped")) == sum(
        what[book] for book in ("delivered", "suppressed", "lost")), what
assert sum(cpu["dropped"] for cpu in status["cpus"]) == status["dropped"]
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

	shown=$(awk -v n=0 '{ n += $NF ~ /^count=/ ? substr($NF, 7) : 1 } END { print n }' tail)
	missed=$(awk '/ events missed/ { n += $2 } END { print n + 0 }' "$work/tail.err")
	echo "shown $shown + missed $missed, delivered $delivered"
	[ $((shown + missed)) -eq "$delivered" ] &&
		grep "^bulkhead: $delivered events = $shown shown + .* + $missed missed;" tail.err
}

# Of each rule, and together; the flood met no other.
rules_are_balanced()
{
	"$BULKHEAD" list rules -o json >rules.json
	"$python" - "$(status_value dropped)" <<'END'
import json, sys
rules = json.load(open("rules.json"))
rules = rules.get("rules", rules) if isinstance(rules, dict) else rules
for rule in rules:
    events = rule["events"]
    assert events["produced"] == events["delivered"] + events["suppressed"] + events["lost"], rule
default = next(rule for rule in rules if rule["rule"] == "default")
assert default["events"]["produced"] == default["packets"], default
print(default["packets"], "of", sys.argv[1])
assert default["packets"] <= int(sys.argv[1])
END
}

# What the interface itself says that XDP dropped.
driver_drops()
{
	in_ns server ethtool -S eth0 | awk '/xdp_drops/ { n += $2 } END { print n + 0 }'
}


# The driver counts drops of its own accord.  What the server sends is dropped by tc, and is little.
wire_agrees()
{
	local driver dropped

	driver=$(($(driver_drops) - driver_before))
	dropped=$(status_value dropped)
	echo "dropped $dropped, by XDP says the driver $driver"
	[ "$dropped" -ge "$driver" ] && [ "$dropped" -le $((driver + 20)) ]
}

# flood_with OPTION…: one round with its own agent.
flood_with()
{
	local what="$*" dropped observer floods
	what=${what:-no options}

	driver_before=$(driver_drops)
	it "the agent enforces with $what" start_agent server --policy "$policies/web-server.yaml" \
		--attach eth0 "$@"
	"$BULKHEAD" observe -f >"$work/tail" 2>"$work/tail.err" &
	observer=$!
	wait_for 5 is_followed 1
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
	it "as many as the driver says with $what" wire_agrees
	it "the books of rules balance with $what" rules_are_balanced
	kill -INT "$observer"
	wait "$observer" || :
	it "the tail is complete with $what" tail_is_complete "$(status_value books.deny.delivered)"
	it "the agent ends with $what" stop_agent TERM
	"$BULKHEAD" detach
}

# What an agent that is killed had not read yet, the next one reads; nothing is counted twice.
restart_under_flood()
{
	local floods

	driver_before=$(driver_drops)
	start_agent server --policy "$policies/web-server.yaml" --attach eth0 --event-rate 0
	in_ns visitor "$python" "$here/peer.py" flood 192.0.2.10 9999 "$packets" >flood4 &
	floods=$!
	sleep 0.3
	stop_agent KILL || :
	sleep 0.3
	it "an agent starts in the middle of a flood" start_agent server \
		--policy "$policies/web-server.yaml" --attach eth0 --event-rate 0
	wait "$floods" || :
	wait_for 20 are_settled || :
	it "the books balance across a restart" are_balanced
	it "as many as the driver says across a restart" wire_agrees
	it "the agent ends after that" stop_agent TERM
	"$BULKHEAD" detach
}

# As fast as the program runs, with a tail: the kernel runs it so often on one packet.
million()
{
	local observer before id

	start_agent server --policy "$policies/web-server.yaml" --attach eth0 --event-rate 0
	"$BULKHEAD" observe -f -o json >"$work/tail" 2>"$work/tail.err" &
	observer=$!
	wait_for 5 is_followed 1
	"$python" -c '
import sys
sys.stdout.buffer.write(bytes(12) + b"\x08\x00" + bytes.fromhex(
    "45000030000040004011000ac6336407c000020a") + bytes.fromhex("c000270f001c0000") + bytes(20))
' >frame
	before=$(status_value dropped)
	id=$(in_ns server ip -d -j link show dev eth0 | "$python" -c '
import json, sys
print(json.load(sys.stdin)[0]["xdp"]["prog"]["id"])')
	in_ns server bpftool prog run id "$id" data_in frame repeat 1000000 >million
	it "a million drops are a million" test "$(status_value dropped)" -eq $((before + 1000000))
	it "the books balance after them" are_balanced
	kill -INT "$observer"
	wait "$observer" || :
	it "a tail is told of each that was delivered" sh -c "
		grep '^bulkhead: $(status_value books.deny.delivered) events = ' tail.err"
	sed -n 's/.*duration[^:]*: /# ns each: /p' million
	it "the agent ends after them" stop_agent TERM
	"$BULKHEAD" detach
}

# Whether it has taken no CPU time for a while.
reads_nothing()
{
	local before

	before=$(cut -d' ' -f14,15 "/proc/$1/stat")
	sleep 0.2
	[ "$before" = "$(cut -d' ' -f14,15 "/proc/$1/stat")" ]
}

# What a follower's last line says: shown and missed are all that was delivered.
follower_has_all()
{
	grep "^bulkhead: $2 events = [0-9]* shown + 0 filtered out + [0-9]* missed;" "$1.err"
}

agent_peak()
{
	awk '/^VmHWM/ { print $2 }' "/proc/$agent_pid/status"
}

agent_is_small()
{
	agent_peak
	[ "$(agent_peak)" -lt 65536 ]
}

# distinct CPUS RATE [OPTION…]: so many a second, or as many as these make, no two alike, with a
# reader and one that does not read.
distinct()
{
	local mac reader sleeper floods delivered shown cpus=$1 rate=$2
	shift 2

	start_agent server --policy "$policies/web-server.yaml" --attach eth0 "$@"
	"$BULKHEAD" observe -f -o json >/dev/null 2>"$work/reader.err" &
	reader=$!
	"$BULKHEAD" observe -f -o json >/dev/null 2>"$work/sleeper.err" &
	sleeper=$!
	wait_for 5 is_followed 2
	kill -STOP "$sleeper"
	mac=$(in_ns server ip -o link show dev eth0 | sed 's/.*link.ether \([^ ]*\).*/\1/')
	/mnt/tree/build/tests/e2e/flood server "$mac" "$seconds" "$cpus" "$rate" >floods &
	floods=$!
	sleep 1
	it "the books balance in the middle of a flood from $cpus CPUs" are_balanced
	it "the flood is sent" wait "$floods"
	kill -CONT "$sleeper"
	wait_for 20 reads_nothing "$reader" || :
	it "the books balance after it" are_balanced
	it "what was sent was dropped" \
		test "$(status_value dropped)" -ge $(($(cut -d' ' -f1 floods) * 9 / 10))
	it "the agent's memory is bounded" agent_is_small
	kill -INT "$reader" "$sleeper"
	wait "$reader" "$sleeper" || :
	delivered=$(status_value books.deny.delivered)
	it "a reader is told of each that was delivered" follower_has_all reader "$delivered"
	it "so is one that slept" follower_has_all sleeper "$delivered"
	shown=$(sed -n 's/.* = \([0-9]*\) shown.*/\1/p' reader.err)
	echo "# $cpus CPUs, at most $rate, $*: $(cut -d' ' -f2 floods) drops a second," \
		"$((shown / seconds)) events a second read, the agent has $(agent_peak) kB"
	it "the agent ends after it" stop_agent TERM
	"$BULKHEAD" detach
}

driver_before=0
million
distinct 1 0 --event-rate 0
in_ns server ethtool -L eth0 rx 2 tx 2
distinct 2 1200000 --event-rate 0
distinct 2 0
flood_with
flood_with --event-rate 0
restart_under_flood
flood_with --event-rate 5000

end_test
