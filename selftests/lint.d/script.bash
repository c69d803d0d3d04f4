# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # lint's variables
#
# Shell and python.

# Those that are run, by their first line, and those that are read by others.
shell_scripts() {
	local file line
	files_of | while IFS= read -r file; do
		line=
		IFS= LC_ALL=C read -r -n 80 line <"$file" 2>/dev/null
		case $line in
		'#!'*sh|'#!'*'sh '*|'# shellcheck shell='*)
			printf '%s\n' "$file" ;;
		esac
	done
}

step_shellcheck() {
	need_packages shellcheck=shellcheck
	shell_scripts | xargs -d '\n' -n 10 shellcheck -x -P SCRIPTDIR -f gcc
}

step_python() {
	local files
	need_packages /usr/bin/python3=python3 pyflakes3=pyflakes3
	mapfile -t files < <(files_of '*.py')
	# Not by py_compile, which leaves files in the tree.
	/usr/bin/python3 -I -W error -c '
import sys
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        compile(file.read(), path, "exec")
' "${files[@]}" && pyflakes3 "${files[@]}"
}
