# Rasd: each target does the set-up that it needs and says what it is doing. Nothing is fetched once installed.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: install demo test lint bench clean help

help:
	@echo "make demo [ONCE=1] [PHOTO=path [TRUTH=number] [LAST=number]]   the main job, end to end, on this machine"
	@echo "make demo YEAR=1 [ONCE=1]   twelve made-up reading months, and what came of them"
	@echo "make test      lint, types, import law and the whole suite"
	@echo "make install   .venv with .venv/bin/rasd"
	@echo "make lint      ruff, mypy and the import law only"
	@echo "make bench     the measurements of bench/"

install: .venv/.base

.venv/.venv:
	@test -n "$(PYTHON)" || { echo "Rasd needs Python 3.11 or later with venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "» making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.base: requirements/base.txt requirements/base.in pyproject.toml | .venv/.venv
	@echo "» installing what Rasd runs on (pinned, hashes checked)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/base.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.base
	@echo "» installing what its tests need (pinned, hashes checked)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

LOCALES := $(wildcard src/rasd/locale/*/LC_MESSAGES/django.po)

.PHONY: catalogues
catalogues: $(LOCALES:.po=.mo)

%.mo: %.po .venv/.base
	@echo "» compiling $<"
	@$(BIN)/python -c "import polib, sys; polib.pofile('$<').save_as_mofile('$@')"

install: catalogues

demo: install
	@$(BIN)/rasd demo $(if $(YEAR),--year) $(if $(ONCE),--once) $(if $(PHOTO),--photo "$(PHOTO)") $(if $(TRUTH),--truth "$(TRUTH)") $(if $(LAST),--last "$(LAST)") $(if $(PORT),--port $(PORT))

lint: .venv/.dev catalogues
	@echo "» ruff";         $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "» mypy";         $(BIN)/mypy
	@echo "» import law";   $(BIN)/lint-imports

test: lint
	@sh tests/need_browser.sh
	@echo "» pytest"
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: install
	@$(BIN)/rasd bench all

clean:
	rm -rf .venv .rasd-test .mypy_cache .ruff_cache .pytest_cache .hypothesis
