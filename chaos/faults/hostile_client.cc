#include "chaos/faults/hostile_client.h"

#include <cstring>

#include <capnp/schema.h>

#include "chaos/games/ledger.capnp.h"
#include "chaos/stage.h"
#include "ipc/limits.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kAttachMs = 10'000;
constexpr const char* kProp = "hostile client";

}  // namespace

Result<std::unique_ptr<HostileClient>> HostileClient::attach(const Stage& stage, size_t arena) {
  auto control = ControlClient::connect(stage.rig().socket());
  if (!control) return control.error();
  auto writer = ChannelWriter::create(limits::kMinChannelBytes);
  if (!writer) return writer.error();
  const int fd = writer->fd().get();
  auto answer = control->call(
      [&](wire::Request::Builder request) {
        auto to = request.initAttach();
        to.setArena(stage.arenas()[arena].name);
        to.setPlayer("mallory");
      },
      {&fd, 1}, kAttachMs);
  if (!answer) return answer.error();
  return std::unique_ptr<HostileClient>(
      new HostileClient(std::move(*control), std::move(*writer), answer->root().getReply().getAttached().getSeat()));
}

void HostileClient::write(RecordHeader header, std::span<const uint64_t> words) {
  auto* at = static_cast<std::byte*>(writer_.reserve(words.size()));
  if (at == nullptr) return;
  std::memcpy(at - kRecordHeaderBytes, &header, sizeof header);
  std::memcpy(at, words.data(), words.size_bytes());
}

void HostileClient::send(uint64_t type, std::span<const uint64_t> words) {
  void* space = writer_.reserve(words.size());
  if (space == nullptr) return;
  std::memcpy(space, words.data(), words.size_bytes());
  writer_.commit(type, words.size());
  writer_.publish();
}

bool HostileClient::is_expelled() {
  if (!control_.poll()) is_expelled_ = true;
  while (auto notice = control_.next_notice()) {
    const auto root = notice->root().getNotice();
    is_expelled_ = is_expelled_ || (root.isGone() && root.getGone().getState() == "expelled");
  }
  return is_expelled_;
}

uint64_t honest_type() {
  return capnp::typeId<ledger::Entry>();
}

std::function<Result<void>(Stage&, const Strike&)> attach_and(Evil evil) {
  return [evil = std::move(evil)](Stage& stage, const Strike& strike) -> Result<void> {
    auto client = HostileClient::attach(stage, strike.arena);
    // The one before it may not have been missed yet.
    for (int i = 0; i < 500 && !client && client.error().code == ErrorCode::refused && !stage.is_called_off(); ++i) {
      stage.turn();
      client = HostileClient::attach(stage, strike.arena);
    }
    if (!client) return client.error();
    evil(**client, strike.draw);
    stage.prop(kProp, strike.arena) = std::shared_ptr<HostileClient>(std::move(*client));
    return {};
  };
}

std::shared_ptr<HostileClient> hostile_client(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<HostileClient>(stage.prop(kProp, strike.arena));
}

bool hostile_client_is_expelled(const Stage& stage, const Strike& strike) {
  const auto client = hostile_client(stage, strike);
  return client && client->is_expelled();
}

Result<void> hostile_client_goes(Stage& stage, const Strike& strike) {
  stage.prop(kProp, strike.arena).reset();
  return {};
}

}  // namespace arenad::chaos
