#!/usr/bin/env bash
# soak.sh POOLPROOF [CASES]: looks for false verdicts. So many random cases (100,000) of the reference
# pool, nine of ten on the machine as it is, one of eleven of the rest under nice 19, all but the first
# beside eight loops that never rest: none may be violated, and no more than one in a thousand unclear.
set -euo pipefail

program=$1
cases=${2:-100000}
results=$(mktemp -d)
loops=()
stop() {
  kill "${loops[@]}" 2>/dev/null || true
  wait "${loops[@]}" 2>/dev/null || true
  loops=()
}
trap 'stop; rm -rf "$results"' EXIT

start_loops() {
  for _ in 1 2 3 4 5 6 7 8; do
    while :; do :; done &
    loops+=($!)
  done
}

failed=0
soak() {  # NAME CASES COMMAND...: cases are shared by the pool's three start methods
  local name=$1 wanted=$2 status=0 seconds=$SECONDS
  shift 2
  "$@" "$program" check reference --cases $(((wanted + 2) / 3)) --time 36000 --json \
    --results "$results/$name" >"$results/$name.jsonl" || status=$?
  awk -v name="$name" -v seconds=$((SECONDS - seconds)) -v status="$status" '
    function number(key) {
      if (!match($0, "\"" key "\":[0-9]+")) return 0
      return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0
    }
    /"type":"verdict"/ {
      violated += number("violated")
      match($0, /"pool":"[^"]*"/)
      pool = substr($0, RSTART, RLENGTH)
      if (number("inconclusive") > unclear[pool]) unclear[pool] = number("inconclusive")
      if (number("cases") > cases[pool]) cases[pool] = number("cases")
    }
    END {
      for (pool in cases) { all += cases[pool]; doubt += unclear[pool] }
      printf "%-10s %7d cases  %d violated  %d unclear  %d s\n", name, all, violated, doubt, seconds
      exit !(all > 0 && violated == 0 && doubt * 1000 <= all && status == 0)
    }' "$results/$name.jsonl" || failed=1
}

soak unloaded $((cases * 90 / 100)) env
start_loops
soak loaded $((cases * 9 / 100)) env
soak nice-19 $((cases / 100)) nice -n 19
stop
exit $failed
