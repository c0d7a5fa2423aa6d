# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# help-table -> the tables of the zsh completion: commands, and arguments as _arguments takes them.

function plain(s)
{
	gsub(/'/, "", s)
	gsub(/\[/, "\\[", s)
	gsub(/\]/, "\\]", s)
	gsub(/:/, "\\:", s)
	return s
}

function action(value)
{
	if (value == "")
		return ""
	if (value ~ /^[a-z]+[|]/) {
		gsub(/[|]/, " ", value)
		return ":value:(" value ")"
	}
	if (value == "DIR")
		return ":directory:_files -/"
	return value ~ /^(FILE|PATH)$/ ? ":file:_files" : ":" tolower(plain(value)) ": "
}

$1 == "command" {
	count++
	name[count] = $2
	names = names sprintf("\t'%s:%s'\n", $2, plain($3))
	operand[$2] = "*:file:_files"
}

$1 == "usage" && $3 ~ /^[a-z]+[|]/ {
	words = $3
	sub(/ .*/, "", words)
	operand[$2] = "1" action(words)
}

$1 == "option" {
	spec = "[" plain($6) "]" action($5)
	options[$2] = options[$2] sprintf("\t\t'*%s%s'\n", $4, spec)
	if ($3 != "")
		options[$2] = options[$2] sprintf("\t\t'*%s%s'\n", $3, spec)
}

END {
	printf "_bulkhead_commands=(\n%s)\n\n_bulkhead_arguments()\n{\n\tcase $1 in\n", names
	for (i = 1; i <= count; i++) {
		printf "\t%s)\n\t\targuments=(\n%s", name[i], options[name[i]]
		printf "\t\t'%s'\n\t\t) ;;\n", operand[name[i]]
	}
	print "\tesac\n}"
}
