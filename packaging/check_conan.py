"""check_conan.py WORK COMPILER [LAUNCHER]: runs the Conan recipe's steps with stand-ins for Conan.

The stand-ins do what Conan's own would for this recipe, and call CMake for real. What the recipe uses
of Conan and is not here raises an AttributeError or ImportError.
"""

import fnmatch
import importlib.util
import shutil
import subprocess
import sys
import types
from collections import defaultdict
from pathlib import Path

work, compiler, launcher = Path(sys.argv[1]), sys.argv[2], (sys.argv[3:] + [""])[0]


class ConanFile:
    def __init__(self):
        self.required = []
        self.settings = types.SimpleNamespace(os="Linux")
        self.cpp_info = types.SimpleNamespace(
            set_property=lambda *_: None, components=defaultdict(Component)
        )

    def requires(self, reference, **_):
        self.required.append(reference)


class Component:
    def set_property(self, *_):
        pass


class CMakeDeps:
    def __init__(self, recipe):
        pass

    def generate(self):
        pass  # cereal is the system's here


class CMakeToolchain:
    def __init__(self, recipe):
        self.recipe, self.cache_variables = recipe, {}

    def generate(self):
        self.recipe.cache = self.cache_variables


class CMake:
    def __init__(self, recipe):
        self.recipe = recipe

    def configure(self, build_script_folder):
        source = Path(self.recipe.source_folder) / build_script_folder
        options = [f"-D{k}={'ON' if v else 'OFF'}" for k, v in self.recipe.cache.items()]
        run("-S", source, "-B", work / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}", *options)

    def build(self):
        run("--build", work / "build", "-j", "2")

    def install(self):
        run("--install", work / "build", "--prefix", self.recipe.package_folder)


def run(*arguments):
    subprocess.run(["cmake", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def copy(_, pattern, src, dst):
    for path in Path(src).rglob("*"):
        relative = path.relative_to(src)
        if path.is_file() and fnmatch.fnmatch(str(relative), pattern):
            (Path(dst) / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, Path(dst) / relative)


def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


module("conan", ConanFile=ConanFile)
module("conan.tools")
module("conan.tools.cmake", CMake=CMake, CMakeDeps=CMakeDeps, CMakeToolchain=CMakeToolchain)
module("conan.tools.files", copy=copy)

shutil.rmtree(work, ignore_errors=True)
path = Path(__file__).parent / "conan" / "conanfile.py"
spec = importlib.util.spec_from_file_location("conanfile", path)
loaded = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loaded)

recipe = loaded.PoolproofPool()
recipe.export_sources_folder = recipe.source_folder = str(work / "source")
recipe.package_folder = str(work / "package")
for step in ("set_version", "export_sources", "validate", "requirements", "generate", "build",
             "package", "package_info"):
    getattr(recipe, step)()

assert recipe.version and recipe.required == ["cereal/1.3.2"], recipe.required
for name in recipe.cpp_info.components["pool"].libs:
    assert list((work / "package").rglob(f"lib{name}.a")), f"lib{name}.a is not in the package"
assert (work / "package/include/poolproof/pool.hpp").is_file()
assert (work / "package/licenses/LICENSE").is_file()
