# The command line, campaigns and reports; included by CMakeLists.txt.
add_library(poolproof_cli STATIC
  campaign.cc campaign_findings.cc canary.cc case_file.cc case_pool.cc check.cc check_sweep.cc cli.cc command.cc
  console.cc contract_choices.cc contract_command.cc contract_signs.cc contract_text.cc desk.cc endings.cc endings_table.cc explain.cc held.cc infer.cc judging.cc junit.cc matrix.cc
  mutants.cc plan.cc pools.cc pools_text.cc program_text.cc random_source.cc regressions.cc replay.cc
  repro.cc repro_script.cc report.cc reporter.cc results.cc rule_columns.cc selftest.cc selftest_command.cc selftest_report.cc
  shrinking.cc surroundings.cc sweep.cc sweep_report.cc symptom.cc tally.cc timeline.cc usable.cc)
target_sources(poolproof_cli PRIVATE cli_words.cc finding_list.cc scenario_text.cc short_link.cc)
target_link_libraries(poolproof_cli
  PUBLIC poolproof_properties poolproof_harness poolproof_runner
  PRIVATE poolproof_version fmt::fmt nlohmann_json::nlohmann_json CLI11::CLI11 pugixml::pugixml rapidcheck)
poolproof_target_defaults(poolproof_cli)

# selftest --generated
target_sources(poolproof_cli PRIVATE generated.cc generated_report.cc mutant_maker.cc mutation.cc)

add_executable(poolproof main.cc)
target_link_libraries(poolproof PRIVATE poolproof_cli)
poolproof_target_defaults(poolproof)
add_dependencies(poolproof_check_deps poolproof)

if(POOLPROOF_BUILD_TESTS)
  add_executable(properties_report_tests
    campaign_test.cc canary_test.cc cli_test.cc contract_text_test.cc endings_test.cc infer_test.cc judging_test.cc junit_test.cc mutants_test.cc
    plan_test.cc pools_test.cc program_text_test.cc random_source_test.cc regressions_test.cc
    report_test.cc repro_script_test.cc selftest_test.cc shrinking_test.cc
    surroundings_test.cc symptom_test.cc test_traces.cc
    usable_test.cc)
  target_sources(properties_report_tests PRIVATE
    documents_test.cc finding_list_test.cc formats_test.cc scenario_text_test.cc short_link_test.cc
    generated_test.cc mutant_maker_test.cc mutation_test.cc)
  target_link_libraries(properties_report_tests PRIVATE poolproof_cli fmt::fmt pugixml::pugixml GTest::gmock GTest::gtest_main)
  target_compile_definitions(properties_report_tests PRIVATE
    POOLPROOF_GOLDEN="${CMAKE_CURRENT_SOURCE_DIR}/golden"
    POOLPROOF_CONTRACTS="${PROJECT_SOURCE_DIR}/fixtures/contracts")
  poolproof_target_defaults(properties_report_tests)
  poolproof_discover_tests(properties_report_tests LABEL unit TIMEOUT 60)
endif()
