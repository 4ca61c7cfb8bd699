// The state that one arenad hands on to the next (supervisor/handed_on.h), read from a memfd.
#include "supervisor/handed_on.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/harness.h"
#include "fuzz/messages.h"

namespace arenad::fuzz {
namespace {

const Fd& file_of(std::string_view input) {
  static const Fd file(::memfd_create("arenad-fuzz", MFD_CLOEXEC));
  ARENAD_ASSERT(::ftruncate(file.get(), static_cast<off_t>(input.size())) == 0);
  ARENAD_ASSERT(::pwrite(file.get(), input.data(), input.size(), 0) == static_cast<ssize_t>(input.size()));
  return file;
}

// What it names are descriptors of another process here: none is taken out.
void run(std::string_view input) {
  const auto handed = HandedOn::read(file_of(input));
  if (!handed) return;
  ARENAD_ASSERT(check_handed_on(handed.value().state()).ok());
  for (const auto arena : handed.value().state().getArenas()) {
    ARENAD_ASSERT(handed.value().find(arena_id(arena.getArena())).has_value());
  }
}

std::vector<std::string> seeds() {
  const auto begin = [](wire::UpgradeState::Builder state) {
    begin_handed_on(state);
    state.setDirectoryLock(90);
    state.setWorkersListener(91);
    state.initControl().setListener(92);
  };
  return {framed<wire::UpgradeState>([&](auto state) { begin(state); }), framed<wire::UpgradeState>([&](auto state) {
            begin(state);
            auto connection = state.getControl().initConnections(1)[0];
            connection.setSocket(93);
            connection.setReceived(capnp::Data::Reader(reinterpret_cast<const kj::byte*>("abcd"), 4));
            connection.initUnsent(1)[0].initFds(1).set(0, 94);
            auto arena = state.initArenas(2)[0];
            write_arena_id({1, 2}, arena.initArena());
            arena.initWorker().setPidfd(95);
            arena.initChannels(1)[0].setRegion(96);
            state.initTemplates(1)[0].initSpares(1)[0].setRegion(97);
          })};
}

}  // namespace

extern const Harness handed_on_harness;
const Harness handed_on_harness{run, seeds, {}, 2048};

}  // namespace arenad::fuzz
