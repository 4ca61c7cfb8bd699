// Durations and sizes as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arenad::cli {

constexpr uint64_t kMaxDurationMs = 366ull * 24 * 3600 * 1000;

// A whole number and a unit: 500ms, 10s, 2m, 1h; 0 needs no unit. Nothing if it is anything else, or longer than
// kMaxDurationMs.
std::optional<uint64_t> parse_duration_ms(std::string_view text);

// At most six characters for what takes less than 100 days: 3.4us, 850us, 4.2ms, 45s, 5m03s, 2h05m,
// 3d04h. Rounded down, so that nothing is said to have lasted longer than it has.
std::string duration_text(double microseconds);

// 512B, 16.0KiB, 4.0MiB.
std::string bytes_text(uint64_t bytes);

// 2026-01-02T03:04:05Z
std::string utc_text(uint64_t unix_ms);

// 2026-01-02T03:04:05.678Z; "?" if no calendar has it.
std::string utc_ms_text(int64_t unix_ms);

}  // namespace arenad::cli
