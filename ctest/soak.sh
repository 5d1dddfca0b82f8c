#!/usr/bin/env bash
# soak.sh POOLPROOF [--unloaded N] [--loaded N] [--nice N] [CASES]: looks for false verdicts. Random
# cases of the reference pool: so many on the machine as it is (most wait more than they compute: six
# side by side for each processor are three times as fast as two), so many beside eight loops that never
# rest, so many under nice 19 beside them. None may be violated, and no more than one in a thousand
# unclear. Parts that are named are run alone; without any, all of CASES (100,000): 90, 9 and 1 %.
set -euo pipefail

wrong_usage() {
  echo "soak: $1" >&2
  exit 2
}

is_number() {
  [[ $1 =~ ^[1-9][0-9]{0,8}$ ]]
}

program=$1
shift
declare -A wanted=()
cases=
while (($#)); do
  case $1 in
    --unloaded | --loaded | --nice)
      is_number "${2:-}" || wrong_usage "$1 takes a number of cases"
      wanted[${1#--}]=$2
      shift 2
      ;;
    *)
      is_number "$1" || wrong_usage "'$1' is no number of cases"
      cases=$1
      shift
      ;;
  esac
done
if ((${#wanted[@]} == 0)); then
  cases=${cases:-100000}
  wanted=([unloaded]=$((cases * 90 / 100)) [loaded]=$((cases * 9 / 100)) [nice]=$((cases / 100)))
elif [[ -n $cases ]]; then
  wrong_usage "a number for all parts, or one for each"
fi

results=$(mktemp -d)
loops=()
stop() {
  kill "${loops[@]}" 2>/dev/null || true
  wait "${loops[@]}" 2>/dev/null || true
  loops=()
}
trap 'stop; [[ -e $results/found ]] || rm -rf "$results"' EXIT

start_loops() {
  for _ in 1 2 3 4 5 6 7 8; do
    while :; do :; done &
    loops+=($!)
  done
}

failed=0
soak() {  # NAME JOBS COMMAND...: cases are shared by the pool's three start methods
  local name=$1 jobs=$2 status=0 seconds=$SECONDS
  local each=$(((${wanted[$name]:-0} + 2) / 3))
  shift 2
  ((each > 0)) || return 0
  "$@" "$program" check reference --cases "$each" --jobs "$jobs" --time 36000 --json \
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
      percent = all > 0 ? 100 * doubt / all : 0
      printf "%-10s %9d %9d %8d %8.3f %8d\n", name, all, violated, doubt, percent, seconds
      exit !(all > 0 && violated == 0 && doubt * 1000 <= all && status == 0)
    }' "$results/$name.jsonl" && return
  failed=1
  # At one in many thousand cases it may not be seen again.
  touch "$results/found"
  grep -E '"(violated|inconclusive)":[1-9]' "$results/$name.jsonl" || true
  echo "soak: cases and traces are kept in $results/$name"
}

printf '%-10s %9s %9s %8s %8s %8s\n' part cases violated unclear '%' s
processors=$(nproc)
soak unloaded $((6 * processors)) env
if [[ -n ${wanted[loaded]:-}${wanted[nice]:-} ]]; then
  start_loops
fi
soak loaded $((2 * processors)) env
soak nice $((2 * processors)) nice -n 19
stop
exit $failed
