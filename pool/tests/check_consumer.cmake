# cmake -D WAY=... -D POOLPROOF_POOL=pool's folder -D WORK=scratch folder [-D INSTALLED_FROM=build]
#       -P check.cmake
# Builds and runs the consumer, offline, with nothing but cereal and threads to be found.
file(REMOVE_RECURSE ${WORK})
set(arguments -D WAY=${WAY} -D POOLPROOF_POOL=${POOLPROOF_POOL})
if(INSTALLED_FROM)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${INSTALLED_FROM} --component poolproof_pool
    --prefix ${WORK}/prefix OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND arguments -D CMAKE_PREFIX_PATH=${WORK}/prefix)
endif()
foreach(package Boost GTest rapidcheck CLI11 nlohmann_json fmt tomlplusplus pugixml benchmark)
  list(APPEND arguments -D CMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build -G Ninja
  -D FETCHCONTENT_FULLY_DISCONNECTED=ON -D CMAKE_CXX_COMPILER=${COMPILER}
  "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" ${arguments}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target consumer -j 2 COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/build/consumer OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
if(NOT output STREQUAL "4 9\n")
  message(FATAL_ERROR "the consumer printed: ${output}")
endif()
