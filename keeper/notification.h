// What a service says to its supervisor over NOTIFY_SOCKET: lines of NAME=VALUE in one datagram. Pure.
// Source: sd_notify(3) of systemd 252.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arenad {

struct Notification {
  bool ready = false;
  bool stopping = false;
  bool watchdog_ping = false;
  bool watchdog_trigger = false;
  bool store = false;         // FDSTORE=1: keep the descriptors that came with it
  bool store_remove = false;  // FDSTOREREMOVE=1: forget those of this name
  bool poll = true;           // FDPOLL=0: keep them also when they hang up
  std::string name = "stored";
  std::optional<std::string> status;
  std::optional<uint64_t> watchdog_usec;
  std::optional<uint64_t> extend_timeout_usec;
};

// Lines that are not known or not well-formed are left out, as the protocol wants it.
Notification parse_notification(std::string_view datagram);

// Whether a descriptor may be stored under this name: 1 to 255 printable characters of ASCII, no colon.
bool is_descriptor_name(std::string_view name);

}  // namespace arenad
