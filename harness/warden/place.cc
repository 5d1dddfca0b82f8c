#include "harness/warden/place.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "harness/sys/fd.h"

namespace poolproof::warden {
namespace {

sys::Result<void> mount_tmpfs(const char* at, std::int64_t bytes, const char* mode) {
  const std::string options = "size=" + std::to_string(bytes) + ",mode=" + mode;
  if (::mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return sys::Error::from_errno(std::string("mount tmpfs on ") + at);
  }
  return {};
}

/// A detached copy of the mounts at and below `path`: it survives the hiding of the original.
sys::Result<sys::Fd> detach_copy(const std::string& path) {
  const int tree =
      ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (tree < 0) return sys::Error::from_errno("open_tree " + path);
  return sys::Fd(tree);
}

sys::Result<void> make_folders(const std::string& path) {
  for (std::size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at);
    const std::string prefix = path.substr(0, at);
    if (at != std::string::npos) ++at;
    if (::mkdir(prefix.c_str(), 0755) != 0 && errno != EEXIST) {
      return sys::Error::from_errno("mkdir " + prefix);
    }
  }
  return {};
}

/// A user namespace may not drop the flags that a mount came with, so they are kept.
sys::Result<void> make_read_only(const std::string& path) {
  struct statvfs now {};
  unsigned long keep = 0;
  if (::statvfs(path.c_str(), &now) == 0) {
    if ((now.f_flag & ST_NOSUID) != 0) keep |= MS_NOSUID;
    if ((now.f_flag & ST_NODEV) != 0) keep |= MS_NODEV;
    if ((now.f_flag & ST_NOEXEC) != 0) keep |= MS_NOEXEC;
    if ((now.f_flag & ST_NOATIME) != 0) keep |= MS_NOATIME;
    if ((now.f_flag & ST_RELATIME) != 0) keep |= MS_RELATIME;
  }
  if (::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | keep, nullptr) !=
      0) {
    return sys::Error::from_errno("remount read-only " + path);
  }
  return {};
}

bool is_folder(int tree) {
  struct stat status {};
  return ::fstat(tree, &status) == 0 && S_ISDIR(status.st_mode);
}

/// Something to mount a file on.
sys::Result<void> make_file(const std::string& path) {
  if (auto made = make_folders(path.substr(0, path.rfind('/'))); !made) return made;
  auto file = sys::open_file(path, O_WRONLY | O_CREAT, 0644);
  if (!file) return file.error();
  return {};
}

sys::Result<void> put_back(int tree, const std::string& path) {
  if (auto made = is_folder(tree) ? make_folders(path) : make_file(path); !made) return made;
  if (::move_mount(tree, "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return sys::Error::from_errno("move_mount " + path);
  }
  return make_read_only(path);
}

/// What lies under a fresh mount can still be reached, and written, from a working folder there.
void go_back_to(const std::string& folder) {
  if (folder.empty() || ::chdir(folder.c_str()) != 0) (void)!::chdir("/");
}

std::string working_folder() {
  std::array<char, 4096> path{};
  return ::getcwd(path.data(), path.size()) != nullptr ? path.data() : "";
}

}  // namespace

std::string show_message_queues(const std::string& folder) {
  // The machine's own would show its own queues, whatever the namespace of who looks.
  std::string at = "/dev/mqueue";
  if (::access(at.c_str(), F_OK) != 0) {
    at = folder + "/queues";
    (void)::mkdir(at.c_str(), 0700);
  }
  const int mounted =
      ::mount("mqueue", at.c_str(), "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  return mounted == 0 ? at : "";
}

sys::Result<void> furnish(const harness::Settings& settings, const std::vector<std::string>& shown,
                          const std::string& folder) {
  // Nothing that we mount may travel back to the machine's own tree.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return sys::Error::from_errno("make mounts private");
  }
  const std::string working = working_folder();
  std::vector<sys::Fd> copies;
  for (const auto& path : shown) {
    auto copy = detach_copy(path);
    if (!copy) return copy.error();
    copies.push_back(std::move(*copy));
  }
  if (auto done = mount_tmpfs("/tmp", settings.file_bytes, "1777"); !done) return done;
  if (::access("/dev/shm", F_OK) == 0) {
    if (auto done = mount_tmpfs("/dev/shm", settings.file_bytes, "1777"); !done) return done;
  }
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (auto done = put_back(copies[i].get(), shown[i]); !done) return done;
  }
  if (auto made = make_folders(folder); !made) return made;
  // Its own file system: the subject can fill /tmp without tearing the claims, and what we keep
  // here is not counted as the subject's.
  if (auto done = mount_tmpfs(folder.c_str(), 64LL << 20, "0700"); !done) return done;
  // Last, since the copies above were looked up through the old one.
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return sys::Error::from_errno("mount /proc");
  }
  go_back_to(working);
  return {};
}

}  // namespace poolproof::warden
