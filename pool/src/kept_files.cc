#include "kept_files.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <utility>

#include "payload_file.hpp"

namespace poolproof::detail {
namespace {

constexpr std::size_t kMost = 4;

std::array<std::atomic<PayloadFile*>, kMost> files{};
std::atomic<int> users{0};

/// Into an empty place; false if there is none. In one order with the count of users: who keeps a
/// file and who lets go last see one another (`keep`).
bool put(PayloadFile* file) {
  for (auto& place : files) {
    PayloadFile* empty = nullptr;
    if (place.compare_exchange_strong(empty, file)) return true;
  }
  return false;
}

}  // namespace

KeptFiles::User::User() {
  users.fetch_add(1, std::memory_order_relaxed);
}

KeptFiles::User::~User() {
  if (users.fetch_sub(1) == 1) let_go();
}

std::unique_ptr<PayloadFile> KeptFiles::take() {
  for (auto& place : files) {
    std::unique_ptr<PayloadFile> file(place.exchange(nullptr, std::memory_order_acq_rel));
    if (!file) continue;
    if (!file->is_lent() && file->reuse()) return file;
    keep(std::move(file));
  }
  return nullptr;
}

void KeptFiles::keep(std::unique_ptr<PayloadFile> file) {
  if (users.load(std::memory_order_relaxed) == 0 || !file->may_be_kept()) return;
  if (put(file.get())) static_cast<void>(file.release());
  // The last user may have let go between the look above and now.
  if (users.load() == 0) let_go();
}

void KeptFiles::let_go() {
  for (auto& place : files) {
    std::unique_ptr<PayloadFile> file(place.exchange(nullptr));
    if (file && !file->is_lent()) file->free_pages();
  }
}

void KeptFiles::forget_in_child() {
  for (auto& place : files) {
    // A write would copy the page. Not destroyed: that could take a lock that was held at the fork.
    if (!place.load(std::memory_order_relaxed)) continue;
    const PayloadFile* const file = place.exchange(nullptr, std::memory_order_acq_rel);
    if (file) ::close(file->descriptor());
  }
}

}  // namespace poolproof::detail
