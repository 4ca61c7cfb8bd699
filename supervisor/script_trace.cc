#include "supervisor/script_trace.h"

#include <algorithm>

#include "ipc/limits.h"
#include "ipc/printable.h"

namespace arenad {
namespace {

constexpr std::string_view kBlanks(" \t\r\0", 4);

std::string_view trimmed(std::string_view line) {
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace

std::vector<std::string> script_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < limits::kMaxScriptLines) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (const std::string_view line = trimmed(text.substr(0, end)); !line.empty()) lines.push_back(printable_lines(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

ScriptTrace script_trace(const ScriptText& copy) {
  const auto source = static_cast<ScriptSource>(copy.source);
  if (source != ScriptSource::stack && source != ScriptSource::error) return {};
  ScriptTrace trace{source, script_lines({copy.text, std::min<size_t>(copy.bytes, sizeof copy.text)})};
  return trace.lines.empty() ? ScriptTrace{} : trace;
}

}  // namespace arenad
