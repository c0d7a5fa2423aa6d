#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The lab's truth table holds where every workload is a host with its own agent.
. "$(dirname "$0")/lib.sh"

for policy in five-zone three-tier web-server; do
	it "$policy on the wire is what it says" \
		exits_with 0 "$BULKHEAD" lab --topology hosts "$policies/$policy.yaml"
	it "$policy: the last lines count" \
		grep -qE '^[0-9]+ pairs, [1-9][0-9]* probes, .* 0 mismatches: ok$' out
	it "$policy leaves nothing" nothing_is_left
done

end_test
