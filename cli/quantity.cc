#include "cli/quantity.h"

#include <array>
#include <charconv>
#include <ctime>
#include <fmt/format.h>

namespace arenad::cli {
namespace {

struct DurationUnit {
  std::string_view name;
  uint64_t ms;
};
constexpr std::array kDurationUnits{DurationUnit{"ms", 1}, DurationUnit{"s", 1000}, DurationUnit{"m", 60'000},
                                    DurationUnit{"h", 3'600'000}};

// One decimal for small numbers, none for others.
std::string short_number(uint64_t tenths, std::string_view unit) {
  if (tenths < 100 && tenths % 10 != 0) {
    return fmt::format("{}.{}{}", tenths / 10, tenths % 10, unit);
  }
  return fmt::format("{}{}", tenths / 10, unit);
}

std::string long_duration_text(uint64_t seconds) {
  const uint64_t minutes = seconds / 60;
  const uint64_t hours = minutes / 60;
  if (hours == 0) return fmt::format("{}m{:02}s", minutes, seconds % 60);
  if (hours < 24) return fmt::format("{}h{:02}m", hours, minutes % 60);
  return fmt::format("{}d{:02}h", hours / 24, hours % 24);
}

}  // namespace

std::optional<uint64_t> parse_duration_ms(std::string_view text) {
  if (text == "0") return 0;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  for (const DurationUnit& known : kDurationUnits) {
    if (unit != known.name) continue;
    if (number > kMaxDurationMs / known.ms) return std::nullopt;
    return number * known.ms;
  }
  return std::nullopt;
}

std::string duration_text(double microseconds) {
  if (!(microseconds > 0)) return "0s";
  constexpr double kBeyondAllClocks = 1e18;
  if (microseconds >= kBeyondAllClocks) return "forever";
  const auto us = static_cast<uint64_t>(microseconds);
  if (us < 1000) return short_number(static_cast<uint64_t>(microseconds * 10), "us");
  if (us < 1'000'000) return short_number(us / 100, "ms");
  if (us < 60'000'000) return short_number(us / 100'000, "s");
  return long_duration_text(us / 1'000'000);
}

std::string bytes_text(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{}B", bytes);
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would be shown as 1024.0.
  while (amount >= 1023.95 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f}{}", amount, kUnits[unit]);
}

std::string utc_text(uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "?";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string utc_ms_text(int64_t unix_ms) {
  const int64_t ms = (unix_ms % 1000 + 1000) % 1000;
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000 - (unix_ms % 1000 < 0 ? 1 : 0));
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "?";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, ms);
}

}  // namespace arenad::cli
