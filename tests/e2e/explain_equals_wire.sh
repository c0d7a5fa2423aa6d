#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What `explain` says of random policies is what packets meet.  SEED=N repeats a run.
. "$(dirname "$0")/lib.sh"

seed=${SEED:-$(date +%s)}
echo "# SEED=$seed"

# agree: the wire and explain, on every probe of lab.json.
agree()
{
	split_lab
	"$BULKHEAD" explain policy.yaml --queries questions >answers || return 1
	awk '{ print $1 == "deny" ? "stopped" : "through" }' answers >said
	paste -d' ' questions answers seen >all
	cmp said seen && return
	paste -d' ' said seen questions answers | awk '$1 != $2' | head -n 10
	cat policy.yaml
	return 1
}

round()
{
	local topology=$1 number=$2

	"$python" "$here/generate.py" random "$number" >policy.yaml
	"$BULKHEAD" lab --topology "$topology" -o json policy.yaml >lab.json 2>lab.err || :
	it "policy $number, topology $topology: explain is what the wire does" agree
	echo "# $(grep -c ' through$' all) of $(wc -l <all) probes got through"
}

for number in 0 1 2 3 4 5; do
	round node $((seed + number))
done
round hosts $((seed + 6))
round hosts $((seed + 7))

end_test
