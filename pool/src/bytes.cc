#include <cerrno>
#include <poolproof/detail/bytes.hpp>
#include <system_error>

#include "payload_file.hpp"

namespace poolproof::detail {

void Bytes::Closer::operator()(PayloadFile* file) const {
  delete file;
}

std::string_view Bytes::view_of_file() const {
  return file_->view();
}

void Bytes::append_large(const char* data, std::size_t size) {
  if (!file_ && text_.size() <= kLargestInMemory) {  // else there was none to be had
    file_.reset(PayloadFile::create(text_.size() + size).release());
    if (file_) file_->append(text_.data(), text_.size());
    if (file_) std::string().swap(text_);
  }
  if (file_ && file_->append(data, size)) return;
  if (file_) {  // it cannot grow any more
    text_.reserve(file_->view().size() + size);
    text_.assign(file_->view());
    file_.reset();
  }
  text_.append(data, size);
}

void Bytes::clear() {
  text_.clear();
  if (text_.capacity() > kLargestInMemory) std::string().swap(text_);
  file_.reset();
}

int Bytes::file_to_send() {
  if (!file_) {
    file_.reset(PayloadFile::create(text_.size()).release());
    if (!file_ || !file_->append(text_.data(), text_.size())) {
      file_.reset();
      throw std::system_error(
          EMFILE, std::system_category(),
          "poolproof: no file for a payload of " + std::to_string(text_.size()) + " bytes");
    }
    std::string().swap(text_);
  }
  const int file = file_->seal();
  if (file == -1) {
    throw std::system_error(errno, std::system_category(), "poolproof: seal a payload");
  }
  return file;
}

Bytes Bytes::of_received(int file, std::size_t size) {
  Bytes result;
  result.file_.reset(PayloadFile::open(Fd(file), size).release());
  if (!result.file_) throw std::bad_alloc();
  return result;
}

}  // namespace poolproof::detail
