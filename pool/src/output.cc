#include "output.hpp"

#include <stdio_ext.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <typeinfo>

#if __has_include(<ext/stdio_sync_filebuf.h>)
#include <ext/stdio_sync_filebuf.h>
#endif

namespace poolproof::detail {
namespace {

/// Not one that buffers nothing but hands all to stdio, as the standard ones do unless somebody
/// asked for another way: to flush six of those would cost more than a small task.
template <class Char>
void flush(std::basic_ostream<Char>& stream) {
#if __has_include(<ext/stdio_sync_filebuf.h>)
  const std::basic_streambuf<Char>* const buffer = stream.rdbuf();
  if (buffer && typeid(*buffer) == typeid(__gnu_cxx::stdio_sync_filebuf<Char>)) return;
#endif
  try {
    stream.flush();
  } catch (const std::ios_base::failure&) {  // asked for by `exceptions`; the stream says so, too
  }
}

}  // namespace

void flush_output() {
  flush(std::cout);
  flush(std::cerr);
  flush(std::clog);
  flush(std::wcout);
  flush(std::wcerr);
  flush(std::wclog);
  std::fflush(nullptr);
}

bool flush_before_fork(bool beside_threads) {
  const std::array<FILE*, 3> streams{stdin, stdout, stderr};
  std::array<bool, 3> held_by_us{};
  bool all = !beside_threads;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    held_by_us[i] = ::ftrylockfile(streams[i]) == 0;
    all = all && held_by_us[i];
  }
  if (all) {
    flush_output();
  } else {
    for (std::size_t i = 1; i < streams.size(); ++i) {
      if (held_by_us[i]) std::fflush(streams[i]);
    }
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (held_by_us[i]) ::funlockfile(streams[i]);
  }
  return all;
}

void forget_output() {
  // A buffer of somebody else's making may wait for a lock that nobody here releases.
  if (dynamic_cast<std::filebuf*>(std::cout.rdbuf()) != nullptr) std::cout.flush();
  if (dynamic_cast<std::wfilebuf*>(std::wcout.rdbuf()) != nullptr) std::wcout.flush();
  std::fflush(nullptr);
}

}  // namespace poolproof::detail
