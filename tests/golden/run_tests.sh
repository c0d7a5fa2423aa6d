#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What scripts/run-tests says of a test that failed long before the end of its log.
set -eu -o pipefail
readonly run_tests=$(cd "$(dirname "$0")/../.." && pwd)/scripts/run-tests
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"

cat >long <<-'END'
	#!/bin/sh
	echo "not ok 1 - it was so"
	seq -f '# reason %g' 20
	echo "ok 2 - it was"
	echo "# no reason"
	echo "not ok 3 - neither was this"
	echo "# another reason"
	echo "what it printed"
	echo "# of no failure"
	seq -f 'ok %g - fine' 4 60
	exit 1
END
printf '#!/bin/sh\necho "ok 1 - fine"\n' >short
chmod +x long short

! "$run_tests" -o logs "$work/long" "$work/short" >said || exit 1
{
	echo "        what failed in it:"
	echo "        not ok 1 - it was so"
	seq -f '        # reason %g' 15
	echo "        not ok 3 - neither was this"
	echo "        # another reason"
} >wanted
sed -n '/what failed in it/,/^[^ ]/p' said | sed '$d' | diff -u wanted -
grep -qx '        | ok 60 - fine' said
tail -n 1 said | diff -u <(echo "59 passed, 2 failed") -
