// An output lies in the arena's shared memory until its slowest reader has read it. Here that is an observer: the arena's player has heard all of
// it before, and may hear nothing of the damage.
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <optional>

#include "arenad/client.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"
#include "ipc/incarnation.h"
#include "ipc/record.h"

namespace arenad::chaos {
namespace {

constexpr const char* kUnreadOutput = "memory.unread_output_flipped";
constexpr uint64_t kUnreadBytes = 512;

struct LateReader {
  std::unique_ptr<Client> client;
  std::unique_ptr<Attachment> attachment;
  std::optional<IncarnationView> arena;
  uint64_t reads_from = 0;  // where the arena's outputs ended when it had attached
  uint64_t damaged = 0;     // sequence of the output that has been damaged; 0: none has
  bool has_noticed = false;
  std::string wrong;
};

std::shared_ptr<LateReader> late_reader(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<LateReader>(stage.prop(kUnreadOutput, strike.arena));
}

uint64_t end_of_outputs(const LateReader& reader) {
  return reader.arena->status().outputs_published.load(std::memory_order_acquire);
}

Result<void> observe(Stage& stage, const Strike& strike) {
  if (auto answers = wait_for_arenad(stage, strike); !answers) return answers;
  auto reader = std::make_shared<LateReader>();
  auto client = Client::connect(stage.rig().socket());
  if (!client) return client.error();
  reader->client = std::move(*client);
  auto attached = reader->client->attach({.arena = stage.arenas()[strike.arena].name, .player = "", .observer = true});
  if (!attached) return attached.error();
  reader->attachment = std::move(*attached);
  reader->attachment->on_incarnation([to = reader.get()](int region, Epoch) {
    auto view = IncarnationView::map(Fd(::fcntl(region, F_DUPFD_CLOEXEC, 0)));
    if (!view) return;
    to->arena = std::move(*view);
    to->reads_from = end_of_outputs(*to);
  });
  auto there = wait_until(stage, "outputs that an observer has not read", [&] {
    if (!reader->arena) (void)reader->attachment->receive();
    if (reader->arena && end_of_outputs(*reader) >= reader->reads_from + kUnreadBytes) return true;
    let_say_more(stage.arenas()[strike.arena]);
    for (int i = 0; i < 10; ++i) stage.turn();
    return false;
  });
  if (!there) return there;
  if (auto stopped = stop_with_two_snapshots(stage, strike); !stopped) return stopped;
  stage.prop(kUnreadOutput, strike.arena) = reader;
  return {};
}

Result<void> damage(LateReader& reader, const test::WorkerMemory& memory, uint64_t draw) {
  struct Place {
    uint64_t position;
    RecordHeader header;
  };
  std::vector<Place> unread;
  for (uint64_t position = reader.reads_from; position < memory.outputs_published();) {
    const auto header = memory.get<RecordHeader>(memory.output_at(position));
    if (header.bytes < kRecordHeaderBytes) break;
    // The first one it may have read when it looked for the worker.
    if (position != reader.reads_from) unread.push_back({position, header});
    position += header.bytes;
  }
  if (unread.empty()) return make_error(ErrorCode::failed, "the arena has given nothing since the observer came");
  Random random(draw, "output");
  const Place& chosen = unread[random.below(unread.size())];
  reader.damaged = chosen.header.sequence;
  memory.flip(memory.output_at(chosen.position + random.below(chosen.header.bytes)), static_cast<unsigned>(random.below(8)));
  return {};
}

void read_on(LateReader& reader) {
  while (!reader.has_noticed) {
    switch (reader.attachment->receive()) {
      case Incoming::none:
        return;
      case Incoming::output:
        if (reader.attachment->output().sequence < reader.damaged) break;
        reader.has_noticed = true;
        reader.wrong = "an observer was given the damaged output, or one behind it, as if nothing were wrong";
        break;
      case Incoming::lagged:
        reader.has_noticed = true;
        if (reader.attachment->outputs_damaged() != 1) reader.wrong = "an observer lagged, and not by damage";
        break;
      case Incoming::gone:
      case Incoming::disconnected:
        reader.has_noticed = true;
        reader.wrong = "an observer was dropped: " + reader.attachment->departure().reason;
        break;
      case Incoming::rejected:
      case Incoming::rolled_back:
        break;
    }
  }
}

}  // namespace

Fault memory_unread_output_flipped() {
  return {.name = kUnreadOutput,
          .does = "A bit flips in an output that an observer has not read yet, and the arena's player has",
          .holds = "the observer is told that outputs are lost to it, and is given none that nobody has published",
          .alone = true,
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = observe,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            const Stage::Arena& arena = stage.arenas()[strike.arena];
            arena.player->listen();
            Result<void> done;
            try {
              done = damage(*late_reader(stage, strike), test::WorkerMemory(arena.worker), strike.draw);
            } catch (const std::exception& error) {
              done = make_error(ErrorCode::failed, error.what());
            }
            ::kill(arena.worker, SIGCONT);
            if (!done) stage.prop(kUnreadOutput, strike.arena).reset();
            return done;
          },
          .fired =
              [](const Stage& stage, const Strike& strike) {
                const auto reader = late_reader(stage, strike);
                if (reader == nullptr) return false;
                read_on(*reader);
                return reader->has_noticed;
              },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            keep_finding(stage, kUnreadOutput, strike, late_reader(stage, strike)->wrong);
            stage.prop(kUnreadOutput, strike.arena).reset();
            return {};
          },
          .check = kept_finding(kUnreadOutput)};
}

}  // namespace arenad::chaos
