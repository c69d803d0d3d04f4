# SPDX-License-Identifier: GPL-2.0-only
#
#   make                the module (for the kernels at hand), library, tests
#   make module KDIR=D  the module for the kernel build tree D
#   make demo           build all, boot a virtual machine, show a heap at work
#   make check          all tests
#   make check-debug    the tests on the kernels that check themselves
#   make soak           a quarter of an hour of races and death, on two kernels
#   make check-kernels  the tests on more kernels, and a table of it
#   make lint           what can be said of the sources without running them
#   make coverage       lines of the library that its tests do not reach
#   make coverage-module  lines and branches of the module that they do not reach
#   make fuzz           fuzz the module for SECONDS (600), in a guest
#   make bench          all benchmarks
#   make bench-heap     those of heaps, without those of regions
#   make fuzz-library   the library's and the tool's parsers under libFuzzer, for
#                       SECONDS (60) each
#   make experiment     experiments with quotas: tables and plots of them
#
#   make install DESTDIR= PREFIX=/usr/local
#                       the module (for the kernels at hand), library, headers, tool,
#                       man pages, udev rule, sysusers and modules-load entries
#   make uninstall      with the same variables: remove them
#   make dkms-install   the module alone, built by DKMS for each kernel that comes
#   make dkms-uninstall
#   make sign           sign the modules, with SIGN_KEY= and SIGN_CERT=
#   make deb            Debian packages of all of it, in lib/build-deb
#
# A module built for kernel release R is left in kmod/build/R/privheap.ko.

ifneq ($(KERNELRELEASE),)
include $(dir $(lastword $(MAKEFILE_LIST)))Kbuild
else

TOP := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
# Kernels at hand: the installed ones whose headers are there, too.
KDIR ?= $(wildcard /lib/modules/*/build)

all: module lib selftests

# Each kernel gets a build folder of its own, made of links to the sources, so
# that kernels do not overwrite each other's objects.
module:
	@test -n "$(strip $(KDIR))" || \
		echo "no kernel headers here: module not built (give KDIR=)"
	@set -e; for kdir in $(KDIR); do \
		$(TOP)/kmod/build.sh "$$kdir"; \
	done

lib:
	$(MAKE) -C $(TOP)/lib

selftests: lib
	$(MAKE) -C $(TOP)/selftests

demo:
	@$(TOP)/selftests/demo

check:
	@$(TOP)/selftests/check

check-debug:
	@$(TOP)/selftests/debug/check

soak:
	@$(TOP)/selftests/death soak

check-kernels:
	@$(TOP)/selftests/check-kernels $(KERNELS)

lint:
	@$(TOP)/selftests/lint

coverage:
	@$(TOP)/selftests/coverage

coverage-module:
	@$(TOP)/selftests/debug/coverage

fuzz:
	@$(TOP)/selftests/fuzz/run $(if $(SECONDS),-s $(SECONDS)) --report

bench:
	@status=0; $(TOP)/selftests/bench/run || status=1; \
		$(TOP)/selftests/bench/run-heap || status=1; exit $$status

bench-heap:
	@$(TOP)/selftests/bench/run-heap

fuzz-library:
	@$(TOP)/selftests/libfuzz/run $(or $(SECONDS),60)

experiment:
	@$(TOP)/selftests/experiments/run

# Both take DESTDIR and PREFIX, which reach them by themselves.
install: module lib
	$(MAKE) -C $(TOP)/lib install
	$(MAKE) -C $(TOP)/kmod/install install KDIR="$(KDIR)"

uninstall:
	$(MAKE) -C $(TOP)/kmod/install uninstall
	$(MAKE) -C $(TOP)/lib uninstall

dkms-install dkms-uninstall:
	$(MAKE) -C $(TOP)/kmod/install $@

sign: module
	$(MAKE) -C $(TOP)/kmod/install sign KDIR="$(KDIR)"

deb:
	@$(TOP)/lib/deb.sh

clean:
	rm -rf $(TOP)/kmod/build
	$(MAKE) -C $(TOP)/lib clean
	$(MAKE) -C $(TOP)/selftests clean
	$(MAKE) -C $(TOP)/selftests/experiments clean
	$(MAKE) -C $(TOP)/selftests/libfuzz clean

.PHONY: all module lib selftests demo check check-debug coverage \
	coverage-module bench bench-heap experiment clean soak fuzz-library fuzz \
	check-kernels lint install uninstall dkms-install dkms-uninstall sign deb
endif
