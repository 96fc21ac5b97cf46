# Two commands do all set-up on a fresh machine: `make run` and `make test`.
# SWIFT may name another toolchain; FLAGS goes to minprom (make run FLAGS='--web.listen-address=:9099').

SWIFT ?= swift
FLAGS ?=
SOAK ?= 200

.PHONY: help setup build run demo test soak bench fuzz format lint docs clean

help:            ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup:           ## install missing system packages, fetch uPlot
	@scripts/setup.sh

build: setup     ## release build
	$(SWIFT) build -c release --product minprom

demo: setup      ## the whole stack without Docker, to be broken and watched (docs/stack.md)
	@scripts/setup.sh --postgres
	$(SWIFT) build -c release
	.build/release/minprom demo $(FLAGS)

run: build       ## build and start minprom on this machine's own data: http://localhost:9090
	.build/release/minprom $(FLAGS)

test: setup      ## all tests, one debug build; the pages' logic where there is a node
	@if command -v node >/dev/null; then node --test Tests/web/*.test.mjs >/dev/null && echo "pages: passed"; fi
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --no-parallel
	@scripts/check-stack.sh

soak: setup      ## the same properties over SOAK times as many cases
	MINPROM_SOAK=$(SOAK) $(SWIFT) test --parallel

bench: build     ## cost of the hot paths (make bench FLAGS='histogram-quantile --series 62000')
	.build/release/minprom bench $(FLAGS)

fuzz:            ## the query parser's fuzzer for a minute (the others' build lines stand in Fuzz/)
	@scripts/fuzz-promql.sh 60

format:          ## rewrite sources as .swift-format says
	$(SWIFT) format --in-place --parallel --recursive Sources Tests Package.swift

lint:            ## fail on what `format` would change or rules forbid
	$(SWIFT) format lint --strict --parallel --recursive Sources Tests Package.swift
	@scripts/lint.sh
	@scripts/check-stack.sh

docs:            ## check that documents name files that exist
	@scripts/check-docs.sh

clean:
	rm -rf .build
