#include "image.hpp"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <poolproof/errors.hpp>
#include <string_view>

namespace poolproof::detail::image {
namespace {

/// A code is the object's key, and below it the function's offset. The program's own key is 0.
constexpr int kOffsetBits = 48;
constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << kOffsetBits) - 1;

struct Object {
  std::uintptr_t base = 0;
  std::uintptr_t begin = 0;  ///< what is mapped of it
  std::uintptr_t end = 0;
  std::string_view identity;  ///< its build-id, or else its file's name
  std::uint64_t key = 0;
};

/// The build-id in a PT_NOTE segment; nothing if it is not there.
std::string_view build_id_in(const char* notes, std::size_t size) {
  std::size_t at = 0;
  const auto padded = [](std::size_t length) { return (length + 3) & ~std::size_t{3}; };
  while (at + sizeof(ElfW(Nhdr)) <= size) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + at, sizeof note);
    const std::size_t name = at + sizeof note;
    const std::size_t content = name + padded(note.n_namesz);
    const bool is_gnu = note.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0;
    if (is_gnu && note.n_type == NT_GNU_BUILD_ID) return {notes + content, note.n_descsz};
    at = content + padded(note.n_descsz);
  }
  return {};
}

/// FNV-1a, folded; never 0, which is the program's own.
std::uint64_t key_of(std::string_view identity) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : identity) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return 1 + hash % 0xffff;
}

Object described(const dl_phdr_info& info, bool is_program) {
  Object object;
  object.base = info.dlpi_addr;
  object.begin = ~std::uintptr_t{0};
  for (const ElfW(Phdr)* part = info.dlpi_phdr; part != info.dlpi_phdr + info.dlpi_phnum; ++part) {
    const std::uintptr_t start = info.dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_LOAD) {
      object.begin = std::min(object.begin, start);
      object.end = std::max(object.end, start + part->p_memsz);
    } else if (part->p_type == PT_NOTE && object.identity.empty()) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): where the loader says that it is
      object.identity = build_id_in(reinterpret_cast<const char*>(start), part->p_memsz);
    }
  }
  if (object.identity.empty() && info.dlpi_name) {
    const std::string_view path = info.dlpi_name;
    object.identity = path.substr(path.find_last_of('/') + 1);
  }
  object.key = is_program ? 0 : key_of(object.identity);
  return object;
}

/// Calls `visit` with each object, the program first, until it returns false.
template <class Visit>
void for_each_object(Visit visit) {
  struct Walk {
    Visit* visit;
    bool first = true;
  } walk{&visit};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto* self = static_cast<Walk*>(data);
        const bool is_program = std::exchange(self->first, false);
        return (*self->visit)(described(*info, is_program)) ? 0 : 1;
      },
      &walk);
}

/// Read once: it stays where it is.
const Object& program() {
  static const Object object = [] {
    Object found;
    for_each_object([&](const Object& first) {
      found = first;
      return false;
    });
    return found;
  }();
  return object;
}

std::uintptr_t base_of(std::uint64_t key) {
  std::optional<std::uintptr_t> base;
  int count = 0;
  for_each_object([&](const Object& object) {
    if (object.key == key) {
      base = object.base;
      ++count;
    }
    return true;
  });
  if (count == 1) return *base;
  throw Error(
      "this worker lacks the library that the task is in: link it to the program, since what main "
      "loads later is not there in workers");
}

}  // namespace

std::string fingerprint() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : program().identity) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  const auto here = std::bit_cast<std::uintptr_t>(&fingerprint) - program().base;
  return text + 'x' + std::to_string(program().end - program().begin) + 'x' + std::to_string(here);
}

std::uint64_t code_of(Invoke function) {
  const auto address = std::bit_cast<std::uintptr_t>(function);
  const auto holds = [&](const Object& o) { return address >= o.begin && address < o.end; };
  if (holds(program())) return address - program().base;
  std::uint64_t code = 0;
  for_each_object([&](const Object& object) {
    if (!holds(object)) return true;
    code = (object.key << kOffsetBits) | ((address - object.base) & kOffsetMask);
    return false;
  });
  if (code == 0) throw Error("the task's code is in no file, so no other process can find it");
  return code;
}

Invoke function_at(std::uint64_t code) {
  const std::uint64_t key = code >> kOffsetBits;
  const std::uintptr_t base = key == 0 ? program().base : base_of(key);
  return std::bit_cast<Invoke>(base + (code & kOffsetMask));
}

}  // namespace poolproof::detail::image
