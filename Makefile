# A thin wrapper around start.py, for who likes make.

PYTHON ?= python3

.PHONY: setup demo window headless live check test test-full bench requirements

setup demo window headless live check test test-full bench:
	$(PYTHON) start.py $@ $(ARGS)

# Pins, after an edit of a requirements*.in. Only versions are written: where packages come from is pip's business.
# torch goes first and without a build's suffix, and CUDA's own packages are left to the build that is installed.
COMPILE = .venv/bin/pip-compile --quiet --strip-extras --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host --no-emit-options --output-file=-
PINS = grep -E '^[a-z]' | grep -vE '^(torch|triton|nvidia-.*|cuda-.*)=='
TITLE = echo "\# Pinned from $(1) by \`make requirements\`."

requirements:
	{ $(call TITLE,requirements-core.in); $(COMPILE) requirements-core.in | $(PINS); } > .core.txt
	mv .core.txt requirements-core.txt
	{ $(call TITLE,requirements-dev.in); $(COMPILE) requirements-dev.in | $(PINS); } > requirements-dev.txt
	{ $(call TITLE,requirements-ray.in); $(COMPILE) requirements-ray.in | $(PINS); } > requirements-ray.txt
	{ $(call TITLE,requirements.in); grep -oE '^torch==[0-9.]+' requirements.in; \
	  $(COMPILE) --allow-unsafe requirements.in | $(PINS); } > requirements.txt
