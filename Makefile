# SPDX-License-Identifier: GPL-2.0-only
# The entrance; what is done is in scripts/ and tests/.

KERNEL ?= 6.12
DEBUG ?= 0
STOCK ?= 0
ARCH ?= x86
PAGES ?= 4k
SCENARIO ?=
MUTANT ?=
SERIES ?=
STORY ?=
BINARY ?=
QUICK ?= 0
FRAMES ?= 0
GL ?= 0

PYTHON := python3
export KERNEL DEBUG STOCK ARCH PAGES
export PYTHONDONTWRITEBYTECODE := 1
MAKEFLAGS += --no-print-directory

CHECKS := $(addprefix check-,checkpatch kernel-doc shellcheck python spdx \
	layers facts w1 headers sparse smatch coccicheck docs)
TARGETS := help demo test test-amdgpu test-amdgpu-package test-qxl test-arm64 test-distro \
	test-igt histories \
	fail-nth mutants census check $(CHECKS) soak bench kernel series series-check deb \
	packages clean distclean cacheclean
.PHONY: $(TARGETS)

ifneq ($(filter-out $(TARGETS),$(MAKECMDGOALS)),)
$(error No such target: $(filter-out $(TARGETS),$(MAKECMDGOALS)); 'make help' lists them)
endif

help:
	@echo 'make demo         build a kernel, hibernate a guest with it, show what happens'
	@echo '                  GL=1 a Debian 13 with weston, sway and Xorg, and OpenGL (5 minutes),'
	@echo '                  STORY=weston only that, CYCLES=10 so many times'
	@echo 'make test         build kernels, run KUnit and the scenarios in QEMU, with debugging'
	@echo '                  most on 6.12, the rest on 7.2 and 7.3; with KERNEL=7.2 all on that'
	@echo 'make test-amdgpu  all scenarios with the model of an MI300X, of which make test has'
	@echo '                  the essence: in the debug kernel of 6.12, and on 7.2'
	@echo 'make test-qxl     the scenarios that hold for a qxl, over one, on 6.12 unless KERNEL is'
	@echo '                  named'
	@echo 'make test-arm64   KUnit and the ways to sleep on arm64, with pages of 4 and of 64 KiB;'
	@echo '                  cross compiled, on 6.12 unless KERNEL is named (20 minutes)'
	@echo 'make histories    random histories of virtio-gpu on a mock host, STEPS=100000 steps'
	@echo '                  in all, from SEED=1 on; make test has 800'
	@echo 'make fail-nth     sleeps in which the n-th allocation, the n-th answer of the host or'
	@echo '                  the n-th command fails, n = 1 until none is left: an hour, and the'
	@echo '                  next run goes on from there; MINUTES=60 is the limit,'
	@echo '                  SERIES=virtio:slab or the like only this'
	@echo 'make mutants      break amdgpu on purpose, see that the scenarios notice (an hour)'
	@echo 'make check        checkpatch, kernel-doc, W=1, sparse, Sphinx and more, a few minutes;'
	@echo '                  make check-NAME is one of them, scripts/check.py --list names them'
	@echo 'make census       what weston, sway and glmark2 of a Debian 13 hold on a GPU with 3D'
	@echo '                  (5 minutes); FRAMES=1 what a submission costs with the census'
	@echo '                  and with restore'
	@echo 'make soak         CYCLES=100 sleeps of one guest in the debug kernel (half an hour),'
	@echo '                  OVER=qemu, own (a host of our own), qxl or gpus (two MI300X)'
	@echo 'make bench        our driver beside upstream'"'"'s own, in 7.3 (an hour)'
	@echo 'make kernel       fetch, hook and build a kernel: build/<kernel>/bzImage'
	@echo 'make series       write what that does as patches for git am: build/series/<kernel>/'
	@echo 'make series-check apply them to a fresh tree; check, compile and boot each step;'
	@echo '                  BOOT=0 boots only the last, AMDGPU=0 does not compile amdgpu,'
	@echo '                  START=n begins with the n-th, COMPILE=0 only asks checkpatch'
	@echo 'make deb          the packages for a stock Debian 13, with DKMS: build/deb/'
	@echo 'make test-amdgpu-package'
	@echo '                  that of amdgpu: built for a stock kernel as DKMS does it, loaded'
	@echo '                  with the model, removed (half an hour)'
	@echo 'make test-distro  install it in a Debian 13 with weston, Xorg and so on, and sleep'
	@echo '                  (long); QUICK=1 only the essence, STORY=name only this'
	@echo 'make test-igt     tests of IGT (Debian forky) with our driver and with the stock one,'
	@echo '                  beside each other, on 7.3 unless KERNEL is named (3 hours);'
	@echo "                  BINARY='kms_vblank kms_flip' only these"
	@echo 'make packages     install the Debian packages needed, if any is missing'
	@echo 'make clean        remove kernels, models, packages, disks; keep sources and results'
	@echo 'make distclean    remove build/'
	@echo 'make cacheclean   remove downloads and compiler cache (~/.cache/drm_virt_pm)'
	@echo
	@echo 'KERNEL=6.12       which kernel; kernels/table lists them'
	@echo 'DEBUG=1           with lockdep, KASAN, UBSAN, kmemleak: build/<kernel>/debug/'
	@echo 'STOCK=1           without our changes, to compare: build/<kernel>/stock/;'
	@echo '                  of make demo: with the stock driver beside ours'
	@echo 'ARCH=arm64        of make kernel: build/<kernel>/arm64/Image; PAGES=64k: arm64-64k/'
	@echo 'REFRESH=1         look whether Debian has a newer source package; make the Debian'
	@echo '                  directories anew that packages, census, test-igt and test-distro use'
	@echo "FROM='Name <mail>'  of make series: author, who signs off as well; of make deb:"
	@echo '                  maintainer'
	@echo 'AMDGPU=1          of make kernel: its modules too, which are amdgpu; make test has it'
	@echo 'SCENARIO=name     of make test: only this one, or several in quotes'
	@echo 'MUTANT=name       of make mutants, likewise; tests/mutants/ has them'

packages:
	@scripts/need-packages
ifneq ($(filter arm64,$(ARCH) $(patsubst test-%,%,$(MAKECMDGOALS))),)
	@scripts/need-packages arm64
endif

kernel: packages
	@$(PYTHON) scripts/kernel.py

ifeq ($(GL),1)
demo: packages
	@scripts/need-packages deb
	@DEBUG=0 STOCK=0 $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/desktops/sleep.py --kernel $(KERNEL) \
		$(if $(filter command environment,$(origin CYCLES)),--cycles $(CYCLES)) $(STORY)
else
demo: packages
	@DEBUG=0 STOCK=0 $(PYTHON) scripts/kernel.py
ifeq ($(STOCK),1)
	@DEBUG=0 STOCK=1 $(PYTHON) scripts/kernel.py
endif
	@$(PYTHON) tests/vm/demo.py --kernel $(KERNEL) \
		$(if $(filter 1,$(STOCK)),--stock)
endif

# All kernels, unless one or a scenario is named.
test: packages
	@$(PYTHON) tests/vm/kernels.py \
		$(if $(SCENARIO)$(filter-out file,$(origin KERNEL)),$(KERNEL)) \
		$(if $(SCENARIO),--scenario $(SCENARIO))

test-amdgpu: packages
	@$(PYTHON) tests/vm/kernels.py --amdgpu \
		$(if $(filter-out file,$(origin KERNEL)),$(KERNEL))

# What can be run over a qxl; make test runs the essence of it.
test-qxl: packages
	@$(PYTHON) tests/vm/kernels.py $(KERNEL) --scenario qxl:all

ARM64_SCENARIOS := s4 s2idle test_resume s4_1000_buffers
test-arm64: packages
	@DEBUG=0 STOCK=0 ARCH=arm64 PAGES=4k $(PYTHON) scripts/kernel.py
	@DEBUG=0 STOCK=0 ARCH=arm64 PAGES=64k $(PYTHON) scripts/kernel.py
	@status=0; for variant in arm64 arm64-64k; do \
		$(PYTHON) tests/vm/run.py --kernel $(KERNEL) --variant $$variant --unit \
			$(ARM64_SCENARIOS) || status=1; \
	done; exit $$status

STEPS ?= 100000
SEED ?= 1
histories: packages
	@STOCK=0 $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/vm/run.py --kernel $(KERNEL) --histories $(STEPS) --seed $(SEED) \
		--variant $(if $(filter 1,$(DEBUG)),debug,normal)

MINUTES ?= 60
fail-nth: packages
	@DEBUG=1 STOCK=0 AMDGPU=1 $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/vm/fail_nth.py --kernel $(KERNEL) --minutes $(MINUTES) $(SERIES)

mutants: packages
	@STOCK=0 AMDGPU=1 $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/vm/mutants.py --kernel $(KERNEL) \
		--variant $(if $(filter 1,$(DEBUG)),debug,normal) $(MUTANT)

check $(CHECKS): packages
	@scripts/need-packages optional
	@$(PYTHON) scripts/check.py $(patsubst check-%,%,$(filter check-%,$@))

series: packages
	@$(PYTHON) scripts/series.py

series-check: packages
	@$(PYTHON) scripts/series_check.py

deb: packages
	@scripts/need-packages deb
	@$(PYTHON) scripts/deb.py

test-amdgpu-package: packages
	@scripts/need-packages deb
	@$(PYTHON) tests/deb/load_amdgpu.py

test-distro: packages
	@scripts/need-packages deb
	@scripts/need-packages distro
	@$(PYTHON) tests/distro/harness/run.py $(if $(filter 1,$(QUICK)),--quick) $(STORY)

census: packages
	@scripts/need-packages deb
	@DEBUG=0 STOCK=0 $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/desktops/census.py --kernel $(KERNEL) \
		$(if $(filter 1,$(FRAMES)),--frames)

# 7.3 has upstream's own hibernation code: that is what we compare ourselves with
NEWEST := $(if $(filter command environment,$(firstword $(origin KERNEL))),$(KERNEL),7.3)
test-igt: packages
	@scripts/need-packages deb
	@KERNEL=$(NEWEST) DEBUG=0 STOCK=1 $(PYTHON) scripts/kernel.py
	@KERNEL=$(NEWEST) DEBUG=0 STOCK=0 $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/igt/run.py --kernel $(NEWEST) $(BINARY)

OVER ?= qemu
CYCLES ?= 100
soak: packages
	@DEBUG=1 STOCK=0 $(if $(filter gpus,$(OVER)),AMDGPU=1) $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/bench/soak.py --kernel $(KERNEL) --cycles $(CYCLES) --over $(OVER)

BENCH_AMDGPU := 7.2
bench: packages
	@KERNEL=$(NEWEST) DEBUG=0 STOCK=1 $(PYTHON) scripts/kernel.py
	@KERNEL=$(NEWEST) DEBUG=0 STOCK=0 $(PYTHON) scripts/kernel.py
	@KERNEL=$(BENCH_AMDGPU) AMDGPU=1 DEBUG=0 STOCK=1 $(PYTHON) scripts/kernel.py
	@KERNEL=$(BENCH_AMDGPU) AMDGPU=1 DEBUG=0 STOCK=0 $(PYTHON) scripts/kernel.py
	@$(PYTHON) tests/bench/bench.py --kernel $(NEWEST) --amdgpu-kernel $(BENCH_AMDGPU)

clean distclean cacheclean:
	@$(PYTHON) scripts/clean.py $@
