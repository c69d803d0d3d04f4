# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # install_test.sh's variables
#
# make sign, and what a kernel that wants signatures says of it.

# make_key NAME
make_key() {
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 36500 -subj "/CN=$1/" \
		-addext extendedKeyUsage=codeSigning \
		-keyout "$work/$1.key" -outform DER -out "$work/$1.der"
}

sign_with() {
	make_old sign SIGN_KEY="$work/$1.key" SIGN_CERT="$work/$1.der"
}

# verify FILE NAME: the signature that is appended is of what stands before it, by
# the key of that name.
verify() {
	local size length
	size=$(stat -c %s "$1")
	length=$((16#$(tail -c 32 "$1" | head -c 4 | od -An -t x1 | tr -d ' ')))
	head -c $((size - length - 40)) "$1" >"$work/content"
	tail -c $((length + 40)) "$1" | head -c "$length" >"$work/signature"
	openssl x509 -inform DER -in "$work/$2.der" -out "$work/$2.pem" &&
		openssl cms -verify -binary -inform DER -in "$work/signature" \
			-content "$work/content" -certfile "$work/$2.pem" \
			-nointern -noverify -out /dev/null
}

test_sign() {
	local module=$work/old/kmod/build/$release/privheap.ko
	check "a key" make_key first
	check "another key" make_key second
	cp "$module" "$work/unsigned.ko"
	! run make_old sign SIGN_KEY="$work/none.key" SIGN_CERT="$work/none.der"
	result "make sign without a key is refused" $?
	check "and has changed nothing" cmp "$module" "$work/unsigned.ko"
	check "make sign" sign_with first
	check "the signature is of the module, by the key" verify "$module" first
	check "what is signed is what was built" cmp "$work/content" "$work/unsigned.ko"
	! run verify "$module" second
	result "and by no other key" $?
	check "make sign with another key" sign_with second
	check "that one's signature" verify "$module" second
	check "is the only one" cmp "$work/content" "$work/unsigned.ko"
	check "make install" make_old install DESTDIR="$work/signed"
	check "installs the signed one" \
		cmp "$module" "$work/signed/lib/modules/$release/updates/privheap.ko"

	cp "$module" "$work/signed.ko"
	# The second's signature over something else.
	cp "$module" "$work/damaged.ko"
	printf x | dd of="$work/damaged.ko" bs=1 seek=5000 conv=notrunc status=none
	! run verify "$work/damaged.ko" second
	result "a changed module has no valid signature" $?
	# The guest's kernel knows none of the keys, and tells the two apart.
	boot "a kernel that wants signatures takes neither" 0 --no-module \
		-a module.sig_enforce=1 -f "$work/unsigned.ko" -f "$work/signed.ko" \
		--log "$work/log" -- sh -c "! insmod $work/unsigned.ko; ! insmod $work/signed.ko"
	grep -q 'unsigned module is rejected' "$work/log"
	result "the unsigned one has no signature" $?
	grep -q 'module with unavailable key is rejected' "$work/log"
	result "the signed one has one, of a key that it does not know" $?
}
