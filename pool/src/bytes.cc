#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>
#include <poolproof/detail/bytes.hpp>
#include <string>
#include <system_error>

#include "fd.hpp"
#include "kept_files.hpp"
#include "payload_file.hpp"

namespace poolproof::detail {

void Bytes::Closer::operator()(PayloadFile* file) const {
  KeptFiles::keep(std::unique_ptr<PayloadFile>(file));
}

std::string_view Bytes::view_of_file() const {
  if (flush()) return file_->view();
  take_into_memory();
  return text_;
}

std::size_t Bytes::size_of_file() const {
  return file_->size();
}

bool Bytes::file_is_far() const {
  return text_.empty() && !file_->mapped();
}

std::size_t Bytes::read(std::size_t offset, char* to, std::size_t size) const {
  return file_->read(offset, to, size);
}

void Bytes::append_large(const char* data, std::size_t size) {
  if (!file_ && text_.size() <= kLargestInMemory) {  // else there was none to be had
    file_.reset(PayloadFile::create(PayloadFile::For::keeping).release());
  }
  if (file_ && flush() && (size <= kLargestInMemory / 2 || file_->append(data, size))) {
    if (size <= kLargestInMemory / 2) text_.append(data, size);
    return;
  }
  if (file_) take_into_memory();
  text_.append(data, size);
}

/// False if the file cannot grow.
bool Bytes::flush() const {
  if (text_.empty()) return true;
  if (!file_->append(text_.data(), text_.size())) return false;
  text_.clear();
  return true;
}

void Bytes::take_into_memory() const {
  std::string all;
  all.reserve(file_->size() + text_.size());
  all.append(file_->view()).append(text_);
  text_ = std::move(all);
  file_.reset();
}

void Bytes::clear() {
  text_.clear();
  if (text_.capacity() > kLargestInMemory) std::string().swap(text_);
  file_.reset();
}

PayloadFile& Bytes::file_to_send() {
  if (!file_) file_.reset(PayloadFile::create(PayloadFile::For::sending).release());
  if (file_ && flush()) return *file_;
  const int error = errno;
  if (file_) take_into_memory();
  const std::string limit =
      error == EFBIG ? " (" + limit_in_words("RLIMIT_FSIZE", RLIMIT_FSIZE) + ")" : "";
  throw std::system_error(
      error, std::system_category(),
      "poolproof: no file for a payload of " + std::to_string(text_.size()) + " bytes" + limit);
}

void Bytes::abandon() const {
  if (file_ && file_->descriptor() >= 0) ::close(file_->descriptor());
}

Bytes Bytes::of_received(PayloadFile* file) {
  if (!file) throw std::bad_alloc();
  Bytes result;
  result.file_.reset(file);
  return result;
}

}  // namespace poolproof::detail
