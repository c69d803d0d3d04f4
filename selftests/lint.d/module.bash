# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # lint's variables
#
# The module: with all warnings, under sparse, and before the kernel's semantic
# patches.

# build_module STEP KERNEL VARIABLE=VALUE...: in a folder of the step's own, so that
# all is compiled. Each line of output is a remark.
build_module() {
	local kernel=$2 dir=$work/$1 kdir file targets=()
	shift 2
	need_packages make=make gcc=gcc
	kdir=$("$vm_dir/fetch" --kdir "$kernel") || return
	mkdir -p "$dir/kmod"
	cp kmod/*.[ch] "$dir/kmod" && cp -r Kbuild uapi "$dir" || return
	for file in "${given[@]}"; do
		targets+=("${file%.c}.o")
	done
	[ ${#targets[@]} -gt 0 ] || targets=(modules)
	make -s -C "$kdir" M="$dir" CONFIG_DEBUG_INFO_BTF_MODULES= "$@" \
		"${targets[@]}" >"$dir/log" 2>&1 ||
		echo "make: status $?" >>"$dir/log"
	# Of a machine whose compiler is not the kernel's.
	sed -i -e '/the compiler differs from the one used/d' \
		-e '/^  The kernel was built by: /d' \
		-e '/^  You are using: /d' -e "s|$dir/||g" "$dir/log"
	cat "$dir/log"
	[ ! -s "$dir/log" ]
}

step_w1_6.1() {
	build_module w1-6.1 6.1 W=1
}

step_w1_6.12() {
	build_module w1-6.12 6.12 W=1
}

step_sparse_6.1() {
	need_packages sparse=sparse
	build_module sparse-6.1 6.1 C=2
}

step_sparse_6.12() {
	need_packages sparse=sparse
	build_module sparse-6.12 6.12 C=2
}

# Names of semantic patches, without those that the list leaves out.
semantic_patches() {
	local scripts=$1 list=$lint_dir/coccinelle.list name
	(
		cd "$scripts" || exit
		find . -name '*.cocci' | sed -e 's|^\./||' -e 's|\.cocci$||' | sort
	) >"$work/coccinelle.names"
	awk -F '\t' '!/^#/ && NF { print $1 }' "$list" >"$work/coccinelle.skip"
	while read -r name; do
		grep -qx -F -- "$name" "$work/coccinelle.names" ||
			echo "$list: no $name there" >>"$work/coccinelle.log"
	done <"$work/coccinelle.skip"
	grep -vx -F -f "$work/coccinelle.skip" "$work/coccinelle.names"
}

# With the folder instead of the files spatch parses only those that have the words
# that a patch needs.
step_coccinelle() {
	local scripts name dir=$work/coccinelle
	need_packages spatch=coccinelle
	scripts=$("$selftests_dir/harness" --scripts)/coccinelle || return
	mkdir -p "$dir"
	files_of 'kmod/*.[ch]' | xargs cp -t "$dir" || return
	: >"$work/coccinelle.log"
	semantic_patches "$scripts" >"$work/coccinelle.todo"
	[ -s "$work/coccinelle.todo" ] || return
	while read -r name; do
		timeout 120 spatch -D report --very-quiet --no-show-diff \
			--no-includes --include-headers \
			--cocci-file "$scripts/$name.cocci" --dir "$dir" \
			</dev/null >"$work/coccinelle.out" \
			2>"$work/coccinelle.err" || {
			echo "spatch: status $?"
			cat "$work/coccinelle.err"
		} >>"$work/coccinelle.out"
		sed "s|^|$name: |" "$work/coccinelle.out"
	done <"$work/coccinelle.todo" >>"$work/coccinelle.log"
	sed "s|$dir|kmod|g" "$work/coccinelle.log"
	[ ! -s "$work/coccinelle.log" ]
}
