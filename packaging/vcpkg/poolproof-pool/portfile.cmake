# An overlay port: it builds the tree that it lies in.
get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(SOURCE_PATH "${root}/pool")

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DPOOLPROOF_BUILD_TESTS=OFF
    -DPOOLPROOF_INSTALL=ON
    -DFETCHCONTENT_FULLY_DISCONNECTED=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME poolproof CONFIG_PATH lib/cmake/poolproof)
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
vcpkg_install_copyright(FILE_LIST "${root}/LICENSE")
