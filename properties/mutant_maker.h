#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/sys/result.h"
#include "properties/mutation.h"

namespace poolproof::properties {

/// How a mutated file of the pool becomes a program: share/poolproof/generated.json, of the build
/// tree alone (fixtures/mutants/CMakeLists.txt).
struct MutantRecipe {
  std::vector<std::string> sources;      // of the pool, absolute
  std::string root;                      // of the source tree
  std::string scratch;                   // folder for what is built
  std::vector<std::string> list;         // argv; then a source and `parse`: prints its mutations
  std::vector<std::string> parse;        // arguments for its parser
  std::vector<std::string> compile;      // argv; then a source, -o and an object
  std::vector<std::string> link_before;  // argv; then the mutated object
  std::vector<std::string> link_after;   // then -o and a program
};

/// Errors: one line that says that the source and build tree are needed, and what is not there.
sys::Result<MutantRecipe> mutant_recipe_of(const std::filesystem::path& share);
sys::Result<MutantRecipe> mutant_recipe_from_json(const std::string& text, const std::string& path);

/// Makes mutants, in a folder of its own that goes with it. One thread; each call runs compilers.
class MutantMaker {
 public:
  enum class Outcome {
    kBuilt,
    kNotCompiled,
    kSameProgram,  // the compiler makes the same code of it: nobody could tell it from the original
  };
  struct Made {
    Outcome outcome = Outcome::kNotCompiled;
    std::string program;  // path, until the next call
  };

  explicit MutantMaker(MutantRecipe recipe);
  ~MutantMaker();
  MutantMaker(const MutantMaker&) = delete;
  MutantMaker& operator=(const MutantMaker&) = delete;

  std::size_t files() const { return recipe_.sources.size(); }
  std::string name_of(std::size_t file) const;  // below the source tree's root

  /// Errors: what the lister says, or the file.
  sys::Result<std::vector<Mutation>> mutations(std::size_t file) const;
  sys::Result<std::string> source(std::size_t file) const;

  /// The pool with one file changed, as an adapter.
  /// Errors: the folder, the file, or a compiler that does not start.
  sys::Result<Made> make(std::size_t file, const TextChange& change);

 private:
  sys::Result<std::string> compiled(std::size_t file, const std::string& text);

  MutantRecipe recipe_;
  std::filesystem::path folder_;
  std::map<std::size_t, std::string> originals_;  // what the compiler makes of a whole file
};

}  // namespace poolproof::properties
