# cmake -D WORK=scratch -D COMPILER=... -D LAUNCHER=... -P check_vcpkg.cmake
# Runs the port's script with stand-ins for the helpers of vcpkg that it uses: release build only.
# A helper that it uses and that is not here is an error, as is a file that it expects and has not got.
file(REMOVE_RECURSE ${WORK})
set(CURRENT_PACKAGES_DIR ${WORK}/packages)
set(port ${CMAKE_CURRENT_LIST_DIR}/vcpkg/poolproof-pool)

function(vcpkg_cmake_configure)
  cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${ARGN})
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${WORK}/build -G Ninja
    -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_COMPILER=${COMPILER}
    "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" ${arg_OPTIONS} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_cmake_install)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build -j 2 COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/build --prefix ${CURRENT_PACKAGES_DIR}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(arg "" "PACKAGE_NAME;CONFIG_PATH" "" ${ARGN})
  file(GLOB found ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/${arg_PACKAGE_NAME}Config.cmake)
  if(NOT found)
    message(FATAL_ERROR "no ${arg_PACKAGE_NAME}Config.cmake in ${arg_CONFIG_PATH}")
  endif()
endfunction()
function(vcpkg_install_copyright)
  cmake_parse_arguments(arg "" "" "FILE_LIST" ${ARGN})
  file(COPY ${arg_FILE_LIST} DESTINATION ${CURRENT_PACKAGES_DIR}/share/poolproof-pool)
endfunction()

file(READ ${port}/vcpkg.json manifest)
string(JSON version GET "${manifest}" version)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../pool/CMakeLists.txt built REGEX "set\\(poolproof_pool_version ")
if(NOT built MATCHES "[( ]${version}\\)")
  message(FATAL_ERROR "vcpkg.json says ${version}, pool/CMakeLists.txt ${built}")
endif()
function(run_port)
  set(CMAKE_CURRENT_LIST_DIR ${port})
  include(${port}/portfile.cmake)
endfunction()
run_port()

execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/../pool/tests/consumer
  -B ${WORK}/consumer -G Ninja -D WAY=find_package -D CMAKE_PREFIX_PATH=${CURRENT_PACKAGES_DIR}
  -D CMAKE_CXX_COMPILER=${COMPILER} COMMAND_ERROR_IS_FATAL ANY)
