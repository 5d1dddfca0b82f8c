#include "properties/mutant_maker.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/launch.h"
#include "harness/sys/fd.h"

namespace poolproof::properties {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A compiler that takes longer was brought to it by the mutation.
constexpr std::chrono::seconds kCompilerMayTake{120};
constexpr std::chrono::seconds kListerMayTake{60};

std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

sys::Error needs_trees(const std::string& what) {
  return sys::Error("generated mutants need poolproof's source and build tree: " + what);
}

/// A folder that nobody else has. Empty where none can be made.
fs::path own_folder(const fs::path& parent) {
  std::error_code error;
  fs::create_directories(parent, error);
  for (int n = 1; !error; ++n) {
    const auto path = parent / std::to_string(n);
    if (fs::create_directory(path, error)) return path;
  }
  return {};
}

/// Whether the command ended well; one that was stopped for its time has not.
sys::Result<bool> succeeds(const std::vector<std::string>& argv) {
  const auto ran = harness::run_command(argv, kCompilerMayTake);
  if (!ran && !fs::exists(argv.front())) return ran.error();
  return ran && ran->status == sys::ExitStatus(sys::Exited{0});
}

}  // namespace

sys::Result<MutantRecipe> mutant_recipe_from_json(const std::string& text,
                                                  const std::string& path) {
  try {
    const auto object = json::parse(text);
    return MutantRecipe{object.at("sources"),     object.at("root"),      object.at("scratch"),
                        object.at("list"),        object.at("parse"),     object.at("compile"),
                        object.at("link_before"), object.at("link_after")};
  } catch (const json::exception& error) {
    return sys::Error(fmt::format("{}: {}", path, error.what()));
  }
}

sys::Result<MutantRecipe> mutant_recipe_of(const fs::path& share) {
  const auto path = (share / "generated.json").string();
  const auto text = sys::read_file(path);
  if (!text) return needs_trees(text.error().message());
  auto recipe = mutant_recipe_from_json(*text, path);
  if (!recipe) return recipe.error();
  if (recipe->sources.empty()) return sys::Error(path + ": no sources");
  std::error_code error;
  for (const auto& source : recipe->sources) {
    if (!fs::exists(source, error)) return needs_trees(source + " is not there");
  }
  return recipe;
}

MutantMaker::MutantMaker(MutantRecipe recipe)
    : recipe_(std::move(recipe)), folder_(own_folder(recipe_.scratch)) {}

MutantMaker::~MutantMaker() {
  std::error_code error;
  if (!folder_.empty()) fs::remove_all(folder_, error);
}

std::string MutantMaker::name_of(std::size_t file) const {
  return fs::path(recipe_.sources[file]).lexically_relative(recipe_.root).string();
}

sys::Result<std::string> MutantMaker::source(std::size_t file) const {
  return sys::read_file(recipe_.sources[file]);
}

sys::Result<std::vector<Mutation>> MutantMaker::mutations(std::size_t file) const {
  auto argv = with(recipe_.list, {recipe_.sources[file]});
  const auto ran = harness::run_command(with(argv, recipe_.parse), kListerMayTake);
  if (!ran) return ran.error();
  if (ran->status != sys::ExitStatus(sys::Exited{0}))
    return sys::Error(ran->err.substr(0, ran->err.find('\n')));
  return mutations_from_json_lines(ran->out, name_of(file));
}

/// The object's bytes; none where the text does not compile.
sys::Result<std::string> MutantMaker::compiled(std::size_t file, const std::string& text) {
  // One name for all texts of a file, since the object has it too.
  const auto source = folder_ / fs::path(recipe_.sources[file]).filename();
  const auto object = (folder_ / "mutant.o").string();
  std::ofstream stream(source);
  stream << text;
  stream.close();
  if (!stream) return sys::Error(fmt::format("cannot write {}", source.string()));
  const auto done = succeeds(with(recipe_.compile, {source.string(), "-o", object}));
  if (!done) return done.error();
  if (!*done) return std::string();
  std::ifstream built(object, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(built), {});
}

sys::Result<MutantMaker::Made> MutantMaker::make(std::size_t file, const TextChange& change) {
  if (folder_.empty()) return sys::Error("cannot make a folder in " + recipe_.scratch);
  const auto text = source(file);
  if (!text) return text.error();
  if (!originals_.contains(file)) {
    const auto whole = compiled(file, *text);
    if (!whole) return whole.error();
    if (whole->empty()) return sys::Error(name_of(file) + " itself does not compile");
    originals_[file] = *whole;
  }
  const auto mutated = compiled(file, applied(*text, change));
  if (!mutated) return mutated.error();
  if (mutated->empty()) return Made{Outcome::kNotCompiled, {}};
  if (*mutated == originals_[file]) return Made{Outcome::kSameProgram, {}};
  const auto program = (folder_ / "mutant").string();
  auto argv = with(recipe_.link_before, {(folder_ / "mutant.o").string()});
  const auto linked = succeeds(with(with(std::move(argv), recipe_.link_after), {"-o", program}));
  if (!linked) return linked.error();
  return *linked ? Made{Outcome::kBuilt, program} : Made{Outcome::kNotCompiled, {}};
}

}  // namespace poolproof::properties
