# SPDX-License-Identifier: GPL-2.0-only
# The goals of a user and of a developer: "make help" lists them.  Each
# directory builds itself; this file says in which order, and from which other
# goals.  Everything that is made lies below build/.

KERNELS ?= 6.12 6.1
prefix ?= /usr/local
# A real file of 105 MiB; any that this machine can read will do.
INPUT ?= /usr/lib/x86_64-linux-gnu/libLLVM-14.so.1
T ?= *
# Test files that run at a time.  Under emulation a guest keeps between one and
# two processors busy.
JOBS ?= 2

export prefix DESTDIR

MAKEFLAGS += --no-print-directory
comma := ,
step = @echo "==> $(1)"

all: modules user

help:
	@echo 'make            module (for kernels $(KERNELS)), library, tool, examples, demo'
	@echo 'make run        demo in a guest with a stock kernel; INPUT=FILE KERNEL=6.1'
	@echo 'make check      all tests; T=NAME for one: T=guest-6.12-4lvl-pti; JOBS=1: one at a time'
	@echo 'make check-debug  the tests in guests on kernels with KASAN, lockdep, failing allocations; KCSAN'
	@echo 'make mutants    show that tests fail when a protection is taken out of the module'
	@echo 'make programs   databases, caches, git, compilers and stressors on morselfs; KERNEL=6.1'
	@echo 'make fuzz       random operations against a model, ten minutes; SEED= SECONDS= KERNEL=6.1'
	@echo 'make crash      a pool after a crash at any store of any operation, in user space; machines that'
	@echo '                stop after each store of one, two hours, OPERATIONS=NAME; and that are killed'
	@echo '                under a load, an hour; STATES= SEED= CYCLES= KERNEL=6.1'
	@echo 'make bench      all benchmarks beside their peers, about 140 minutes without KVM; B=NAME KERNEL=6.1'
	@echo 'make report     figures, tables and bars of what make bench left: build/bench/report/report.html'
	@echo 'make shell      prompt in a guest with the module; KERNEL=6.1'
	@echo 'make install    library, tool, manual, udev rule, DKMS source; prefix= DESTDIR='
	@echo 'make deb        Debian packages (DKMS module, library, tool) into build/deb'
	@echo 'make clean      all of build/; kernels stay in the cache'

modules: $(KERNELS:%=module-%)

module-%: deps-build
	@$(MAKE) -C kernel KERNEL=$*

# One that can stop the machine; see kernel/crash.c.
module-%-crash: deps-build
	@$(MAKE) -C kernel KERNEL=$* CRASH=1

user: lib tools examples demo morsel-bench

tools examples demo morsel-bench: lib

lib tools examples demo: deps-build
	@$(MAKE) -C $@

morsel-bench: deps-build
	@$(MAKE) -C bench

tests: lib
	@$(MAKE) -C tests/unit
	@$(MAKE) -C tests/guest
	@$(MAKE) -C tests/fuzz
	@$(MAKE) -C tests/fs
	@$(MAKE) -C tests/crash
	@$(MAKE) -C tests/pmem
	@$(MAKE) -C tests/tools

deps-%:
	@scripts/deps $*

run: KERNEL ?= 6.12
run: deps-run
	@test -r '$(INPUT)' || { echo 'cannot read INPUT=$(INPUT)' >&2; exit 1; }
	$(call step,building the module for the stock $(KERNEL) kernel and the demo)
	@$(MAKE) module-$(KERNEL) demo
	$(call step,starting a guest that puts $(INPUT) into a morsel)
	@vm/run --kernel $(KERNEL) -- build/demo/morsel-demo "$$(realpath '$(INPUT)')"

check: deps-check
	$(call step,building everything for kernels $(KERNELS) 6.12-cloud)
	@$(MAKE) all tests KERNELS='$(KERNELS) 6.12-cloud'
	$(call step,running the tests; a guest takes a few minutes without KVM)
	@prove --jobs $(JOBS) --timer --failures --comments --exec '' $(or $(sort $(wildcard tests/$(T).t)),$(error there is no tests/$(T).t))

check-debug: deps-check
	$(call step,building kernels 6.12-debug and 6.12-kcsan$(comma) once and for the cache$(comma) and all for them)
	@scripts/kernel 6.12-debug
	@scripts/kernel 6.12-kcsan
	@$(MAKE) module-6.12-debug module-6.12-kcsan user tests
	$(call step,running the tests on them; an hour and a half without KVM)
	@prove --timer --failures --comments --exec '' $(or $(sort $(wildcard tests/debug/$(T).t)),$(error there is no tests/debug/$(T).t))

mutants: deps-check
	$(call step,building everything for kernel 6.12)
	@$(MAKE) all tests KERNELS=6.12
	$(call step,taking one protection at a time out of the module)
	@prove --timer --exec '' --verbose scripts/mutants

programs: KERNEL ?= 6.12
programs: deps-programs
	$(call step,building everything for kernel $(KERNEL))
	@$(MAKE) module-$(KERNEL) user tests
	$(call step,running programs that know nothing of morsels on morselfs; half an hour without KVM)
	@vm/run --kernel $(KERNEL) --mem 4G --timeout 7200 -- tests/fs/guest -t 1800 -- \
		$(notdir $(wildcard tests/fs/programs/*.sh))

crash: KERNEL ?= 6.12
crash: STATES ?= 1000000
crash: CYCLES ?= 200
crash: deps-check
	$(call step,building everything for kernel $(KERNEL))
	@$(MAKE) module-$(KERNEL) module-$(KERNEL)-crash user tests
	$(call step,crashes of a pool in user space at every store of every operation$(comma) $(STATES) of them)
	@build/tests/crash/crash -n $(STATES) $(SEED:%=-s %) >build/tests/crash/log; \
		status=$$?; grep -v '^ok' build/tests/crash/log; exit $$status
	$(call step,a crash in the kernel after each store of metadata of $(or $(OPERATIONS),each operation))
	@tests/pmem/stop -k $(KERNEL) $(OPERATIONS)
	$(call step,a machine that stops after each store of one operation)
	@tests/pmem/stop -r -k $(KERNEL) chmod
	$(call step,a machine with a file system on persistent memory is killed under a load$(comma) $(CYCLES) times)
	@tests/pmem/kill -k $(KERNEL) -n $(CYCLES) $(SEED:%=-s %)

fuzz: KERNEL ?= 6.12
fuzz: SECONDS ?= 600
fuzz: CPU ?= max
fuzz: deps-check
	$(call step,building everything for kernel $(KERNEL))
	@$(MAKE) module-$(KERNEL) user tests
	$(call step,$(SECONDS) s of random operations by several processes in a guest with kernel $(KERNEL))
	@vm/run --kernel $(KERNEL) --cpu $(CPU) --timeout $$(($(SECONDS) + 300)) -- \
		build/tests/guest/fuzz --seconds $(SECONDS) $(SEED:%=--seed %)

bench: KERNEL ?= 6.12
bench: deps-bench
	$(call step,building everything for kernel $(KERNEL))
	@$(MAKE) module-$(KERNEL) lib tools morsel-bench
	$(call step,running $(or $(B),all benchmarks); results go to build/bench)
	@KERNEL=$(KERNEL) bench/run $(B)

report: deps-bench
	@bench/report

shell: KERNEL ?= 6.12
shell: deps-run
	@$(MAKE) module-$(KERNEL) user tests
	$(call step,starting a guest with kernel $(KERNEL); leave it with exit)
	@vm/run --kernel $(KERNEL)

install: lib tools morsel-bench
	@$(MAKE) -C lib install
	@$(MAKE) -C tools install
	@$(MAKE) -C bench install
	@$(MAKE) -C man install
	@$(MAKE) -C kernel install
	install -d $(DESTDIR)/usr/lib/udev/rules.d $(DESTDIR)/usr/lib/sysusers.d
	install -m 644 udev/60-morsel.rules $(DESTDIR)/usr/lib/udev/rules.d
	install -m 644 udev/morsel-sysusers.conf $(DESTDIR)/usr/lib/sysusers.d/morsel.conf

deb: deps-deb
	@scripts/deb

clean:
	rm -rf build

.PHONY: all help modules user lib tools examples demo tests run check check-debug mutants programs crash fuzz bench report morsel-bench shell install deb clean
