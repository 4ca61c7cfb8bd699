// A whole incarnation region (ipc/incarnation.h), in which game code may have written anything: what arenad, a client and the next worker read
// of it.
#include "ipc/incarnation.h"

#include "fuzz/harness.h"
#include "fuzz/regions.h"
#include "ipc/frame_log.h"
#include "ipc/outbox.h"
#include "state/snapshot.h"

namespace arenad::fuzz {
namespace {

constexpr uint64_t kRegionBytes = kFirstPartOffset + 8 * kPageBytes;
// Of an input: where it goes.
constexpr uint64_t kIdentityBytes = sizeof(IncarnationIdentity);
constexpr uint64_t kStatusBytes = 256;

// Every byte that a reader could look at is there.
uint8_t touch(const std::byte* ring, uint64_t bytes) {
  const volatile std::byte* at = ring;
  return static_cast<uint8_t>(at[0]) ^ static_cast<uint8_t>(at[bytes - 1]) ^ static_cast<uint8_t>(at[2 * bytes - 1]);
}

void read(const IncarnationView& view) {
  (void)view.stage();
  (void)view.arena();
  ARENAD_ASSERT(view.version().size() <= sizeof IncarnationIdentity::version);
  ARENAD_ASSERT(view.channels().size() == limits::kMaxSlots);
  touch(view.log_ring(), view.log_capacity());
  touch(view.output_ring(), view.output_capacity());
  touch(view.system_ring(), view.system_capacity());
  for (const int slot : {0, 1}) {
    ARENAD_ASSERT(view.slot(slot).data() + view.slot(slot).size() <=
                  reinterpret_cast<const std::byte*>(&view.black_box()) - kBlackBoxOffset + view.bytes());
    if (published_frame(view.slot(slot))) (void)Snapshot::read_slot(view.slot(slot));
  }
  const WorkerStatus& status = view.status();
  FrameLogReader log;
  const FrameLogView frames{view.log_ring(), view.log_capacity(), status.log_begin, status.log_published};
  log.rewind(frames);
  for (int i = 0; i < 64 && log.next(frames) == FrameLogReader::Step::frame; ++i) {
  }
  OutboxReader outputs(limits::kMaxEventBytes);
  const StreamView stream{view.output_ring(), view.output_capacity(), status.outputs_published, status.outputs_begin,
                          status.outputs_reserved};
  outputs.skip_to(status.outputs_begin);
  for (int i = 0; i < 64 && outputs.next(stream) == OutboxReader::Step::record; ++i) {
  }
}

void run(std::string_view input) {
  static WrittenRegion region(kRegionBytes);
  Source source(input);
  const std::string_view identity = source.bytes(kIdentityBytes);
  const std::string_view status = source.bytes(kStatusBytes);
  const std::string_view rest = source.rest();
  std::memset(region.data(), 0, kIdentityBytes + kStatusBytes);
  if (!identity.empty()) std::memcpy(region.data(), identity.data(), identity.size());
  if (!status.empty()) std::memcpy(region.data() + kStatusOffset, status.data(), status.size());
  region.put(kFirstPartOffset, rest);
  const auto view = IncarnationView::map(region.fd());
  if (view) read(view.value());
}

std::vector<std::string> seeds() {
  IncarnationIdentity identity{};
  identity.magic = kIncarnationMagic;
  identity.layout_version = kIncarnationLayoutVersion;
  identity.region_bytes = kRegionBytes;
  uint64_t at = kFirstPartOffset;
  for (Place* place : {&identity.frame_log, &identity.outputs, &identity.system, &identity.slots[0], &identity.slots[1]}) {
    *place = {at, kPageBytes};
    at += kPageBytes;
  }
  std::string status(kStatusBytes, '\0');
  const auto set = [&](size_t offset, uint64_t value) { std::memcpy(status.data() + offset, &value, sizeof value); };
  set(offsetof(WorkerStatus, stage), 2);
  set(offsetof(WorkerStatus, outputs_published), 40);
  DecidedFrame frame(1, 2, 3);
  frame.add(FrameEntryKind::join, 0, 1, "anna");
  frame.close();
  const std::string record(reinterpret_cast<const char*>(frame.words().data()), frame.words().size_bytes());
  set(offsetof(WorkerStatus, log_published), record.size());
  return {Input().number(identity).bytes(status).bytes(record).text()};
}

}  // namespace

extern const Harness incarnation_harness;
const Harness incarnation_harness{run, seeds, {}, 2048};

}  // namespace arenad::fuzz
