#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>
#include <system_error>

#include "crew.hpp"
#include "ring.hpp"

// How large a crew may be, at its beginning or later: whether this process may have what that
// takes, and the slots for it. Nothing is set aside: another thread may be faster, and then the
// workers come later, or the beginning fails in its midst.
namespace poolproof::detail {
namespace {

/// Main keeps a socket and a pidfd of each worker...
constexpr std::size_t kOfAWorker = 2;
/// ...and has one more while it asks for the last: the worker's ends are two, and its pidfd is not
/// there yet.
constexpr std::size_t kToAsk = 1;
/// What a pool has open beside its workers while it starts them: its eventfd, the socket to its
/// supervisor and that one's pidfd, /dev/null, and a pidfd of main itself.
constexpr std::size_t kOfAPool = 5;

rlim_t limit_of(__rlimit_resource_t resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/// whose: what takes it, as the beginning of a sentence.
[[noreturn]] void refuse(const std::string& whose, const std::string& what,
                         const std::string& limit, int error) {
  throw std::system_error(error, std::system_category(),
                          "poolproof: " + whose + " takes " + what + " (" + limit + ")");
}

/// From the limit down: most of those below it are free, however many are open. Standard ones are
/// not for us, see off_stdio.
bool may_open(std::size_t count) {
  if (count > limit_of(RLIMIT_NOFILE)) return false;  // without a look at each
  const auto limit = static_cast<int>(std::min<rlim_t>(limit_of(RLIMIT_NOFILE), INT_MAX));
  for (int fd = limit - 1; fd > STDERR_FILENO && count > 0; --fd) {
    if (::fcntl(fd, F_GETFD) == -1) --count;
  }
  return count == 0;
}

bool may_map(std::size_t size) {
  void* const at =
      ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return false;
  ::munmap(at, size);
  return true;
}

/// As it is mapped: in whole pages.
std::size_t size_of_rings(std::size_t count) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return count * ((sizeof(SharedRing) + page - 1) / page * page);
}

/// For so many workers more.
void require_means(const std::string& whose, std::size_t workers, std::size_t descriptors) {
  if (!may_open(descriptors)) {
    refuse(whose, std::to_string(descriptors) + " descriptors more",
           limit_in_words("RLIMIT_NOFILE", RLIMIT_NOFILE), EMFILE);
  }
  if (!may_have_size(sizeof(SharedRing))) {
    refuse(whose, "a file of " + std::to_string(sizeof(SharedRing)) + " bytes for each",
           limit_in_words("RLIMIT_FSIZE", RLIMIT_FSIZE), EFBIG);
  }
  if (const std::size_t rings = size_of_rings(workers); !may_map(rings)) {
    refuse(whose, std::to_string(rings) + " bytes of addresses more",
           limit_in_words("RLIMIT_AS", RLIMIT_AS), ENOMEM);
  }
}

}  // namespace

std::size_t Crew::room() const {
  return slots_.capacity();
}

void Crew::grow(std::size_t workers) {
  while (size() < workers) slots_.emplace_back();
}

std::size_t Crew::staying() const {
  return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.life == Slot::Life::alive && !slot.leaving;
  }));
}

std::size_t Crew::coming() const {
  return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.life == Slot::Life::starting;
  }));
}

std::size_t Crew::missing(std::size_t workers) const {
  const auto there =
      static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
        return slot.life != Slot::Life::vacant;
      }));
  return workers - std::min(workers, there);
}

void Crew::require_means_for(std::size_t workers) const {
  const std::size_t wanted = missing(workers);
  if (wanted == 0) return;
  const std::size_t asked = coming();  // so are their pidfds
  require_means("resize to " + std::to_string(workers) + " workers", wanted,
                kOfAWorker * wanted + asked + kToAsk);
}

void Crew::require_means_to_begin_with(std::size_t workers) {
  require_means("a pool of " + std::to_string(workers) + " workers", workers,
                kOfAWorker * workers + kToAsk + kOfAPool);
}

}  // namespace poolproof::detail
