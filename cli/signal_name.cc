#include "cli/signal_name.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <csignal>
#include <string.h>

#include "cli/suggestion.h"

namespace arenad::cli {

Result<uint32_t> parse_signal(const std::string& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) {
    if (number >= 1 && number <= static_cast<uint32_t>(SIGRTMAX)) return number;
    return make_error(ErrorCode::invalid,
                      "there is no signal " + text + ": they have the numbers 1 to " + std::to_string(SIGRTMAX));
  }
  std::string name = text;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) return static_cast<uint32_t>(signal);
  }
  return make_error(ErrorCode::invalid, "there is no signal '" + text + "'" + did_you_mean(name, signal_names()));
}

std::vector<std::string> signal_names() {
  std::vector<std::string> names;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (const char* abbreviation = ::sigabbrev_np(signal); abbreviation != nullptr) names.emplace_back(abbreviation);
  }
  return names;
}

}  // namespace arenad::cli
