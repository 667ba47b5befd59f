# make demo    see it work: simulated images in, transients out
# make test    all tests
# make check   what a change must pass besides: lint, format, types
# make kills   kill who writes ledger and catalogue, a hundred times each
# make bench   how fast it is here
# make faults  break things under runs on a Slurm on this machine, some minutes (root)
# make faults-long   the same for hours, and the tables in docs/explanation/faults.md
# make cluster a Slurm with three nodes on this machine, to try things out (root)
# make cluster-down   end it
# make clean   remove what these made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)

.PHONY: demo test check kills bench faults faults-long cluster cluster-down clean

demo: $(VENV)/runtime
	rm -rf demo
	$(BIN)/trap-hpc demo --out demo

test: $(VENV)/dev
	$(BIN)/pytest --numprocesses=2 --dist=loadfile

check: $(VENV)/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

kills: $(VENV)/dev
	TRAP_HPC_KILLS=100 $(BIN)/pytest -q tests/test_ledger_kills.py \
	    tests/test_run_kills.py

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks

faults: $(VENV)/dev
	$(SUDO) $(BIN)/python -m tests.faults --tries 2 --images 200 --records faults-short.jsonl

# What is in faults.jsonl is not done again: it goes on where it was broken off.
faults-long: $(VENV)/dev
	$(SUDO) $(BIN)/python -m tests.faults --tries 20 --storm 3600 \
	    --write docs/explanation/faults.md

cluster: $(VENV)/runtime
	$(SUDO) $(BIN)/python -m tests.cluster up

cluster-down:
	$(SUDO) $(BIN)/python -m tests.cluster down

clean:
	rm -rf $(VENV) demo build dist

# The marks say that an environment is whole: an interrupted installation has none.
$(VENV)/runtime: pyproject.toml | $(BIN)/pip-25
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/dev: pyproject.toml | $(BIN)/pip-25
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@ $(VENV)/runtime

# Debian's pip is older than dependency groups, which pip knows from 25.1.
$(BIN)/pip-25:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Python 3.11 or newer is needed; name one: make PYTHON=...' >&2; exit 2; }
	@echo "setting up $(VENV), once: this downloads some 200 MB"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@
