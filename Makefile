# Two commands do everything: `make demo` and `make test`. Each makes the environment (.venv) that it needs first.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
LOCKS  := $(wildcard locks/*.txt)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check env lock sbom debian format site clean

demo: env            ## install, then run the main job on synthetic radiographs and write a report
	$(BIN)/evenray demo

test: $(VENV)/.tests debian   ## install what tests need and run them all, in parallel
	$(BIN)/python -m pytest -n auto --dist worksteal --durations 30 --durations-min 3

check: $(VENV)/.tests         ## style, types and storeys
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_storeys.py

env: $(VENV)/.runs            ## only make the environment

format: $(VENV)/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

site: $(VENV)/.tests          ## build the documentation's site into site/
	$(BIN)/mkdocs build --strict --quiet

lock: $(VENV)/.tests          ## write locks/ anew after pyproject.toml has changed; versions stay as they are
	$(BIN)/python tools/lock.py

sbom: $(VENV)/.tests          ## write build/sbom.json: what the environment holds, as CycloneDX
	mkdir -p build
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file build/sbom.json $(VENV)

$(VENV)/.made:
	$$(command -v $(PYTHON) || command -v python3) -m venv $(VENV)
	touch $@

$(VENV)/.runs: $(VENV)/.made tools/install.sh pyproject.toml $(LOCKS)
	sh tools/install.sh $(BIN) core --editable
	touch $@

$(VENV)/.tests: $(VENV)/.made tools/install.sh pyproject.toml $(LOCKS)
	sh tools/install.sh $(BIN) dev --editable
	touch $@ $(VENV)/.runs

# The browser tests need Chromium and a Korean font, those of a PACS Orthanc and dciodvfy. Without root they are skipped, and say so.
debian:
	@command -v chromium >/dev/null && command -v Orthanc >/dev/null && command -v dciodvfy >/dev/null && fc-list 2>/dev/null | grep -qi cjk || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	      chromium dicom3tools fonts-noto-cjk fontconfig orthanc orthanc-dicomweb >/dev/null; \
	  else echo "chromium, Orthanc or dciodvfy is not installed and cannot be here: their tests will be skipped"; fi; }

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist site *.egg-info src/*.egg-info
