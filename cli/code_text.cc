#include "cli/code_text.h"

#include "ipc/printable.h"

namespace arenad::cli {

std::string short_code(std::string_view code) {
  constexpr size_t kDigits = 12;
  return std::string(code.substr(0, kDigits));
}

std::string version_label(std::string_view version, std::string_view code) {
  const std::string digits = printable(short_code(code));
  if (version.empty()) return digits.empty() ? "?" : digits;
  return printable(version) + (digits.empty() ? "" : " (" + digits + ")");
}

}  // namespace arenad::cli
