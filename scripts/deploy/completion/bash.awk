# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# help-table -> the tables of the bash completion: options, and the words that one's value may be.

$1 == "command" { names = names " " $2 }

$1 == "usage" && $3 ~ /^[a-z]+[|]/ {
	words = $3
	sub(/ .*/, "", words)
	gsub(/[|]/, " ", words)
	operands = operands sprintf("\t[%s]='%s'\n", $2, words)
}

$1 == "option" {
	options[$2] = options[$2] " " $4 ($3 == "" ? "" : " " $3)
	if ($5 == "")
		next
	words = $5 ~ /^[a-z]+[|]/ ? $5 : $5 ~ /^(FILE|PATH|DIR)$/ ? "@" $5 : "@"
	gsub(/[|]/, " ", words)
	values = values sprintf("\t[%s%s]='%s'\n", $2, $4, words)
	if ($3 != "")
		values = values sprintf("\t[%s%s]='%s'\n", $2, $3, words)
}

END {
	printf "_bulkhead_commands='%s'\n", substr(names, 2)
	print "declare -gA _bulkhead_options=("
	count = split(substr(names, 2), name, " ")
	for (i = 1; i <= count; i++)
		printf "\t[%s]='%s'\n", name[i], substr(options[name[i]], 2)
	printf ")\ndeclare -gA _bulkhead_values=(\n%s)\n", values
	printf "declare -gA _bulkhead_operands=(\n%s)\n", operands
}
