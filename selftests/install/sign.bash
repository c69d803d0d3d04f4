# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # install_test.sh's variables
#
# make sign, and what a kernel in Secure Boot says of it.

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

	[ "$(modinfo -F signer "$module")" = second ]
	result "modinfo names the signer" $?

	cp "$module" "$work/unknown.ko"
	cp "$module" "$work/damaged.ko"
	printf x | dd of="$work/damaged.ko" bs=1 seek=5000 conv=notrunc status=none
	! run verify "$work/damaged.ko" second
	result "a changed module has no valid signature" $?
	test_secure_boot "$module"
}

# A firmware that trusts one key, whose owner is everybody, starts a kernel in Secure
# Boot. The kernel takes modules of that key, as it does of keys that a machine's
# owner has enrolled.
test_secure_boot() {
	local module=$1 trusted=/usr/share/ovmf/PkKek-1-snakeoil name
	need_packages sbsign=sbsigntool /usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd=ovmf
	check "the firmware's key" openssl rsa -in "$trusted.key" -passin pass:snakeoil \
		-out "$work/trusted.key"
	check "its certificate" openssl x509 -in "$trusted.pem" -outform DER \
		-out "$work/trusted.der"
	# Debian's own signature is another key's.
	cp "$kernel_dir/vmlinuz" "$work/image.debian"
	check "Debian's signature, off" sbattach --remove "$work/image.debian"
	check "the kernel, signed with it" sbsign --key "$work/trusted.key" \
		--cert "$trusted.pem" --output "$work/image.signed" "$work/image.debian"
	check "make sign with it" sign_with trusted
	cp "$module" "$work/trusted.ko"
	# shellcheck disable=SC2016 # for the guest's shell
	boot "a kernel in Secure Boot" 0 --no-module --log "$work/log" \
		--secure-boot "$work/image.signed" -f "$work/unsigned.ko" \
		-f "$work/unknown.ko" -f "$work/damaged.ko" -f "$work/trusted.ko" -- \
		sh -c 'for name in unsigned unknown damaged trusted; do
			insmod "$0/$name.ko" && echo "takes $name" || echo "refuses $name"
			[ ! -e /dev/privheap ] || rmmod privheap
		done' "$work"
	grep -q 'Kernel is locked down from EFI Secure Boot' "$work/log"
	result "it is locked down" $?
	for name in unsigned unknown damaged; do
		said "refuses the module: $name" out "^refuses $name"
	done
	said "takes the one that make sign has signed with the firmware's key" out \
		"^takes trusted"
}
