// A request to attach, as bytes, with the channel that comes with it: for clients that go away in the middle of it.
#pragma once

#include <string>

#include "chaos/rig/raw_control.h"
#include "ipc/channel.h"

namespace arenad::chaos {

class AttachRequest {
 public:
  enum class As { mallory, observer };
  static Result<AttachRequest> make(const std::string& arena, As as);

  [[nodiscard]] size_t bytes() const { return bytes_.size(); }
  // The first so many of them, the channel with the first one. False if arenad has hung up.
  bool send(test::RawControl& to, size_t count) const;
  bool send(test::RawControl& to) const { return send(to, bytes_.size()); }

 private:
  AttachRequest(std::string bytes, ChannelWriter channel) : bytes_(std::move(bytes)), channel_(std::move(channel)) {}
  std::string bytes_;
  ChannelWriter channel_;
};

}  // namespace arenad::chaos
