#include "chaos/faults/control_socket.h"

#include <exception>
#include <memory>

#include <capnp/serialize.h>

#include "chaos/faults/patience.h"
#include "chaos/stage.h"
#include "ipc/control.capnp.h"
#include "ipc/socket.h"

namespace arenad::chaos {
Result<void> wait_for_arenad(Stage& stage, const Strike&) {
  return wait_until(stage, "an arenad that takes connections", [&] { return bool(connect_unix(stage.rig().socket())); });
}

Result<void> with_connection(const Stage& stage, const std::function<void(test::RawControl&)>& use) {
  try {
    test::RawControl connection(stage.rig().socket());
    use(connection);
  } catch (const std::exception& error) {
    return make_error(ErrorCode::unreachable, error.what());
  }
  return {};
}

Result<void> hold_connections(Stage& stage, const std::string& fault, const Strike& strike, size_t count,
                              const std::string& first_bytes) {
  auto held = std::make_shared<std::vector<test::RawControl>>();
  for (size_t i = 0; i < count; ++i) {
    try {
      held->emplace_back(stage.rig().socket());
    } catch (const std::exception& error) {
      return make_error(ErrorCode::unreachable, error.what());
    }
    held->back().send(first_bytes);
  }
  stage.prop(fault, strike.arena) = std::move(held);
  return {};
}

Result<void> drop_connections(Stage& stage, const std::string& fault, const Strike& strike) {
  stage.prop(fault, strike.arena).reset();
  return {};
}

std::string version_request() {
  capnp::MallocMessageBuilder message;
  message.initRoot<wire::Request>().setVersion();
  const auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().size()};
}

std::string word(uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string random_bytes(Random& random, size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

}  // namespace arenad::chaos
