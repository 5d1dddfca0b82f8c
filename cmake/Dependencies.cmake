# Third-party libraries: an installed copy wins, else the pinned one is fetched. Each target that
# is used elsewhere stands in the comment beside its library.
include(FetchContent)

set(FETCHCONTENT_QUIET ON)

# Switches of the fetched copies: the library alone, none of its tests.
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW) # option() there respects set() here
set(JUST_INSTALL_CEREAL ON)
set(JSON_BuildTests OFF)
set(INSTALL_GTEST OFF)
set(BENCHMARK_ENABLE_TESTING OFF)
set(BENCHMARK_ENABLE_INSTALL OFF)
set(RC_ENABLE_GTEST ON)

FetchContent_Declare(cereal # cereal::cereal
  URL https://github.com/USCiLab/cereal/archive/v1.3.2.tar.gz
  URL_HASH SHA256=16a7ad9b31ba5880dac55d62b5d6f243c3ebc8d46a3514149e56b5e7ea81f85f
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(fmt # fmt::fmt
  URL https://github.com/fmtlib/fmt/archive/9.1.0.tar.gz
  URL_HASH SHA256=5dea48d1fcddc3ec571ce2058e13910a0d4a6bab4cc09a809d8b1dd1c88ae6f2
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(nlohmann_json # nlohmann_json::nlohmann_json
  URL https://github.com/nlohmann/json/releases/download/v3.11.2/json.tar.xz
  URL_HASH SHA256=8c4b26bf4b422252e13f332bc5e388ec0ab5c3443d24399acb675e68278d341f
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(tomlplusplus # tomlplusplus::tomlplusplus
  URL https://github.com/marzer/tomlplusplus/archive/refs/tags/v3.4.0.tar.gz
  URL_HASH SHA256=8517f65938a4faae9ccf8ebb36631a38c1cadfb5efa85d9a72e15b9e97d25155
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(CLI11 # CLI11::CLI11
  URL https://github.com/CLIUtils/CLI11/archive/v2.1.2.tar.gz
  URL_HASH SHA256=26291377e892ba0e5b4972cdfd4a2ab3bf53af8dac1f4ea8fe0d1376b625c8cb
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(pugixml # pugixml::pugixml
  URL https://github.com/zeux/pugixml/releases/download/v1.13/pugixml-1.13.tar.gz
  URL_HASH SHA256=40c0b3914ec131485640fa57e55bf1136446026b41db91c1bef678186a12abbe
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(googletest # GTest::gtest, GTest::gtest_main, GTest::gmock, GTest::gmock_main
  URL https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz
  URL_HASH SHA256=81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2
  SYSTEM FIND_PACKAGE_ARGS NAMES GTest)
FetchContent_Declare(rapidcheck # rapidcheck, rapidcheck_gtest: no namespace, installed or fetched
  GIT_REPOSITORY https://github.com/emil-e/rapidcheck.git
  GIT_TAG ff6af6fc683159deb51c543b065eba14dfcf329b
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(benchmark # benchmark::benchmark, benchmark::benchmark_main
  URL https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
  URL_HASH SHA256=6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7
  SYSTEM FIND_PACKAGE_ARGS)
FetchContent_Declare(Boost # Boost::headers; the release has no CMakeLists.txt, so it is only unpacked
  URL https://archives.boost.io/release/1.81.0/source/boost_1_81_0.tar.gz
  URL_HASH SHA256=205666dea9f6a7cfed87c7a6dfbeb52a2c1b9de55712c9c1a87735d7181452b6
  SYSTEM FIND_PACKAGE_ARGS 1.81 CONFIG)

# Boost::headers, of POOLPROOF_BOOST_INCLUDE_DIR, installed or fetched.
macro(poolproof_find_boost)
  set(boost_headers "${POOLPROOF_BOOST_INCLUDE_DIR}")
  if(NOT boost_headers)
    FetchContent_MakeAvailable(Boost)
    set(boost_headers "${boost_SOURCE_DIR}")
  endif()
  if(NOT TARGET Boost::headers)
    add_library(Boost::headers INTERFACE IMPORTED)
    target_include_directories(Boost::headers INTERFACE "${boost_headers}")
  endif()
  get_target_property(boost_headers Boost::headers INTERFACE_INCLUDE_DIRECTORIES)
  poolproof_verify_boost("${boost_headers}")
endmacro()

# Stops where the headers are too old: what is wrong is said here, not by an error in a template.
function(poolproof_verify_boost include_dir)
  set(version_line "")
  if(EXISTS "${include_dir}/boost/version.hpp")
    file(STRINGS "${include_dir}/boost/version.hpp" version_line REGEX "define BOOST_VERSION ")
  endif()
  string(REGEX MATCH "[0-9]+" version "${version_line}")
  if(NOT version GREATER_EQUAL 108100 OR NOT EXISTS "${include_dir}/boost/process/v2.hpp")
    message(FATAL_ERROR "Boost 1.81 or later with boost/process/v2.hpp is needed; "
      "${include_dir} has BOOST_VERSION '${version}'. See POOLPROOF_BOOST_INCLUDE_DIR.")
  endif()
endfunction()

find_package(Threads REQUIRED) # Threads::Threads
FetchContent_MakeAvailable(cereal)
if(POOLPROOF_BUILD_HARNESS)
  FetchContent_MakeAvailable(fmt nlohmann_json tomlplusplus CLI11 pugixml googletest rapidcheck)
  poolproof_find_boost()
endif()
if(POOLPROOF_BUILD_BENCH)
  FetchContent_MakeAvailable(benchmark)
endif()
