# Two commands for the newcomer: `make demo` and `make test`; `make help` for the rest.
# Each target prepares what it needs and says what it does; nothing is touched outside this folder
# but, with root and apt, the Debian packages that the tests talk to.

PYTHON ?= python3
VENV := .venv
DEBIAN_VENV := .venv-debian
DEBIAN_PYTHON := /usr/bin/python3
PEERS := .peers
DEBIAN_PEERS := scep strongswan-pki libstrongswan-extra-plugins iproute2 openssl groff-base \
  strace libseccomp2 linux-libc-dev mmdebstrap arch-test \
  debhelper dh-python lintian systemd-container
# Package:service. The tests run these servers themselves; as services they are not wanted.
SERVERS := openssh-server:ssh ser2net:ser2net certmonger:certmonger
DEBIAN_RUNTIME := python3-cryptography python3-serial python3-venv
ROOMS := agent hal platforms tools
# Three on two cores: many tests wait for the other end. Each begins in another room, so that tests
# that wait run beside tests that compute, and a module's fixtures are made once.
PYTEST_ARGS ?= -n 3 --dist worksteal -q
DEMO := $(VENV)/bin/python -m tools.demo
# Without compiled files each process of a test run rewrites the asserts of all tests (ten seconds).
unexport PYTHONDONTWRITEBYTECODE
# What depends on the versions of libraries and interpreter runs on those of Debian 12 as well.
DEBIAN_TESTS = tests/scep $(wildcard tests/*/test_contract_*.py) \
  tests/hal/test_confinement.py tests/hal/test_confinement_calls.py tests/hal/test_confinement_rig.py \
  tests/hal/test_cbor.py tests/hal/test_records.py tests/hal/test_store.py tests/hal/test_serialport.py \
  tests/device/test_device.py tests/device/test_device_boot.py tests/device/test_keypairs.py \
  tests/device/test_realms.py tests/whole/test_enrol_micromdm.py tests/whole/test_serial_console.py

.PHONY: deb wheel router axe help demo console test quick cov lint docs format clean peers packages peers-java bench fuzz atheris fuzz-decoders nightly netns confinement

help:
	@echo 'make demo     from an empty board to a verified certificate, and one that renews by itself'
	@echo '              (FAST=1: no pauses, KEEP=1: leaves its folder, BOARD=file: a real board)'
	@echo '              an example of that file: $(VENV)/bin/python -m tools.demo --help'
	@echo 'make console  a prompt at a simulated board with a lab CA; Ctrl+] leaves'
	@echo 'make test     prepare, lint, and run all tests (newest packages, then Debian 12 ones)'
	@echo '              (ROOM=enrolment: the tests of tests/enrolment alone)'
	@echo 'make quick    lint, the house rules, and all tests that need no process of ours or of others'
	@echo '              and no patience (a minute)'
	@echo 'make cov      the core by its own tests alone: each line, each branch (ROOM=scep: the figures'
	@echo '              of one room)'
	@echo 'make peers    with Go: build step-ca and micromdm; with maven: fetch jscep (some minutes, once);'
	@echo '              make test uses them'
	@echo 'make lint     ruff and mypy --strict'
	@echo 'make format   rewrite the sources the way lint wants them'
	@echo 'make docs     everything in docs/ that is generated'
	@echo 'make bench    what it costs, beside other clients (some minutes); writes docs/BENCHMARKS.md'
	@echo 'make interop  every server and client that is not ours; writes docs/interop.md (minutes)'
	@echo 'make clients  automation that knows VRP, unchanged, at a real agent: Netmiko, scrapli, NAPALM,'
	@echo '              nornir, Ansible, hier_config, RANCID, and what Oxidized asks (minutes, root)'
	@echo 'make netns    source binding in random networks, each segment watched (minutes, root)'
	@echo 'make confinement  what a job child can do, by strace and by children that try (minutes, root);'
	@echo '              writes docs/confinement.md'
	@echo 'make fuzz     a million inputs for the console, and as many for the decoders (some'
	@echo '              minutes each), seeded; make fuzz-decoders: those alone'
	@echo 'make atheris  the decoders again, led by coverage (SECONDS=600)'
	@echo 'make unbroken a certificate that never lapses: a quarter of an hour of killed agents, dead'
	@echo '              links, absent CAs and wrong clocks (root; UNBROKEN_ARGS="--seconds 60 --rate 5")'
	@echo 'make sim      in virtual time: herds of 10,000 devices, and ten years without a clock'
	@echo 'make deb      the package for Debian 12 and 13, in build/deb'
	@echo 'make wheel    wheel and source distribution for pip, in build/wheel'
	@echo 'make router   the package in a container that boots, from nothing to purge (minutes, root)'
	@echo 'make axe      upgrades of it whose dpkg is killed at each of its calls (hours; AXE_ARGS="--every 10")'
	@echo 'make nightly  all the long ones'
	@echo 'make clean    remove what the targets above have made'

demo: $(VENV)/ready
	@$(DEMO) $(if $(FAST),--fast) $(if $(KEEP),--keep) $(if $(BOARD),--board '$(BOARD)')

console: $(VENV)/ready
	@$(DEMO) --console $(if $(KEEP),--keep)

ifdef ROOM
test: $(VENV)/ready
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS) tests/$(ROOM)
else
test: lint $(DEBIAN_VENV)/ready
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS)
	@if [ -s $(DEBIAN_VENV)/ready ]; then \
	  echo '== the same on the packages of Debian 12'; \
	  $(DEBIAN_VENV)/bin/python -m pytest $(PYTEST_ARGS) $(DEBIAN_TESTS); \
	else echo '== skipped: the packages of Debian 12 are not here (it needs root and apt once)'; \
	  test -z "$$CI"; fi
endif

# The marks are explained in pyproject.toml. Folders of which nothing is left are not even read.
# Two on two cores: nobody waits, and each process reads all tests.
quick: lint
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS) -n 2 -m 'not (peers or lab or slow)' \
	  --ignore=tests/whole --ignore=tests/lab_ca --ignore=tests/rigs

# Module or room -> the tests that cover all of its lines and branches without any other test.
COVERED := agent.enrolment=tests/enrolment \
  agent.scep.ber=tests/scep/test_ber.py \
  agent.scep.caset=tests/scep/test_caset.py \
  agent.scep.trust=tests/scep/test_trust.py,tests/scep/test_trust_certificate.py \
  hal.log_format=tests/hal/test_log_format.py \
  hal.log_records=tests/hal/test_log_records.py \
  hal.log_values=tests/hal/test_log_values.py \
  hal.log_scan=tests/hal/test_log_scan.py \
  hal.store=tests/hal/test_store.py,tests/hal/test_store_faults.py,tests/hal/test_store_rot.py
COV = $(VENV)/bin/python -m pytest $(PYTEST_ARGS) --cov-branch --cov-report=term-missing
cov: $(VENV)/ready
ifdef ROOM
	$(COV) --cov=$(firstword $(wildcard agent/$(ROOM)) $(filter hal platforms tools,$(ROOM)) agent) tests/$(ROOM)
else
	@for row in $(COVERED); do \
	  $(COV) --cov="$${row%=*}" --cov-fail-under=100 \
	    $$(echo "$${row#*=}" | tr , ' ') || exit 1; \
	done
endif

lint: $(VENV)/ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(VENV)/ready
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/ready | packages
	$(VENV)/bin/python -m tools.bench --write docs/BENCHMARKS.md

.PHONY: interop
interop: $(VENV)/ready | peers
	$(VENV)/bin/python -m tests.rigs.interop

# Root: an environment of its own, since each of these clients wants its own versions.
CLIENTS := build/clients
.PHONY: clients
clients: $(VENV)/ready $(CLIENTS)/ready | packages
	@dpkg -s rancid >/dev/null 2>&1 || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { \
	  echo '== installing rancid'; apt-get update -qq; $(APT_INSTALL) rancid >/dev/null; }
	$(VENV)/bin/python -m tests.rigs.clients --python $(CLIENTS)/bin/python

$(CLIENTS)/ready: requirements/clients.txt
	@echo '== preparing $(CLIENTS): pinned clients from the Python package index'
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

# Root: every segment of some hundred jobs in random networks of their own (tests/rigs/binding).
NETNS_ARGS ?= --topologies 240 --seed 1
netns: $(VENV)/ready
	$(VENV)/bin/python -m tests.rigs.binding $(NETNS_ARGS)

# The package, and what becomes of it on a router (docs/service.md).
deb: $(VENV)/ready
	@$(VENV)/bin/python -m tools.deb

wheel: $(VENV)/ready
	@$(VENV)/bin/python -m tools.wheel

router: $(VENV)/ready
	$(VENV)/bin/python -m tests.rigs.router

AXE_ARGS ?=
axe: $(VENV)/ready
	$(VENV)/bin/python -m tests.rigs.axe $(AXE_ARGS)

# The real engine and device in virtual time (tools/sim); some minutes.
.PHONY: sim
sim: $(VENV)/ready
	$(VENV)/bin/python -m tools.sim herd --seed "$$(git rev-parse HEAD)"
	$(VENV)/bin/python -m tools.sim timeless --seed "$$(git rev-parse HEAD)"

# Root: agent and CA in two name spaces, in real time (tests/rigs/unbroken).
.PHONY: unbroken
UNBROKEN_ARGS ?= --seconds 900
unbroken: $(VENV)/ready
	$(VENV)/bin/python -m tests.rigs.unbroken $(UNBROKEN_ARGS) --seed "$$(git rev-parse HEAD)"

# Root: each operation under strace, and children that were taken over, in five environments.
confinement: $(VENV)/ready | packages
	$(VENV)/bin/python -m tools.confinement --write docs/confinement.md

fuzz: $(VENV)/ready fuzz-decoders
	$(VENV)/bin/python -m tools.fuzz

# Begins with what the lab CA says with each of its quirks, which is kept below build/.
fuzz-decoders: $(VENV)/ready
	$(VENV)/bin/python -m tools.fuzz.decoders

# The same decoders, led by the coverage of the code; SECONDS of it.
SECONDS ?= 600
atheris: $(VENV)/ready build/atheris/ready
	PYTHONPATH=build/atheris $(VENV)/bin/python -m tools.fuzz.decoders.guided --seconds $(SECONDS)

build/atheris/ready: requirements/atheris.txt $(VENV)/ready
	@echo '== preparing build/atheris'
	$(VENV)/bin/pip install -q --disable-pip-version-check --upgrade --target build/atheris \
	  -r requirements/atheris.txt
	@touch $@

# The long rigs, one after the other; each ends with a line of figures.
nightly: fuzz netns cov unbroken sim router axe
	$(VENV)/bin/python -m pytest -q -n 2 --hypothesis-profile=nightly \
	  tests/console/test_command_sequences.py tests/scep/test_twosided*.py
	$(VENV)/bin/python -m tests.planted
	$(VENV)/bin/python -m tests.rigs.engine_graph
	$(VENV)/bin/python -m tests.rigs.mixtures --count 10000 --seed "$$(git rev-parse HEAD)"
	$(VENV)/bin/python -m tests.rigs.broken_records --count 100000 --seed "$$(git rev-parse HEAD)"
	$(VENV)/bin/python -m tools.bench.herd --count 1000 --seed "$$(git rev-parse HEAD)"

docs: $(VENV)/ready
	$(VENV)/bin/python -m tools.statediagram docs/states.md
	$(VENV)/bin/python -m tools.jobsref docs/JOBS.md
	$(VENV)/bin/python -m tools.cmdref
	$(VENV)/bin/python -m tools.structure.picture docs/DESIGN.md
	$(VENV)/bin/python -m tools.structure.journey docs/journey.md

$(VENV)/ready: requirements/dev.txt pyproject.toml
	@echo '== preparing $(VENV): pinned packages from the Python package index'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q --disable-pip-version-check -r requirements/dev.txt
	$(VENV)/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation \
	  --config-settings editable_mode=compat -e .
	@touch $@

# The stamp is empty where the packages cannot be had, so that the tests can say so.
$(DEBIAN_VENV)/ready: requirements/debian.txt | packages
	@mkdir -p $(DEBIAN_VENV)
	@if $(DEBIAN_PYTHON) -c 'import cryptography, serial, venv, ensurepip' 2>/dev/null; then \
	  echo '== preparing $(DEBIAN_VENV): the runtime packages of Debian, pytest from the index'; \
	  $(DEBIAN_PYTHON) -m venv --system-site-packages $(DEBIAN_VENV) && \
	  $(DEBIAN_VENV)/bin/pip install -q --disable-pip-version-check -r requirements/debian.txt && \
	  echo ready > $@; \
	else : > $@; fi

# With root and apt: the peers of the interoperability tests and the runtime packages of Debian.
APT_INSTALL := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
packages:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  dpkg -s $(DEBIAN_PEERS) $(DEBIAN_RUNTIME) $(foreach s,$(SERVERS),$(firstword $(subst :, ,$s))) \
	    >/dev/null 2>&1 || apt-get update -qq; \
	  dpkg -s $(DEBIAN_PEERS) $(DEBIAN_RUNTIME) >/dev/null 2>&1 || { \
	    echo '== installing $(DEBIAN_PEERS) $(DEBIAN_RUNTIME)'; \
	    $(APT_INSTALL) $(DEBIAN_PEERS) $(DEBIAN_RUNTIME) >/dev/null; }; \
	  for server in $(SERVERS); do dpkg -s "$${server%:*}" >/dev/null 2>&1 || { \
	    echo "== installing $${server%:*}; its service stays off"; \
	    $(APT_INSTALL) "$${server%:*}" >/dev/null || exit 1; \
	    systemctl disable --now "$${server#*:}" >/dev/null 2>&1 || \
	      echo '== no systemd here: nothing to switch off'; }; done; \
	fi

# With Go: the CAs that no distribution has. The name of a file tells its version, so what is there
# is done. Go keeps its caches where it always does; without a home that can be written to, here.
# cgo is off, because step-ca would want the library of a card reader.
peers: packages peers-java
	@command -v go >/dev/null || { echo '== no Go here: step-ca and micromdm are not built'; exit 0; }; \
	[ -w "$${HOME:-/nowhere}" ] || \
	  export HOME="$(CURDIR)/$(PEERS)/home" GOFLAGS="$$GOFLAGS -modcacherw"; \
	for command in $$(grep '^[^#]' requirements/peers.txt); do \
	  name="$${command##*/}"; [ ! -x "$(PEERS)/$$name" ] || continue; \
	  echo "== building $$name, by Go from its module proxy"; \
	  GOBIN="$(CURDIR)/$(PEERS)/new" CGO_ENABLED=0 go install -ldflags='-s -w' "$$command" || { \
	    echo "== $$name was not built (see above); the tests that need it will be skipped"; exit 1; }; \
	  mv "$(PEERS)/new/$${name%@*}" "$(PEERS)/$$name"; \
	done

# With maven: jscep and a container for its servlet, pinned in tests/peers/jscep/pom.xml. Where Maven
# Central does not answer, the tests that want them say so.
JSCEP := $(PEERS)/jscep
MAVEN_COPY := org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies
peers-java: $(JSCEP)/ready

$(JSCEP)/ready: tests/peers/jscep/pom.xml
	@rm -rf $(JSCEP); mkdir -p $(PEERS); if command -v mvn >/dev/null; then \
	  echo '== fetching jscep from Maven Central'; \
	  timeout 300 mvn -q -B -f $< $(MAVEN_COPY) -DincludeScope=runtime \
	    -DoutputDirectory=$(CURDIR)/$(JSCEP) >$(JSCEP).log 2>&1 && touch $@ || \
	    { cat $(JSCEP).log; echo '== skipped: jscep cannot be had'; }; \
	else echo '== skipped: no maven, no jscep'; fi

clean:
	rm -rf $(VENV) $(DEBIAN_VENV) $(PEERS) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
