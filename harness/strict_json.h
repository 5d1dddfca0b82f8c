#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/sys/result.h"

namespace poolproof::harness {

/// Strict reading of JSON that somebody else wrote (a case file, a saved trace, an adapter's
/// claim), and plain writing of our own. Private to the codecs: it brings in nlohmann/json. Nothing
/// throws.

inline constexpr std::size_t kMaxJsonBytes = 4 << 20;
inline constexpr int kMaxJsonDepth = 16;

/// Somebody else's text, fit for one line of a terminal: quoted, escaped, clipped.
inline std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  const nlohmann::json clipped = std::string(text.substr(0, kMost));
  return clipped.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
         (text.size() > kMost ? "..." : "");
}

/// The first thing that was wrong with a document; what follows it is mostly a consequence.
class Complaint {
 public:
  void say(std::string_view path, std::string_view what) {
    if (!text_.empty()) return;
    text_ = path.empty() ? std::string(what) : std::string(path) + ": " + std::string(what);
  }
  bool any() const { return !text_.empty(); }
  sys::Error error(std::string_view document) const {
    return sys::Error(std::string(document) + ": " + text_);
  }

 private:
  std::string text_;
};

/// One JSON object, key by key. A getter that finds something else than what it asks for complains
/// and returns a harmless value; finish() complains about keys that nobody asked for.
class ObjectReader {
 public:
  /// path: where the object stands in its document ("steps[2]"); empty for the document itself.
  ObjectReader(const nlohmann::json& value, std::string path, Complaint& complaint)
      : value_(value), path_(std::move(path)), complaint_(complaint) {
    if (!value.is_object())
      complaint_.say(path_.empty() ? "document" : path_, "expected an object");
  }

  bool has(std::string_view key) const { return value_.is_object() && value_.contains(key); }

  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) {
    const auto* found = required(key);
    return found != nullptr ? integer_of(*found, key, low, high) : low;
  }
  int small(std::string_view key, int low, int high) {
    return static_cast<int>(integer(key, low, high));
  }
  std::optional<std::int64_t> maybe_integer(std::string_view key, std::int64_t low,
                                            std::int64_t high) {
    const auto* found = ask(key);
    if (found == nullptr) return std::nullopt;
    return integer_of(*found, key, low, high);
  }
  /// The whole unsigned range, for seeds.
  std::uint64_t maybe_unsigned(std::string_view key) {
    const auto* found = ask(key);
    if (found == nullptr) return 0;
    if (found->is_number_unsigned()) return found->get<std::uint64_t>();
    complain(key, "expected an integer from 0 to 18446744073709551615");
    return 0;
  }

  bool boolean(std::string_view key) {
    const auto* found = required(key);
    return found != nullptr && boolean_of(*found, key);
  }
  std::optional<bool> maybe_boolean(std::string_view key) {
    const auto* found = ask(key);
    if (found == nullptr) return std::nullopt;
    return boolean_of(*found, key);
  }

  std::string text(std::string_view key) {
    const auto* found = required(key);
    return found != nullptr ? text_of(*found, key) : std::string();
  }
  std::string maybe_text(std::string_view key) {
    const auto* found = ask(key);
    return found != nullptr ? text_of(*found, key) : std::string();
  }

  /// A name out of a table: `named` turns text into optional<T>.
  template <class Named>
  auto one_of(std::string_view key, Named named) -> typename decltype(named(key))::value_type {
    const std::string word = text(key);
    const auto found = named(word);
    if (found) return *found;
    complain(key, shown(word) + " is none of the names known here");
    return {};
  }

  /// Never null: an empty array or object stands for one that is missing, after the complaint.
  const nlohmann::json& array(std::string_view key) {
    static const nlohmann::json kNothing = nlohmann::json::array();
    const auto* found = required(key);
    if (found != nullptr && found->is_array()) return *found;
    complain(key, "expected an array");
    return kNothing;
  }
  const nlohmann::json& object(std::string_view key) {
    static const nlohmann::json kNothing = nlohmann::json::object();
    const auto* found = required(key);
    if (found != nullptr && found->is_object()) return *found;
    complain(key, "expected an object");
    return kNothing;
  }

  void finish() {
    if (!value_.is_object() || complaint_.any()) return;
    for (const auto& [key, unused] : value_.items()) {
      if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
        complaint_.say(path_, "unknown key " + shown(key));
      }
    }
  }

  void complain(std::string_view key, std::string_view what) { complaint_.say(path_to(key), what); }

  std::string path_to(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }
  std::string path_to(std::string_view key, std::size_t index) const {
    return path_to(key) + "[" + std::to_string(index) + "]";
  }

 private:
  const nlohmann::json* ask(std::string_view key) {
    asked_.push_back(key);
    if (!value_.is_object()) return nullptr;
    const auto found = value_.find(key);
    return found == value_.end() ? nullptr : &*found;
  }
  const nlohmann::json* required(std::string_view key) {
    const auto* found = ask(key);
    if (found == nullptr) complain(key, "missing");
    return found;
  }
  std::int64_t integer_of(const nlohmann::json& found, std::string_view key, std::int64_t low,
                          std::int64_t high) {
    const bool fits = found.is_number_integer() &&
                      (!found.is_number_unsigned() || found.get<std::uint64_t>() <= INT64_MAX);
    const std::int64_t number = fits ? found.get<std::int64_t>() : low;
    if (fits && low <= number && number <= high) return number;
    complain(key,
             "expected an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return low;
  }
  bool boolean_of(const nlohmann::json& found, std::string_view key) {
    if (found.is_boolean()) return found.get<bool>();
    complain(key, "expected true or false");
    return false;
  }
  std::string text_of(const nlohmann::json& found, std::string_view key) {
    if (found.is_string()) return found.get<std::string>();
    complain(key, "expected a string");
    return {};
  }

  const nlohmann::json& value_;
  std::string path_;
  Complaint& complaint_;
  std::vector<std::string_view> asked_;
};

/// How deep brackets nest, told before anything is built from them.
inline int json_depth(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

/// Refuses too much, too deep, and what is not JSON. `twice` also refuses an object with the same
/// key twice, of which a plain parser would believe the last (slower: for what people write).
inline sys::Result<nlohmann::json> parse_json(std::string_view text, bool twice = false) {
  if (text.size() > kMaxJsonBytes) return sys::Error("more than 4 MiB");
  if (json_depth(text) > kMaxJsonDepth) return sys::Error("nested too deeply");
  std::vector<std::vector<std::string>> keys;
  std::string repeated;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Seen = nlohmann::json::parse_event_t;
    if (event == Seen::object_start) keys.emplace_back();
    if (event == Seen::object_end) keys.pop_back();
    if (event != Seen::key) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    auto& level = keys.back();
    if (std::find(level.begin(), level.end(), key) != level.end()) repeated = key;
    if (level.size() < 64) level.push_back(key);
    return true;
  };
  try {
    auto parsed = twice ? nlohmann::json::parse(text, watch) : nlohmann::json::parse(text);
    if (!repeated.empty()) return sys::Error("key " + shown(repeated) + " twice in one object");
    return parsed;
  } catch (const nlohmann::json::exception& error) {
    const std::string_view what = error.what();
    const auto prefix = what.find("] ");
    std::string told(prefix == what.npos ? what : what.substr(prefix + 2));
    for (char& c : told) {
      if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '?';
    }
    return sys::Error("not JSON: " + told.substr(0, 200));
  }
}

/// A JSON string literal; bytes that are not UTF-8 become U+FFFD.
inline void append_json_string(std::string& out, std::string_view text) {
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (std::all_of(text.begin(), text.end(), plain)) {
    out.append(1, '"').append(text).append(1, '"');
    return;
  }
  out += nlohmann::json(std::string(text))
             .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// `{"a": 1, "b": "x"}`, keys in the order of writing.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ObjectWriter& number(std::string_view key, std::int64_t value) {
    name(key) += std::to_string(value);
    return *this;
  }
  ObjectWriter& text(std::string_view key, std::string_view value) {
    append_json_string(name(key), value);
    return *this;
  }
  ObjectWriter& boolean(std::string_view key, bool value) {
    name(key) += value ? "true" : "false";
    return *this;
  }
  /// Writes `"key": ` and hands out the text, for a value of any other shape.
  std::string& name(std::string_view key) {
    if (!first_) out_ += ", ";
    first_ = false;
    out_.append(1, '"').append(key).append("\": ");
    return out_;
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace poolproof::harness
