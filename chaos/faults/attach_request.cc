#include "chaos/faults/attach_request.h"

#include <capnp/serialize.h>

#include "ipc/control.capnp.h"
#include "ipc/limits.h"

namespace arenad::chaos {

Result<AttachRequest> AttachRequest::make(const std::string& arena, As as) {
  auto channel = ChannelWriter::create(as == As::observer ? 0 : limits::kMinChannelBytes);
  if (!channel) return channel.error();
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<wire::Request>();
  request.setId(1);
  request.setFds(1);
  auto attach = request.initAttach();
  attach.setArena(arena);
  attach.setObserver(as == As::observer);
  if (as == As::mallory) attach.setPlayer("mallory");
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asChars();
  return AttachRequest({bytes.begin(), bytes.size()}, std::move(*channel));
}

bool AttachRequest::send(test::RawControl& to, size_t count) const {
  const int fd = channel_.fd().get();
  return to.send(std::string_view(bytes_).substr(0, count), {&fd, 1});
}

}  // namespace arenad::chaos
