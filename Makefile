# Two commands do everything on a fresh Debian 12 or Ubuntu 24.04 machine, installs included:
#   make demo    build, convert and serve the example models, predict   (ONCE=1: end after the first answer)
#   make test    every test
BUILD := build/release
ONWARD := $(BUILD)/onward

.PHONY: build demo test bench edge fmt lint clean

build:
	@scripts/bootstrap.sh
	@cmake --preset release $(if $(VERBOSE),,--log-level=WARNING)
	@cmake --build --preset release

demo: build
	@examples/segmentation/demo.sh $(ONWARD) $(if $(ONCE),--once)

test: build
	@scripts/test_env.sh
	@ctest --test-dir $(BUILD) --output-on-failure -j 2

bench: build
	@bench/run.sh $(BUILD)

# The small program that only runs and serves ONNX files, for this machine and, on an x86-64 Debian, for aarch64; tested and measured.
edge: build
	@scripts/edge.sh $(ONWARD)

fmt:
	@scripts/format.sh

lint: build
	@scripts/bootstrap.sh --dev
	@scripts/lint.sh $(BUILD)

clean:
	rm -rf build
