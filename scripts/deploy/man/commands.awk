# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# help-table -> the section of bulkhead.8 that describes the commands.

function plain(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/^[.']/, "\\\\\\&&", s)
	return s
}

function end_part(next_part)
{
	if (part == "example")
		print ".EE\n.RE"
	part = next_part
}

$1 == "command" {
	end_part("command")
	printf ".SS %s\n%s.\n", plain($2), plain($3)
}

$1 == "usage" {
	printf ".PP\n.B bulkhead %s\n%s\n", plain($2), plain($3)
}

$1 == "text" {
	if ($3 == "")
		part = "command"
	else if (part != "text")
		print ".PP"
	if ($3 == "")
		next
	end_part("text")
	print plain($3)
}

$1 == "option" {
	end_part("option")
	value = $5 == "" ? "" : " \\fI" plain($5) "\\fR"
	letter = $3 == "" ? "" : "\\fB" plain($3) "\\fR, "
	printf ".TP\n%s\\fB%s\\fR%s\n%s.\n", letter, plain($4), value, plain($6)
}

$1 == "example" {
	if (part != "example")
		print ".PP\n.RS 4\n.EX"
	part = "example"
	print plain($3)
}

END { end_part("") }
