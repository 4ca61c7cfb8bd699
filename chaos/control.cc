#include "chaos/control.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kTimeoutMs = 60'000;

Error unexpected(const char* request) {
  return make_error(ErrorCode::corrupt, std::string("arenad gives an answer of another kind to ") + request);
}

void select(wire::Selection::Builder selection, std::span<const ArenaId> arenas) {
  auto list = selection.initArenas(static_cast<uint>(arenas.size()));
  for (uint i = 0; i < list.size(); ++i) list.set(i, arenas[i].text());
}

}  // namespace

Result<Control> Control::connect(const std::string& socket) {
  auto client = ControlClient::connect(socket);
  if (!client) return client.error();
  return Control(std::move(*client), socket);
}

Result<void> Control::connect_again() {
  auto client = ControlClient::connect(socket_);
  if (!client) return client.error();
  client_ = std::move(*client);
  return {};
}

Result<pid_t> Control::greet() {
  auto reply = client_.call([](wire::Request::Builder request) { request.setVersion(); }, {}, kTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isVersion()) return unexpected("version");
  return static_cast<pid_t>(reply->root().getReply().getVersion().getPid());
}

Result<StartedArena> Control::start(const std::string& name, std::vector<std::pair<std::string, std::string>> params) {
  auto reply = client_.call(
      [&](wire::Request::Builder request) {
        auto start = request.initStart();
        start.setGame("tanks");
        start.setName(name);
        auto list = start.initParams(static_cast<uint>(params.size()));
        for (uint i = 0; i < list.size(); ++i) {
          list[i].setKey(params[i].first);
          list[i].setValue(params[i].second);
        }
      },
      {}, kTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isStarted()) return unexpected("start");
  const auto started = reply->root().getReply().getStarted();
  const auto id = ArenaId::parse(std::string_view(started.getId().begin(), started.getId().size()));
  if (!id) return unexpected("start");
  return StartedArena{*id, started.getName(), std::move(params)};
}

Result<Host> Control::host_of(ArenaId arena) {
  auto reply = client_.call([&](wire::Request::Builder request) { select(request.initStatus(), {&arena, 1}); }, {}, kTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isStatus()) return unexpected("status");
  const auto arenas = reply->root().getReply().getStatus().getArenas();
  if (arenas.size() != 1) return unexpected("status");
  return Host{static_cast<pid_t>(arenas[0].getPid()), {arenas[0].getEpoch()}};
}

Result<std::map<ArenaId, Host>> Control::hosts() {
  auto reply = client_.call([](wire::Request::Builder request) { request.initStatus().setAll(true); }, {}, kTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isStatus()) return unexpected("status");
  std::map<ArenaId, Host> hosts;
  for (const auto arena : reply->root().getReply().getStatus().getArenas()) {
    const auto id = ArenaId::parse(std::string_view(arena.getId().begin(), arena.getId().size()));
    if (!id) return unexpected("status");
    hosts[*id] = {static_cast<pid_t>(arena.getPid()), {arena.getEpoch()}};
  }
  return hosts;
}

Result<std::map<std::string, RunningArena>> Control::running() {
  auto reply = client_.call([](wire::Request::Builder request) { request.initStatus().setAll(true); }, {}, kTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isStatus()) return unexpected("status");
  std::map<std::string, RunningArena> arenas;
  for (const auto arena : reply->root().getReply().getStatus().getArenas()) {
    arenas[arena.getName()] = {.version = arena.getGameVersion(),
                               .epoch = {arena.getEpoch()},
                               .is_running = arena.getState() == "running",
                               .on_probation = arena.getProbation()};
  }
  return arenas;
}

Result<uint64_t> Control::clients() {
  auto reply = client_.call([](wire::Request::Builder request) { request.initStatus().setAll(true); }, {}, kTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isStatus()) return unexpected("status");
  uint64_t sum = 0;
  for (const auto arena : reply->root().getReply().getStatus().getArenas()) sum += arena.getClients();
  return sum;
}

Result<void> Control::stop(std::span<const ArenaId> arenas) {
  auto reply = client_.call([&](wire::Request::Builder request) { select(request.initStop(), arenas); }, {}, kTimeoutMs);
  if (!reply) return reply.error();
  if (!reply->root().getReply().isItems()) return unexpected("stop");
  const auto items = reply->root().getReply().getItems();
  std::string failures;
  for (const auto item : items) {
    if (item.isError()) failures += std::string("\n  ") + item.getName().cStr() + ": " + item.getError().getMessage().cStr();
  }
  if (items.size() != arenas.size()) return unexpected("stop");
  if (!failures.empty()) return make_error(ErrorCode::failed, "arenas were not stopped:" + failures);
  return {};
}

}  // namespace arenad::chaos
