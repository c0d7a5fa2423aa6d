#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A lab that is stopped in the middle leaves nothing, whatever stops it.
. "$(dirname "$0")/lib.sh"

lab_pid=

# start_lab TOPOLOGY STAGE: until the lab says so.
start_lab()
{
	lab_status=0
	: >lab.err
	env --default-signal=INT "$BULKHEAD" lab --topology "$1" "$policies/five-zone.yaml" \
		>lab.out 2>lab.err &
	lab_pid=$!
	wait_for 60 grep -q "$2" lab.err
}

has_ended()
{
	[ "$(awk '{ print $3 }' "/proc/$lab_pid/stat")" = Z ]
}

# catch_lab TOPOLOGY STAGE: on a busy machine one may be over before it is stopped.
catch_lab()
{
	for _ in 1 2 3 4 5; do
		start_lab "$@" || return
		has_ended || return 0
		wait "$lab_pid" || return
	done
	return 1
}

# stop_lab SIGNAL: sets lab_status.
stop_lab()
{
	kill "-$1" "$lab_pid"
	wait "$lab_pid" || lab_status=$?
}

# interrupt TOPOLOGY STAGE SIGNAL
interrupt()
{
	local what="$3 while $2, topology $1"

	it "$what: the lab gets there" catch_lab "$1" "$2"
	stop_lab "$3" 2>/dev/null
	it "$what: it does not claim success" test "$lab_status" -ne 0
	# A killed lab can't remove its directory, which is empty; the next one does.
	[ "$3" != KILL ] || rmdir /tmp/bulkhead-lab-* 2>/dev/null || :
	it "$what: nothing is left" wait_for 10 nothing_is_left
}

for stage in building agents probing; do
	for signal in INT TERM KILL; do
		interrupt node "$stage" "$signal"
	done
done
interrupt hosts agents KILL
interrupt hosts probing INT

mkdir /tmp/bulkhead-lab-killed
it "the next lab works" exits_with 0 "$BULKHEAD" lab "$policies/three-tier.yaml"
it "and removes what a killed one left" test ! -e /tmp/bulkhead-lab-killed

end_test
