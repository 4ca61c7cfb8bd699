#include "ipc/cage_options.h"

#include <charconv>

namespace arenad {
namespace {

constexpr std::string_view kModes[] = {"kill", "log", "off"};

std::string flag(std::string_view name, bool is_set) {
  return is_set ? std::string(name) + "\n" : std::string();
}

std::string list(std::string_view name, const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += std::string(name) + "=" + value + "\n";
  return text;
}

// Whether the line was understood.
bool take_line(CageOptions& options, std::string_view name, std::string_view value) {
  if (name == "mode") {
    for (size_t i = 0; i < std::size(kModes); ++i) {
      if (value != kModes[i]) continue;
      options.mode = static_cast<CageMode>(i);
      return true;
    }
    return false;
  }
  if (name == "memory") {
    const char* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, options.memory_bytes);
    return error == std::errc{} && at == end;
  }
  if (name == "network") return options.network = true;
  if (name == "threads") return options.threads = true;
  if (name == "core_dumps") return options.core_dumps = true;
  if (name == "read") options.readable.emplace_back(value);
  if (name == "write") options.writable.emplace_back(value);
  if (name == "call") options.system_calls.emplace_back(value);
  return name == "read" || name == "write" || name == "call";
}

}  // namespace

std::string CageOptions::text() const {
  return "mode=" + std::string(kModes[static_cast<size_t>(mode)]) + "\nmemory=" + std::to_string(memory_bytes) + "\n" +
         flag("network", network) + flag("threads", threads) + flag("core_dumps", core_dumps) + list("read", readable) +
         list("write", writable) + list("call", system_calls);
}

Result<CageOptions> CageOptions::parse(std::string_view text) {
  CageOptions options;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = std::min(line.find('='), line.size());
    const std::string_view value = line.substr(std::min(equals + 1, line.size()));
    if (take_line(options, line.substr(0, equals), value)) continue;
    return make_error(ErrorCode::invalid, "the cage has a line that is not understood, \"" + std::string(line) +
                                              "\": use the arena-worker that came with this arenad");
  }
  return options;
}

}  // namespace arenad
