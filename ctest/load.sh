#!/usr/bin/env bash
# load.sh COMMAND...: runs COMMAND under nice, beside four loops that never rest. A harness that
# takes a busy machine for a slow pool shows it here.
set -euo pipefail

loops=()
stop() {
  kill "${loops[@]}" 2>/dev/null || true
  wait "${loops[@]}" 2>/dev/null || true
}
trap stop EXIT

for _ in 1 2 3 4; do
  while :; do :; done &
  loops+=($!)
done
nice -n 19 "$@"
