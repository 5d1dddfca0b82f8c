# What our own targets have in common. Consumers and third-party code get none of it.
include(CheckCXXSourceCompiles)
include(GoogleTest)

# Programs are found in one place, whichever folder made them.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(POOLPROOF_CCACHE ccache)
  if(POOLPROOF_CCACHE)
    # Without this sloppiness ccache passes by every file that uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER
      env CCACHE_SLOPPINESS=pch_defines,time_macros ${POOLPROOF_CCACHE})
  endif()
endif()

set(poolproof_warnings
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wold-style-cast -Wextra-semi -Wcast-align -Werror
  -Wno-sign-conversion              # Clang has it in -Wconversion, GCC has not
  -Wno-missing-field-initializers)  # {.flags = 1} is how options and kernel structs are filled
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The optimizer's guesses: GCC 12 makes them about std::string and std::variant too. Shown, not
  # fatal; -Wrestrict (GCC bug 105651) hits every "literal" + string and is not worth showing.
  list(APPEND poolproof_warnings -Wno-restrict -Wno-error=maybe-uninitialized
    -Wno-error=array-bounds -Wno-error=stringop-overflow -Wno-error=stringop-overread
    -Wno-error=dangling-pointer -Wno-error=free-nonheap-object -Wno-error=nonnull
    -Wno-error=tsan) # Boost.Asio's fences, which ThreadSanitizer does not understand
endif()

# poolproof_target_defaults(target [SUBJECT])
# C++20, warnings and sanitizers. Call it for every target of ours.
# SUBJECT: never sanitized. For adapters, task bodies, mutants and every library that they link,
#   which must behave as they do at their users' (and LeakSanitizer refuses to run under ptrace).
function(poolproof_target_defaults target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SUBJECT" "" "")
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    target_compile_features(${target} INTERFACE cxx_std_20)
    return()
  endif()
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  if(POOLPROOF_WARNINGS)
    target_compile_options(${target} PRIVATE ${poolproof_warnings})
  endif()
  if(POOLPROOF_SANITIZE AND NOT arg_SUBJECT)
    # vptr's check opens a pipe to see whether memory can be read, and reports an error where it gets
    # none: tests use all descriptors up.
    set(flags -fsanitize=${POOLPROOF_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
    target_compile_options(${target} PRIVATE ${flags})
    target_link_options(${target} PUBLIC -fsanitize=${POOLPROOF_SANITIZE})
  endif()
endfunction()

# poolproof_link_static(target)
# Links a program statically where this machine can: it starts, and forks, in half the time, and a
# campaign does so thousands of times. As static-pie, since a plain static program registers its
# unwind tables in libgcc before 13, whose lock for them is then taken by each throw, and stays taken
# in a child that is forked meanwhile: the child's exit waits for ever.
set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
set(CMAKE_REQUIRED_FLAGS -fPIE)
check_cxx_source_compiles("#include <string>\nint main() { return std::string(\"\").size(); }"
  POOLPROOF_CAN_LINK_STATIC_PIE)
unset(CMAKE_REQUIRED_LINK_OPTIONS)
unset(CMAKE_REQUIRED_FLAGS)

function(poolproof_link_static target)
  get_target_property(options ${target} LINK_OPTIONS)
  if(POOLPROOF_CAN_LINK_STATIC_PIE AND NOT options MATCHES sanitize)
    target_link_options(${target} PRIVATE -static-pie)
  endif()
endfunction()

# poolproof_precompile(target header...)
# Precompiles third-party headers, such as <rapidcheck.h>, for a target that uses them in several
# files. Each file still includes what it uses: POOLPROOF_PRECOMPILE=OFF builds the same.
function(poolproof_precompile target)
  if(POOLPROOF_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
    # For ccache: GCC names the header in its preprocessed output, Clang leaves out the time.
    target_compile_options(${target} PRIVATE
      $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
      $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
  endif()
endfunction()

# poolproof_label_tests(LABEL label [TIMEOUT seconds] TESTS test...)
# For tests of add_test(): sets the label and its place in the order (CTest starts the costliest
# first): unit, properties, slow, then whatever else. The time-out is the last of all fuses.
function(poolproof_label_tests)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "LABEL;TIMEOUT" "TESTS")
  poolproof_test_properties(properties "${arg_LABEL}" "${arg_TIMEOUT}")
  set_tests_properties(${arg_TESTS} PROPERTIES ${properties})
endfunction()

# poolproof_discover_tests(target LABEL label [TIMEOUT seconds] [argument...])
# The same for each test of a GoogleTest program; further arguments, such as TEST_PREFIX or
# EXTRA_ARGS, go to gtest_discover_tests() as they are.
function(poolproof_discover_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "")
  poolproof_test_properties(properties "${arg_LABEL}" "${arg_TIMEOUT}")
  gtest_discover_tests(${target} ${arg_UNPARSED_ARGUMENTS}
    DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

function(poolproof_test_properties result label timeout)
  if(NOT label)
    message(FATAL_ERROR "a test needs its LABEL: unit, properties, slow or one of its own")
  endif()
  if(NOT timeout)
    set(timeout 120)
  endif()
  set(costs unit 3000000 properties 2000000 slow 1000000)
  list(FIND costs ${label} at)
  set(cost 500000)
  if(NOT at EQUAL -1)
    math(EXPR at "${at} + 1")
    list(GET costs ${at} cost)
  endif()
  set(${result} LABELS ${label} COST ${cost} TIMEOUT ${timeout} PARENT_SCOPE)
endfunction()
