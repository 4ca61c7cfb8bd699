#include "chaos/gauge.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "ipc/clock.h"
#include "ipc/limits.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kRestNs = 2500 * kMillisecond;  // some checkpoints long
constexpr uint64_t kKillsBetweenSamples = 10;

// The fields of /proc/PID/status are in kB, which are KiB (proc(5)).
uint64_t status_field(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
  }
  return 0;
}

uint64_t count_descriptors(pid_t pid) {
  std::error_code error;
  uint64_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    ++count;
  }
  return count;
}

}  // namespace

double slope(const std::vector<std::pair<double, double>>& points) {
  double mean_x = 0;
  double mean_y = 0;
  for (const auto& [x, y] : points) {
    mean_x += x / static_cast<double>(points.size());
    mean_y += y / static_cast<double>(points.size());
  }
  double covariance = 0;
  double variance = 0;
  for (const auto& [x, y] : points) {
    covariance += (x - mean_x) * (y - mean_y);
    variance += (x - mean_x) * (x - mean_x);
  }
  return variance == 0 ? 0 : covariance / variance;
}

// A run too short for that is measured as well, in its second half: its slope is then that of the database.
bool Gauge::is_warm(const Kills& kills) const {
  return kills.fewest >= 2 * limits::kMaxDeathsOfArena || kills.all >= last_ / 2;
}

bool Gauge::look(uint64_t now_ns, const Kills& kills, bool all_are_up) {
  switch (stage_) {
    case Stage::warming_up:
      if (!is_warm(kills)) return false;
      warm_up_ = kills.all;
      stage_ = Stage::first_rest;
      return true;
    case Stage::first_rest:
      if (!rest(now_ns, all_are_up, fds_before_)) return true;
      stage_ = Stage::measuring;
      return false;
    case Stage::measuring:
      if (kills.all >= next_sample_) {
        sample(kills.all);
        next_sample_ = kills.all + kKillsBetweenSamples;
      }
      if (kills.all < last_) return false;
      stage_ = Stage::last_rest;
      return true;
    case Stage::last_rest:
      if (rest(now_ns, all_are_up, fds_after_)) stage_ = Stage::done;
      return true;
    case Stage::done:
      return false;
  }
  return false;
}

// True when it is over.
bool Gauge::rest(uint64_t now_ns, bool all_are_up, uint64_t& fewest) {
  if (!all_are_up) rest_since_ns_ = 0;
  if (!all_are_up) return false;
  if (rest_since_ns_ == 0) {
    rest_since_ns_ = now_ns;
    fewest = UINT64_MAX;
  }
  fewest = std::min(fewest, count_descriptors(arenad_));
  if (now_ns - rest_since_ns_ < kRestNs) return false;
  rest_since_ns_ = 0;
  return true;
}

void Gauge::sample(uint64_t kills) {
  rss_kib_.emplace_back(kills, status_field(arenad_, "VmRSS"));
  anonymous_kib_.emplace_back(kills, status_field(arenad_, "RssAnon"));
}

}  // namespace arenad::chaos
