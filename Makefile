# Everything that is done with Offkey from a shell. `make help` lists it.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# What a run takes: make run INPUT="tweets.jsonl.gz more.jsonl.zst" LAKE=s3://bucket/lake NAME=mine
SOURCE ?= file
INPUT ?= examples/sample/justin-bieber.jsonl.gz
# Empty: lake, or, for tweets that nobody wrote, lake-double.
LAKE ?=
NAME = sample
RUNNER ?= local
# How long it listens to a stream, as 30m. Empty: 10m.
FOR ?=
IN_DOCKER = $(if $(filter docker,$(RUNNER)),tools/engine)
# What it searches for (phrases parted by commas), and what it keeps. Empty: everything, and the programs' defaults.
TRACK ?=
LANGUAGES ?=
MUSIC ?=
export SOURCE INPUT LAKE NAME RUNNER FOR TRACK LANGUAGES MUSIC

# What a benchmark takes: see bench/README.md.
TWEETS ?= 1000000
REPEAT ?= 3
ROWS ?= 1000000,2000000,4000000
PEERS ?=
DATA ?=

export CARGO_TARGET_DIR ?= $(CURDIR)/target
export OFFKEY_BIN_DIR ?= $(CARGO_TARGET_DIR)/release
export UV_PYTHON_DOWNLOADS := never
# A machine may forbid Python to keep what it compiled: every start of Airflow would cost two seconds more.
export PYTHONDONTWRITEBYTECODE :=
# Beside the programs: what the tests want and no package manager of this machine need know.
TOOLS ?= $(CARGO_TARGET_DIR)/tools
CARGO ?= cargo
export PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { command -v $$p; break; }; done)
UV := .venv/bin/uv
S3S_FS := $(TOOLS)/bin/s3s-fs

# One choice of packages and one profile for all that is compiled: with another, Cargo would settle on other features and
# compile Polars and the S3 client once more, at seven minutes a time.
PACKAGES := --release --locked --workspace

.PHONY: help
help: ## list these targets
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## */\1\t/p' Makefile | while IFS='	' read -r name does; do printf '  make %-14s %s\n' "$$name" "$$does"; done

.PHONY: run
run: ## take tweets through the whole road, by Airflow: SOURCE INPUT FOR TRACK LAKE NAME RUNNER LANGUAGES MUSIC
	@tools/need cargo cc python $(IN_DOCKER:tools/engine=docker)
	@$(IN_DOCKER) "$(PYTHON)" tools/run.py

.PHONY: build
build: ## compile the programs
	@tools/need cargo cc
	@$(CARGO) build $(PACKAGES)

.PHONY: venv
venv: .venv/run ## make .venv with what a run needs

.venv/bin/uv:
	@tools/need python
	@"$(PYTHON)" -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check uv==0.13.8

.venv/run: requirements/run.txt | .venv/bin/uv
	@$(UV) pip install --quiet --python .venv --require-hashes -r $<
	@touch $@

.venv/test: requirements/test.txt | .venv/bin/uv
	@$(UV) pip sync --quiet --python .venv --require-hashes $<
	@touch $@ .venv/run

.venv/celery: requirements/celery.txt .venv/test
	@$(UV) pip install --quiet --python .venv --require-hashes -r $<
	@touch $@

# The programs of this machine go in, stripped, or, where it is newer than Debian 12, what BUILDER=rust:1-bookworm compiles.
IMAGES = ingest clean featurize quality
BUILDER ?= debian:bookworm-slim
BUILD_IMAGE = docker build --quiet --build-arg BUILDER=$(BUILDER) --build-arg REVISION="$$(git rev-parse HEAD)" -f docker/Dockerfile

.PHONY: images
images: build ## build the images of RUNNER=docker, from the programs as compiled here
	@docker/make-base
	@mkdir -p target/images
	@for program in ingest clean featurize; do strip -o target/images/$$program "$(OFFKEY_BIN_DIR)/$$program"; done
	@for image in $(IMAGES); do $(BUILD_IMAGE) --target $$image -t offkey/$$image . >/dev/null || exit 1; done
	@for program in ingest clean featurize; do docker run --rm offkey/$$program --version >/dev/null || { \
		echo "hint: this machine is newer than the images: make images BUILDER=rust:1-bookworm" >&2; exit 1; }; done
	@base=$$(docker image inspect -f '{{.Size}}' debian:bookworm-slim); for image in $(IMAGES); do \
		size=$$(docker image inspect -f '{{.Size}}' offkey/$$image); \
		echo "offkey/$$image: $$((size / 1000000)) MB, $$(((size - base) / 1000000)) MB above its base"; done

.PHONY: sbom
sbom: .venv/test ## write the images' bills of materials to target/sbom, as CycloneDX
	@for image in $(IMAGES); do .venv/bin/python tools/sbom.py offkey/$$image target/sbom/$$image.cdx.json; done

.PHONY: compose-images
compose-images: images $(S3S_FS) ## build what docker/compose.yaml runs, where no image can be pulled
	@cp $(S3S_FS) target/images/
	@for image in airflow s3; do $(BUILD_IMAGE) --target $$image -t offkey/$$image . >/dev/null; done
	@for image in postgres redis; do docker build --quiet -f docker/services.Dockerfile --target $$image -t offkey/$$image . >/dev/null; done

.PHONY: test
test: ## run every test, Rust and Python, but the long ones
	@tools/need --install cc cargo python strace
	@$(MAKE) build .venv/test $(S3S_FS)
	@failed=0; for tests in rust clients python; do $(MAKE) test-$$tests || failed=1; done; exit $$failed

.PHONY: test-rust
test-rust: ## run the tests of the crates
	@export OFFKEY_S3_SERVER=$(S3S_FS); \
	if $(CARGO) nextest --version >/dev/null 2>&1; \
	then $(CARGO) nextest run $(PACKAGES) --no-fail-fast --show-progress=none --status-level=fail; \
	else $(CARGO) test $(PACKAGES) --quiet; fi

.PHONY: test-python
test-python: .venv/test ## run the tests of the whole, but the long ones: PYTEST="-k road"
	@OFFKEY_S3_SERVER=$(S3S_FS) .venv/bin/python -m pytest tests/python -q -m 'not slow' -rs $(PYTEST)

.PHONY: test-clients
test-clients: build .venv/test ## run foreign clients of X, unmodified, against its double: twarc2, tweepy
	@.venv/bin/python -m pytest tests/clients -q $(PYTEST)

.PHONY: test-long
test-long: build .venv/test $(S3S_FS) ## run the long tests
	@OFFKEY_S3_SERVER=$(S3S_FS) .venv/bin/python -m pytest tests/python -q -m slow -rs --deselect tests/python/test_celery.py $(PYTEST)

.PHONY: test-engine
test-engine: build .venv/test $(S3S_FS) ## run the DAG in containers, on a Docker engine of its own where none runs
	@tools/need --install dockerd debootstrap
	@tools/engine sh -c '$(MAKE) images && OFFKEY_S3_SERVER=$(S3S_FS) .venv/bin/python -m pytest tests/python/test_engine.py -q -rs $(PYTEST)'

.PHONY: test-celery
test-celery: build .venv/celery ## run the DAG on CeleryExecutor: Redis, PostgreSQL, two workers, kill -9 of one
	@tools/need --install redis-server postgres
	@.venv/bin/python -m pytest tests/python/test_celery.py -q -rs -s

.PHONY: lint
lint: ## check format and style; clippy compiles Polars a second time
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy $(PACKAGES) --all-targets -- --deny warnings

.PHONY: bench
bench: build .venv/test ## measure each stage: TWEETS REPEAT ROWS DATA PEERS, see bench/README.md
	@$(UV) pip install --quiet --python .venv rensa==0.5.0 $(if $(PEERS),pycld2==0.42)
	@.venv/bin/python bench/bench.py --tweets $(TWEETS) --repeat $(REPEAT) --rows '$(ROWS)' $(if $(DATA),--data '$(DATA)') $(if $(PEERS),--peers '$(PEERS)')

.PHONY: s3
s3: $(S3S_FS) ## start an S3 server on loopback over the folder S3=target/s3, until Ctrl-C
	@tools/s3 $(S3S_FS) "$(or $(S3),target/s3)"

# Built from source (three minutes), for no Debian has it. Its own folder: it shares no crate with ours.
$(S3S_FS):
	@tools/need cargo cc
	@echo "compiling s3s-fs, an S3 server for tests"
	@$(CARGO) install s3s-fs --version 0.14.1 --features binary --locked --quiet --root "$(TOOLS)" --target-dir "$(TOOLS)/build"
	@rm -rf "$(TOOLS)/build"

.PHONY: sample
sample: ## write the bundled sample anew
	@"$(PYTHON)" examples/sample/generate.py

.PHONY: lock
lock: .venv/bin/uv ## write the Python locks anew: LOCK=--upgrade for newer versions
	@cd requirements && compile="../$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url" && \
		$$compile $(LOCK) run.in -o run.txt && $$compile -c run.txt quality.in -o quality.txt && $$compile -c run.txt test.in -o test.txt && \
		$$compile -c test.txt celery.in -o celery.txt && $$compile -c test.txt kubernetes.in -o kubernetes.txt

.PHONY: clean
clean: ## remove what was compiled and installed; lakes stay
	@rm -rf target .venv .airflow bench/results
