# poolproof_add_pool(POOL [SECONDS s] [CASES n] [LABEL label] [SKIP_UNSTABLE])
# CTest entries "POOL/W1.NoWorkerOutlivesParent", one for each rule, after one campaign of at most
# `SECONDS` (default 20) or CASES cases. The campaign is a fixture's set-up: it succeeds when rules are
# violated, else their entries would read "Not Run", and fails only when the harness could not work.
# SKIP_UNSTABLE: a violation that does not repeat, or a tenth of the cases that are unclear, skips its
# rule's entry instead of failing it, for a pool of somebody else's with races and hangs that are not
# ours to mend.
# CTest's time-out lies above the harness's own end, so that poolproof tears down before CTest kills.
function(poolproof_add_pool pool)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SKIP_UNSTABLE" "SECONDS;CASES;LABEL" "")
  if(NOT arg_SECONDS)
    set(arg_SECONDS 20)
  endif()
  if(NOT arg_CASES)
    set(arg_CASES 0)
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL properties)
  endif()
  string(MAKE_C_IDENTIFIER ${pool} id)
  set(arguments --pool=${pool} --seconds=${arg_SECONDS} --cases=${arg_CASES}
    --program=$<TARGET_FILE:poolproof> --results=${CMAKE_CURRENT_BINARY_DIR}/results/${id})
  if(arg_SKIP_UNSTABLE)
    list(APPEND arguments --skip-unstable)
  endif()
  math(EXPR timeout "${arg_SECONDS} * 2 + 60")
  poolproof_test_properties(campaign ${arg_LABEL} ${timeout})
  gtest_discover_tests(poolproof_suite TEST_PREFIX "${pool}/" TEST_FILTER "Campaign.*"
    TEST_LIST ${id}_campaign EXTRA_ARGS ${arguments} DISCOVERY_TIMEOUT 60
    PROPERTIES ${campaign} FIXTURES_SETUP ${id} PROCESSORS 2)
  poolproof_test_properties(rule ${arg_LABEL} 30)
  gtest_discover_tests(poolproof_suite TEST_PREFIX "${pool}/" TEST_FILTER "-Campaign.*"
    TEST_LIST ${id}_rules EXTRA_ARGS ${arguments} DISCOVERY_TIMEOUT 60
    PROPERTIES ${rule} FIXTURES_REQUIRED ${id})
endfunction()
