// Where metrics are to be had ([metrics] listen of the configuration). Pure.
//
//   ""                  nowhere
//   "unix:PATH"         a Unix socket; a relative path begins at daemon.runtime_directory
//   "127.0.0.1:PORT"    TCP, on an address of this machine alone: 127.0.0.0/8, or "[::1]:PORT"
//
// Everybody on the machine can connect to a TCP port, and nobody can say who it was; so no address that others can reach is taken at all.
#pragma once

#include <filesystem>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace arenad {

struct NoMetrics {};
struct UnixMetrics {
  std::filesystem::path path;
};
struct LoopbackMetrics {
  sockaddr_storage address;
  socklen_t bytes;
};
using MetricsAddress = std::variant<NoMetrics, UnixMetrics, LoopbackMetrics>;

// Nothing if it is none of these.
std::optional<MetricsAddress> parse_metrics_address(std::string_view text);

}  // namespace arenad
