#include "harness/warden/messages.h"

#include <nlohmann/json.hpp>

namespace poolproof::warden {
namespace {

using nlohmann::json;

/// Bytes that are no text come out as question marks; nothing throws. (A program of such a name is
/// then not found, which says enough.)
std::string one_line(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

template <class Parse>
auto parsed(std::string_view line, Parse parse) -> sys::Result<decltype(parse(json()))> {
  try {
    return parse(json::parse(line));
  } catch (const json::exception& error) {
    return sys::Error("message between runner and warden: " + std::string(error.what()));
  }
}

}  // namespace

std::string to_line(const Hello& hello) {
  return one_line({{"rung", hello.rung}, {"name", hello.name}, {"why_not", hello.why_not}});
}

sys::Result<Hello> hello_from_line(std::string_view line) {
  return parsed(line, [](const json& object) {
    return Hello{object.at("rung"), object.at("name"), object.at("why_not")};
  });
}

static std::vector<std::string> names_of(const std::set<harness::Inherited>& inherits) {
  std::vector<std::string> names;
  for (const auto inherited : inherits) names.emplace_back(name(inherited));
  return names;
}

std::string to_line(const Request& request) {
  const auto& settings = request.settings;
  return one_line({{"command", request.command},
                   {"scenario", request.scenario},
                   {"grace_ms", settings.grace.count()},
                   {"fuse_ms", settings.fuse.count()},
                   {"max_births", settings.max_births},
                   {"data_bytes", settings.data_bytes},
                   {"file_bytes", settings.file_bytes},
                   {"prompt_steps", request.prompt_steps},
                   {"waiting_steps", request.waiting_steps},
                   {"snapshot_steps", request.snapshot_steps},
                   {"hold", request.hold},
                   {"fresh", request.fresh},
                   {"processors", request.processors},
                   {"inherits", names_of(request.inherits)},
                   {"fault", request.fault ? harness::to_string(*request.fault) : ""}});
}

static Request request_from(const json& object) {
  Request request;
  request.command = object.at("command").get<std::vector<std::string>>();
  request.scenario = object.at("scenario");
  request.settings.grace = std::chrono::milliseconds(object.at("grace_ms"));
  request.settings.fuse = std::chrono::milliseconds(object.at("fuse_ms"));
  request.settings.max_births = object.at("max_births");
  request.settings.data_bytes = object.at("data_bytes");
  request.settings.file_bytes = object.at("file_bytes");
  request.waiting_steps = object.at("waiting_steps").get<std::vector<int>>();
  request.prompt_steps = object.at("prompt_steps").get<std::vector<int>>();
  request.snapshot_steps = object.at("snapshot_steps").get<std::vector<int>>();
  request.hold = object.at("hold");
  request.fresh = object.at("fresh");
  request.processors = object.at("processors");
  for (const std::string name : object.at("inherits")) {
    if (const auto inherited = harness::inherited_named(name)) request.inherits.insert(*inherited);
  }
  if (const std::string token = object.at("fault"); !token.empty()) {
    if (auto fault = harness::fault_from_string(token)) request.fault = std::move(*fault);
  }
  return request;
}

/// What is not taken over word for word would be left out of the case, and its verdict be one about
/// another: a warden of an older build knows less than is asked of it.
sys::Result<Request> request_from_line(std::string_view line) {
  auto request = parsed(line, request_from);
  if (request && json::parse(to_line(*request)) != json::parse(line))
    return sys::Error(
        "the warden is of another build than the runner, and knows less: install "
        "both together");
  return request;
}

std::string to_frame(const sys::Result<harness::Trace>& answer) {
  const std::string body = answer ? to_json_lines(*answer) : answer.error().message();
  return (answer ? "trace " : "error ") + std::to_string(body.size()) + "\n" + body;
}

}  // namespace poolproof::warden
