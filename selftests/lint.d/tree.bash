# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2016 # lint's variables; programs for awk and perl
#
# The tree: licences, sizes, white space, and what is where.

# What programs have printed, and inputs of fuzzers.
data=(':!*/fixtures/*' ':!*/corpus/*' ':!*/seeds/*')

# The tag is in the first lines: in a script, behind the interpreter. What cannot
# carry one, is a fixture to be compared, or an input of a fuzzer, has none.
step_licence() {
	files_of ':!COPYING' ':!*.md' ':!*.png' ':!*.abi' "${data[@]}" \
		':!selftests/settings' ':!selftests/config' |
		xargs -d '\n' awk '
	function wanted(file) {
		if (file ~ /^uapi\//)
			return "GPL-2.0-only WITH Linux-syscall-note"
		return file ~ /^lib\// ? "MIT" : "GPL-2.0-only"
	}
	function done(	want) {
		want = wanted(last)
		if (last != "" && tag != want) {
			print last ": \"" tag "\", should be \"" want "\""
			bad = 1
		}
	}
	FNR == 1 {
		done()
		last = FILENAME
		tag = ""
	}
	FNR > 5 { nextfile }
	tag == "" && sub(/.*SPDX-License-Identifier: /, "") {
		sub(/ *\*\/$/, "")
		# As kernel headers have it.
		gsub(/[()]/, "")
		tag = $0
	}
	END {
		done()
		exit bad
	}'
}

step_size() {
	files_of ':!COPYING' ':!*.png' ':!*.abi' | xargs -d '\n' wc -l |
		awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines"; bad = 1 }
		END { exit bad }'
}

step_whitespace() {
	files_of ':!*.png' "${data[@]}" | xargs -d '\n' perl -e '
	my $bad = 0;
	for my $path (@ARGV) {
		open(my $file, "<", $path) or die "$path: $!";
		my $end = "\n";
		while (my $line = <$file>) {
			$end = $line;
			if ($line =~ /[ \t\r]$/) {
				print "$path:$.: white space at its end\n";
				$bad = 1;
			} elsif ($line =~ /^\t* +\t/) {
				print "$path:$.: a blank before a tab\n";
				$bad = 1;
			}
		}
		if ($end !~ /\n$/) {
			print "$path: no newline at its end\n";
			$bad = 1;
		}
	}
	exit $bad;'
}

step_toplevel() {
	local name status=0
	while IFS= read -r name; do
		case $name in
		kmod|uapi|lib|selftests|Kbuild|Makefile|README.md|COPYING|.*) ;;
		*)	echo "$name: what is it doing at the top?"
			status=1 ;;
		esac
	done < <(files_of | cut -d / -f 1 | sort -u)
	return "$status"
}
