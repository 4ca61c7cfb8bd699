#include "worker/template_role.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "arenad/version.h"
#include "ipc/board_layout.h"
#include "ipc/channel_layout.h"
#include "ipc/crash_point.h"
#include "ipc/incarnation_layout.h"
#include "ipc/link.capnp.h"
#include "ipc/output_file.h"
#include "ipc/process.h"
#include "state/snapshot.h"
#include "worker/black_box.h"
#include "worker/cage.h"
#include "worker/module.h"
#include "worker/state_compatibility.h"
#include "worker/worker_role.h"

namespace arenad {
namespace {

constexpr int kExitCannotLoad = 2;
constexpr int kExitNoMemory = 4;
constexpr int kExitNoCage = 5;
constexpr size_t kMaxSchemaBytes = kMaxLinkMessageBytes - size_t{8} * 1024;

template <class Fill>
Result<void> send(Link& link, Fill&& fill) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<wire::FromTemplate>());
  return link.send(message);
}

void describe_runtime(wire::Runtime::Builder runtime) {
  runtime.setVersion(kArenadVersion);
  runtime.setLinkVersion(kLinkVersion);
  runtime.setIncarnationLayout(kIncarnationLayoutVersion);
  runtime.setChannelLayout(kChannelLayoutVersion);
  runtime.setBoardLayout(kBoardLayoutVersion);
}

void describe(const arenad_game& game, wire::GameInfo::Builder info) {
  info.setName(game.name);
  info.setVersion(game.version);
  info.setStateType(game.state_type);
  info.setSchemaHash(game.schema_hash);
  info.setTickHz(game.defaults.tick_hz);
  info.setMaxPlayers(game.defaults.max_players);
  info.setMaxStateBytes(game.max_state_bytes);
  info.setMaxFrameOutputBytes(game.max_frame_output_bytes);
  if (game.schema == nullptr) return;
  size_t bytes = 0;
  const void* schema = game.schema(&bytes);
  if (schema != nullptr && bytes <= kMaxSchemaBytes) info.setSchema({static_cast<const capnp::byte*>(schema), bytes});
}

// Why not; empty: it can. What a module says nothing about, or migrates itself, only the handover will tell.
std::string check_state(const arenad_game& game, wire::GameInfo::Reader other) {
  if (game.schema == nullptr || game.migrate != nullptr || other.getSchema().size() == 0) return {};
  size_t bytes = 0;
  const void* schema = game.schema(&bytes);
  const auto fits = state_fits({{other.getSchema().begin(), other.getSchema().size()}, other.getStateType()},
                               {{static_cast<const unsigned char*>(schema), bytes}, game.state_type});
  return fits ? std::string() : fits.error().text();
}

// In the new worker.
int begin_worker(const Module& module, const Cage& cage, const TemplateOptions& options, Link link, Fd output) {
  if (output) write_output_to(output);
  ARENAD_CRASH_POINT("spare.forked");
  set_process_name(std::string("spare:") + module.game().name);
  auto region = Incarnation::create(incarnation_sizes(module.game(), options));
  if (!region) {
    capnp::MallocMessageBuilder message;
    message.initRoot<wire::FromWorker>().setNoMemory(region.error().text());
    (void)link.send(message);
    return kExitNoMemory;
  }
  ARENAD_CRASH_POINT("spare.region");
  if (auto closed = cage.close_around_worker(); !closed) {
    capnp::MallocMessageBuilder message;
    message.initRoot<wire::FromWorker>().setNoMemory("its cage cannot be closed: " + closed.error().text());
    (void)link.send(message);
    return kExitNoCage;
  }
  return run_worker(module, std::move(*region), std::move(link), std::move(output));
}

}  // namespace

IncarnationSizes incarnation_sizes(const arenad_game& game, const TemplateOptions& options) {
  IncarnationSizes sizes;
  sizes.frame_log_bytes = options.frame_log_bytes;
  // Four frames' worth at least, so that a reader who is a frame behind is never lapped.
  const uint64_t wanted = std::max(limits::kMinOutputRingBytes, 4 * game.max_frame_output_bytes);
  sizes.output_bytes = options.output_ring_bytes != 0 ? options.output_ring_bytes : std::bit_ceil(wanted);
  sizes.slot_bytes = slot_bytes_for(game.max_state_bytes);
  return sizes;
}

int run_template(const TemplateOptions& options, Link link) {
  // First, so that what goes wrong from here on is the module's.
  if (!send(link, [](wire::FromTemplate::Builder message) { describe_runtime(message.initRuntime()); })) return 0;
  auto cage = Cage::of_environment();
  auto closed = cage ? cage->close_around_template(options.module_path) : Result<void>(cage.error());
  if (!closed) {
    (void)send(link, [&](wire::FromTemplate::Builder message) { message.setFailed(closed.error().text()); });
    return kExitNoCage;
  }
  auto module = Module::load(options.module_path);
  if (!module) {
    (void)send(link, [&](wire::FromTemplate::Builder message) { message.setFailed(module.error().text()); });
    return kExitCannotLoad;
  }
  if (module->game().warm_up != nullptr) module->game().warm_up();
  prepare_black_box();
  ARENAD_CRASH_POINT("template.loaded");
  if (!send(link, [&](wire::FromTemplate::Builder message) { describe(module->game(), message.initReady()); })) return 0;

  LinkMessage message;
  while (link.receive(message, Link::Wait::yes) == Link::Received::message) {
    std::optional<MessageView> view;
    const auto root = message.root<wire::ToTemplate>(view);
    if (root.isCheckState()) {
      const std::string why_not = check_state(module->game(), root.getCheckState());
      (void)send(link, [&](wire::FromTemplate::Builder to) { to.setStateChecked(why_not); });
      continue;
    }
    if (!root.isFork() || message.fds.empty()) continue;
    const uint64_t request = root.getFork();
    std::fflush(nullptr);  // what the module has printed is the template's alone
    ARENAD_CRASH_POINT("template.fork.before");
    auto pid = fork_sibling();
    if (pid && *pid == 0) {
      link.close();
      Link own(std::move(message.fds[0]));
      Fd output = message.fds.size() > 1 ? std::move(message.fds[1]) : Fd();
      message.fds.clear();
      return begin_worker(*module, *cage, options, std::move(own), std::move(output));
    }
    ARENAD_CRASH_POINT("template.fork.after");
    (void)send(link, [&](wire::FromTemplate::Builder to) {
      if (pid) {
        auto forked = to.initForked();
        forked.setRequest(request);
        forked.setPid(static_cast<uint32_t>(*pid));
      } else {
        auto failed = to.initForkFailed();
        failed.setRequest(request);
        failed.setMessage(pid.error().text());
      }
    });
    ARENAD_CRASH_POINT("template.fork.told");
    message.fds.clear();  // the worker's end is the worker's alone, so its death closes the link
  }
  return 0;
}

}  // namespace arenad
