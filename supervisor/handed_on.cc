#include "supervisor/handed_on.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

#include "arenad/message.h"
#include "ipc/board_layout.h"
#include "ipc/channel_layout.h"
#include "ipc/incarnation_layout.h"
#include "ipc/link.h"
#include "state/migrations.h"

namespace arenad {
namespace {

constexpr const char* kVariable = "ARENAD_HANDED_ON";

// What no version of arenad goes without.
constexpr uint32_t kOldestReader = 1;

Error damaged(const std::string& how) {
  return make_error(ErrorCode::corrupt, "the state that was handed on is damaged: " + how);
}

// A program that runs without them would be another arenad than the one before.
bool is_whole(wire::UpgradeState::Reader state) {
  return state.getDirectoryLock() >= 0 && state.getWorkersListener() >= 0 && state.getControl().getListener() >= 0;
}

void collect(capnp::List<int32_t>::Reader from, std::set<int>& to) {
  for (const int32_t number : from) to.insert(number);
}

std::set<int> all_descriptors(wire::UpgradeState::Reader state) {
  std::set<int> all{state.getDirectoryLock(), state.getRuntimeLock(), state.getWorkersListener(),
                    state.getControl().getListener()};
  const auto add_process = [&](wire::ProcessState::Reader process) {
    all.insert({process.getPidfd(), process.getLink(), process.getOutput()});
  };
  for (const auto connection : state.getControl().getConnections()) {
    all.insert(connection.getSocket());
    collect(connection.getReceivedFds(), all);
    for (const auto unsent : connection.getUnsent()) collect(unsent.getFds(), all);
  }
  for (const auto arena : state.getArenas()) {
    add_process(arena.getWorker());
    all.insert({arena.getRegion(), arena.getProbation().getOrigin()});
    for (const auto channel : arena.getChannels()) all.insert(channel.getRegion());
  }
  for (const auto game : state.getTemplates()) {
    add_process(game.getProcess());
    for (const auto spare : game.getSpares()) {
      add_process(spare.getProcess());
      all.insert(spare.getRegion());
    }
  }
  all.erase(-1);
  return all;
}

}  // namespace

int FdsToKeep::add(const Fd& fd) {
  if (fd) numbers_.push_back(fd.get());
  return fd ? fd.get() : -1;
}

void FdsToKeep::keep_over_exec(bool keep) const {
  for (const int number : numbers_) ::fcntl(number, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

std::optional<Fd> take_handed_on_fd() {
  const char* text = ::getenv(kVariable);
  if (text == nullptr) return std::nullopt;
  int number = -1;
  std::from_chars(text, text + std::strlen(text), number);
  ::unsetenv(kVariable);
  return Fd(number);
}

std::string handed_on_variable(const Fd& state) {
  return std::string(kVariable) + "=" + std::to_string(state.get());
}

Result<Fd> HandedOn::write(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  Fd file(::memfd_create("arenad-handed-on", MFD_CLOEXEC));
  if (!file) return errno_error("cannot hand on the state");
  const auto bytes = words.asBytes();
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file.get(), bytes.begin() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot hand on the state");
    done += static_cast<size_t>(count);
  }
  return file;
}

Result<HandedOn> HandedOn::read(const Fd& state) {
  struct stat facts {};
  if (!state || ::fstat(state.get(), &facts) != 0) return errno_error("cannot read the state that was handed on");
  HandedOn read;
  read.words_ = kj::heapArray<capnp::word>(static_cast<size_t>(facts.st_size) / sizeof(capnp::word));
  auto bytes = read.words_.asPtr().asBytes();
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(state.get(), bytes.begin() + done, bytes.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read the state that was handed on");
    if (count == 0) return damaged("it is shorter than it was");
    done += static_cast<size_t>(count);
  }
  try {
    // A few bytes can claim to be millions of arenas: what passes here can be read as often as need be.
    capnp::FlatArrayMessageReader suspect(read.words_, bounded_reader_options(read.words_.size()));
    (void)all_descriptors(suspect.getRoot<wire::UpgradeState>());
    read.reader_ = std::make_unique<capnp::FlatArrayMessageReader>(read.words_, unbounded_reader_options());
    if (auto checked = check_handed_on(read.state()); !checked) return checked.error();
    const auto arenas = read.state().getArenas();
    for (uint i = 0; i < arenas.size(); ++i) read.arenas_.emplace(arena_id(arenas[i].getArena()), i);
    read.untaken_ = all_descriptors(read.state());
  } catch (const kj::Exception& e) {
    return damaged(e.getDescription().cStr());
  }
  return read;
}

std::optional<wire::ArenaState::Reader> HandedOn::find(ArenaId arena) const {
  const auto found = arenas_.find(arena);
  if (found == arenas_.end()) return std::nullopt;
  return state().getArenas()[found->second];
}

Fd HandedOn::take(int number) {
  return untaken_.erase(number) == 0 ? Fd() : Fd(number);
}

void HandedOn::keep_from_children() const {
  for (const int number : untaken_) ::fcntl(number, F_SETFD, FD_CLOEXEC);
}

void HandedOn::close_others() {
  for (const int number : std::exchange(untaken_, {})) ::close(number);
}

Result<void> check_handed_on(wire::UpgradeState::Reader state) {
  if (state.getOldestReader() > wire::UPGRADE_VERSION) {
    return make_error(ErrorCode::refused, "the state is of version " + std::to_string(state.getVersion()) +
                                              ", and this program knows only " + std::to_string(wire::UPGRADE_VERSION));
  }
  if (state.getDatabaseVersion() > newest_database_version()) {
    return make_error(ErrorCode::refused, "the database is of version " + std::to_string(state.getDatabaseVersion()) +
                                              ", and this program knows only " + std::to_string(newest_database_version()));
  }
  for (const auto& [what, theirs, ours] : {std::tuple("messages to workers", state.getLinkVersion(), kLinkVersion),
                                           std::tuple("arenas", state.getIncarnationLayout(), kIncarnationLayoutVersion),
                                           std::tuple("channels", state.getChannelLayout(), kChannelLayoutVersion),
                                           std::tuple("boards", state.getBoardLayout(), kBoardLayoutVersion)}) {
    if (theirs == ours) continue;
    return make_error(ErrorCode::refused, std::string("the layout of ") + what + " that run is " + std::to_string(theirs) +
                                              ", and this program knows only " + std::to_string(ours) +
                                              ": stop arenad and start the new one");
  }
  if (!is_whole(state)) return damaged("a lock or a socket is missing");
  return {};
}

void begin_handed_on(wire::UpgradeState::Builder state) {
  state.setVersion(wire::UPGRADE_VERSION);
  state.setOldestReader(kOldestReader);
  state.setDatabaseVersion(static_cast<uint32_t>(newest_database_version()));
  state.setLinkVersion(kLinkVersion);
  state.setIncarnationLayout(kIncarnationLayoutVersion);
  state.setChannelLayout(kChannelLayoutVersion);
  state.setBoardLayout(kBoardLayoutVersion);
}

ArenaId arena_id(wire::ArenaRef::Reader ref) {
  return {ref.getHigh(), ref.getLow()};
}

void write_arena_id(ArenaId id, wire::ArenaRef::Builder to) {
  to.setHigh(id.high);
  to.setLow(id.low);
}

}  // namespace arenad
