# SPDX-License-Identifier: Apache-2.0
# meson and ninja do the work; these are the commands worth remembering.
.PHONY: all run test test-kernels asan fuzz fmt check bench bench-live soak status docs install clean
FUZZ_SECONDS ?= 60
export FUZZ_SECONDS

all:
	@tools/setup build
	@said=$$(ninja -C build --quiet saker 2>&1) || { echo "$$said" >&2; exit 1; }

# D: seconds
run: all
	@tools/run $(D)

test:
	@tools/setup build test
	@tools/test build build-asan

test-kernels:
	@tools/setup build test kernels
	@tools/kernels

asan:
	@tools/setup test
	@tools/test build-asan

fuzz:
	@tools/setup fuzz
	@tools/fuzz

fmt:
	@tools/setup test
	@tools/format --write

check:
	@tools/setup build test fuzz analyze
	@tools/analyze
	@tools/fuzz
	@tools/test build build-asan

bench: all
	@bench/run --saker build/saker

bench-live: all
	@tools/setup test
	@bench/live --saker build/saker

soak: all
	@ninja -C build tests/live/actor
	@SAKER_FAULTS=long tests/live/faults.py build/tests/live/actor
	@SAKER_SOAK_SECONDS=$${SAKER_SOAK_SECONDS:-1800} tests/live/soak.py

status: all
	@tools/setup test fuzz
	@tools/status $(FLAGS)

docs: all
	@tools/reference --write

install: all
	@ninja -C build --quiet saker && meson install -C build --quiet --no-rebuild

clean:
	rm -rf build build-asan build-fuzz build-coverage
