#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <poolproof/detail/result_state.hpp>
#include <string_view>
#include <utility>

#include "fd.hpp"
#include "lease.hpp"
#include "mapping.hpp"

namespace poolproof::detail {

/// A large payload in a memfd, which nobody can make shorter: written, sent, and read by who
/// receives it. Small ones are written and read through mappings that stay in place, and their
/// files serve again (kept_files.hpp). Larger ones pass by, so that none of their pages is in the
/// memory of the process. Thread: any one at a time; reading is thread safe.
class PayloadFile {
 public:
  enum class For {
    keeping,  ///< it may wait for long: one of a number that is bounded, for each process
    sending,  ///< at once, to somebody who has nothing else in hands
  };
  /// For writing. Null, with errno, where none can be had: no descriptor, no memory.
  static std::unique_ptr<PayloadFile> create(For what);
  /// For reading: the first `size` bytes of what a peer has sent. Null without memory to map it.
  /// Errors: std::invalid_argument if it is shorter, or could be made so.
  static std::unique_ptr<PayloadFile> open(Fd file, std::size_t size, MappingCache& cache,
                                           Lease lease);

  ~PayloadFile();
  PayloadFile(const PayloadFile&) = delete;
  PayloadFile& operator=(const PayloadFile&) = delete;

  /// False, with errno, if it cannot grow (RLIMIT_FSIZE: EFBIG, no memory); then it is as it was.
  bool append(const char* data, std::size_t size);
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Whether `view` costs nothing.
  [[nodiscard]] bool mapped() const {
    return (mapping_ && mapping_->size() >= size_) || viewed_.load(std::memory_order_acquire);
  }
  /// Maps it if need be. Errors: std::bad_alloc.
  std::string_view view();
  /// Copies what lies at `offset`, or what there is of it. Errors: std::bad_alloc.
  std::size_t read(std::size_t offset, char* to, std::size_t size) const;

  /// For sending; remains ours.
  [[nodiscard]] int descriptor() const { return file_.get(); }
  /// Lent to who receives it, until `lease` is 0 again; for ever without one.
  void lend(const std::atomic<std::uint32_t>* lease);

  // For KeptFiles.
  [[nodiscard]] bool is_ours() const { return owner_ == ProcessIdentity::here(); }
  [[nodiscard]] bool is_lent() const { return lease_ && lease_->load(std::memory_order_acquire); }
  [[nodiscard]] bool may_be_kept() const;
  /// Empty again, with its pages. False without memory.
  bool reuse();
  void free_pages();

 private:
  explicit PayloadFile(Lease lease = {}) : reading_(std::move(lease)) {}
  bool write(const char* data, std::size_t size);

  const ProcessIdentity owner_ = ProcessIdentity::here();
  Fd file_;
  std::shared_ptr<Mapping> mapping_;
  /// Of what was received, and not mapped at once: made by the first who views it. Several may want
  /// to, and not by a lock, which somebody else may have held when a child was forked.
  std::atomic<Mapping*> viewed_{nullptr};
  std::size_t size_ = 0;
  std::size_t file_size_ = 0;  // that of one gone by, if it was larger
  bool writable_ = false;
  bool counted_ = false;
  bool given_away_ = false;
  const std::atomic<std::uint32_t>* lease_ = nullptr;  // granted by us
  Lease reading_;                                      // granted to us
};

}  // namespace poolproof::detail
