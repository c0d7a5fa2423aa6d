#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What `explain --queries` answers to NAME.queries about NAME.yaml is in NAME.ok.
# BULKHEAD_GOLDEN=write makes the golden files anew; review the difference.
set -eu -o pipefail
cd "$(dirname "$0")/explain"
bulkhead=${BULKHEAD:-../../../build/bulkhead}

for queries in *.queries; do
	name=${queries%.queries}
	if [ "${BULKHEAD_GOLDEN:-}" = write ]; then
		"$bulkhead" explain "$name.yaml" --queries "$queries" >"$name.ok"
	fi
	"$bulkhead" explain "$name.yaml" --queries "$queries" | diff -u "$name.ok" -
done
