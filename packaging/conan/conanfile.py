"""Conan 2 recipe of poolproof's process pool: builds the tree that it lies in."""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain
from conan.tools.files import copy

ROOT = Path(__file__).resolve().parents[2]


class PoolproofPool(ConanFile):
    name = "poolproof-pool"
    description = "A pool of worker processes with the semantics of Python's multiprocessing.Pool"
    license = "Apache-2.0"
    package_type = "static-library"
    settings = "os", "compiler", "build_type", "arch"
    languages = ["C++"]

    def set_version(self):
        text = (ROOT / "pool/CMakeLists.txt").read_text(encoding="utf-8")
        self.version = re.search(r"poolproof_pool_version ([\d.]+)", text).group(1)

    def export_sources(self):
        for pattern in ("pool/*", "LICENSE"):
            copy(self, pattern, src=str(ROOT), dst=self.export_sources_folder)

    def validate(self):
        if self.settings.os != "Linux":
            from conan.errors import ConanInvalidConfiguration

            raise ConanInvalidConfiguration("poolproof needs Linux 5.10 or later")

    def requirements(self):
        self.requires("cereal/1.3.2", transitive_headers=True)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["POOLPROOF_BUILD_TESTS"] = False
        toolchain.cache_variables["POOLPROOF_INSTALL"] = True
        toolchain.cache_variables["FETCHCONTENT_FULLY_DISCONNECTED"] = True
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure(build_script_folder="pool")
        cmake.build()

    def package(self):
        copy(self, "LICENSE", src=self.source_folder, dst=str(Path(self.package_folder) / "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "poolproof")
        self.cpp_info.components["pool"].set_property("cmake_target_name", "poolproof::pool")
        self.cpp_info.components["pool"].libs = ["poolproof_pool"]
        self.cpp_info.components["pool"].requires = ["cereal::cereal"]
        self.cpp_info.components["pool"].system_libs = ["pthread"]
