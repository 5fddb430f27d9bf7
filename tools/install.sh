#!/bin/sh
# Install evenray from this checkout with what it needs, as locks/ has it:  tools/install.sh BIN core|app|dev [--editable]
# BIN is the folder of the environment's programs. Files whose hash is not in the lock are refused, and so are source archives,
# whose code would run while they are installed.
set -eu
bin=$1
group=$2
shift 2
cd "$(dirname "$0")/.."
locked() { "$bin/pip" install --quiet --no-deps --require-hashes --only-binary :all: --requirement "locks/$1.txt"; }

locked cpu 2>/dev/null || true  # PyTorch without CUDA, a thirtieth of the size: only where pip was told of a place that has it
locked "$group"
if "$bin/pip" show torch | grep -q '^Requires:.*cuda'; then locked cuda; fi
"$bin/pip" install --quiet --no-deps --no-build-isolation "$@" .
