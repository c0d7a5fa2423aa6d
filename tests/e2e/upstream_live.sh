#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# POL-01, POL-02: policies of tests/upstream on the wire, with a station for each of their pods:
# what is allowed answers, and what is denied is silence.  UPSTREAM=all takes every one of them, in
# some minutes; tests/reference/upstream_test asks all of their tables in any case.
. "$(dirname "$0")/lib.sh"

readonly upstream=/mnt/tree/tests/upstream

chosen="networkpolicy/14-ports networkpolicy/27-both-directions networkpolicy/35-an-except"
chosen+=" clusternetworkpolicy/admin-gress-deny-first"
chosen+=" clusternetworkpolicy/integration-2-pass-to-networkpolicy"
if [ "${UPSTREAM:-}" = all ]; then
	chosen=$(cd "$upstream" && grep -L '^#| alone' */*.yaml | grep -v '/pods.yaml$')
fi

# Both happened, and a denial is never told to who is denied.
is_silent()
{
	"$python" - <<-'END'
	import json, sys
	probes = json.load(open("lab.json"))["labs"][0]["probes"]
	seen = {(p["expected"], p["seen"]) for p in probes}
	print(seen)
	sys.exit(seen != {("allow", "answered"), ("deny", "silent")})
	END
}

for name in $chosen; do
	name=${name%.yaml}
	it "$name: the wire is what the policy says" exits_with 0 "$BULKHEAD" lab -o json \
		"$upstream/$name.yaml" "$upstream/${name%/*}/pods.yaml"
	cp out lab.json
	[ "${UPSTREAM:-}" = all ] || it "$name: what is denied is silence" is_silent
done

end_test
