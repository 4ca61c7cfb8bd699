// A recovery (worker/recovery.h) out of a region in which game code may have written anything: whatever is there, it ends in a state or in an
// error, and reads nothing that is not there.
#include "worker/recovery.h"

#include <xxhash.h>

#include "arenad/game.h"
#include "fuzz/harness.h"
#include "fuzz/messages.h"
#include "fuzz/regions.h"
#include "ipc/link.capnp.h"

namespace arenad::fuzz {
namespace {

constexpr ArenaId kArena{1, 2};
constexpr uint64_t kMaxEventBytes = 1024;
constexpr uint64_t kRingBytes = kPageBytes;
constexpr ChannelId kChannel{5};

// Counts, and says so.
class Counting {
 public:
  using State = wire::EventRef;
  using Events = arenad::Events<wire::EventRef, wire::Param>;
  static constexpr GameInfo info{.name = "counting", .version = "1", .tick_hz = 20, .max_players = 8, .max_state_bytes = 256};

  void on_init(Context&, const Params&) {}
  void on_event(Context& ctx, Seat seat, wire::EventRef::Reader event) {
    count_ += event.getSequence();
    if (event.getChannel() == 1) ctx.result<wire::EventRef>(seat, [&](auto to) { to.setSequence(count_); });
  }
  void on_event(Context&, Seat, wire::Param::Reader param) { count_ += param.getKey().size(); }
  void on_tick(Context& ctx) {
    ++count_;
    ctx.send<wire::EventRef>(Audience::everyone(), [&](auto to) { to.setSequence(count_); });
  }
  void on_checkpoint(State::Builder state) const { state.setSequence(count_); }
  void on_restore(Context&, State::Reader state) { count_ = state.getSequence(); }

 private:
  uint64_t count_ = 0;
};

// The region of the incarnation before.
constexpr uint64_t kLogOffset = kFirstPartOffset;
constexpr uint64_t kOutputsOffset = kLogOffset + kRingBytes;
constexpr uint64_t kSystemOffset = kOutputsOffset + kRingBytes;
constexpr uint64_t kSlotOffset = kSystemOffset + kRingBytes;
constexpr uint64_t kSlotBytes = kPageBytes;
constexpr uint64_t kRegionBytes = kSlotOffset + 2 * kSlotBytes;

struct Before {
  Before() : region(kRegionBytes) {
    IncarnationIdentity identity{};
    identity.magic = kIncarnationMagic;
    identity.layout_version = kIncarnationLayoutVersion;
    identity.frame_log = {kLogOffset, kRingBytes};
    identity.outputs = {kOutputsOffset, kRingBytes};
    identity.system = {kSystemOffset, kRingBytes};
    identity.slots[0] = {kSlotOffset, kSlotBytes};
    identity.slots[1] = {kSlotOffset + kSlotBytes, kSlotBytes};
    std::memcpy(region.data(), &identity, sizeof identity);
    auto mapped = IncarnationView::map(region.fd());
    ARENAD_ASSERT(mapped);
    view = std::move(mapped.value());
  }
  WorkerStatus& status() { return *reinterpret_cast<WorkerStatus*>(region.data() + kStatusOffset); }
  WrittenRegion region;
  IncarnationView view;
};

struct Client {
  Client() {
    auto made = ChannelWriter::create(limits::kMinChannelBytes);
    ARENAD_ASSERT(made);
    writer = std::move(made.value());
  }
  [[nodiscard]] ChannelView view() const {
    auto fd = writer.fd().duplicate();
    auto mapped = ChannelView::map(std::move(fd.value()));
    ARENAD_ASSERT(mapped);
    return std::move(mapped.value());
  }
  ChannelWriter writer;
};

uint64_t checksum(const char* head, size_t head_bytes, const char* rest, size_t rest_bytes) {
  return XXH3_64bits_withSeed(rest, rest_bytes, XXH3_64bits(head, head_bytes));
}

// A hostile module can make its checksums right too.
void seal_snapshot(std::string& bytes) {
  if (bytes.size() < sizeof(SnapshotHeader)) return;
  SnapshotHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.checksum = 0;
  header.checksum = checksum(reinterpret_cast<const char*>(&header), sizeof header, bytes.data() + sizeof header,
                             bytes.size() - sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
}

void seal_frames(std::string& bytes) {
  for (size_t at = 0; at + sizeof(FrameRecord) <= bytes.size();) {
    FrameRecord record;
    std::memcpy(&record, bytes.data() + at, sizeof record);
    if (record.bytes < sizeof record || record.bytes > bytes.size() - at) break;
    record.checksum = checksum(bytes.data() + at, offsetof(FrameRecord, checksum), bytes.data() + at + sizeof record,
                               record.bytes - sizeof record);
    std::memcpy(bytes.data() + at, &record, sizeof record);
    at += record.bytes;
  }
}

// The words of the status that a recovery reads, as an input has them.
struct Words {
  uint64_t log_begin;
  uint64_t log_published;
  uint64_t outputs_published;
  uint64_t outputs_begin;
  uint64_t outputs_reserved;
  uint64_t outputs_count;
  uint64_t system_published;
  uint64_t system_begin;
  uint64_t system_count;
  uint64_t frame_decided;
  uint64_t frame_done;
  uint64_t newest_joined;
  uint64_t outputs_read;  // by the client
  uint8_t is_handover;
  uint8_t is_taken_back;
  uint8_t is_quarantined;
  uint8_t unused[5];
};
static_assert(sizeof(Words) == 112);

// In place, in memory that is the same each time.
struct Place {
  Before before;
  Client client;
};

Place& place() {
  static auto* const one = new Place;
  return *one;
}

void run(std::string_view input) {
  Place& at = place();
  Source source(input);
  const auto words = source.number<Words>();
  const auto slot_frame = source.number<uint64_t>();
  std::string snapshot(source.sized().substr(0, kSlotBytes - sizeof(SlotHeader)));
  std::string frames(source.sized().substr(0, kRingBytes));
  const std::string_view events = source.sized().substr(0, limits::kMinChannelBytes);
  seal_snapshot(snapshot);
  seal_frames(frames);

  std::string parts(kRegionBytes - kFirstPartOffset, '\0');
  const uint64_t log_at = words.log_begin & (kRingBytes - 1);
  for (size_t i = 0; i < frames.size(); ++i) parts[(log_at + i) & (kRingBytes - 1)] = frames[i];
  std::memcpy(parts.data() + (kSlotOffset - kFirstPartOffset), &slot_frame, sizeof slot_frame);
  std::memcpy(parts.data() + (kSlotOffset - kFirstPartOffset) + sizeof(SlotHeader), snapshot.data(), snapshot.size());
  at.before.region.put(kFirstPartOffset, parts);
  WorkerStatus& status = at.before.status();
  status.log_begin = words.log_begin;
  status.log_published = words.log_published;
  status.outputs_published = words.outputs_published;
  status.outputs_begin = words.outputs_begin;
  status.outputs_reserved = words.outputs_reserved;
  status.outputs_count = words.outputs_count;
  status.system_published = words.system_published;
  status.system_begin = words.system_begin;
  status.system_count = words.system_count;
  status.frame_decided = words.frame_decided;
  status.frame_done = words.frame_done;
  status.newest_joined = words.newest_joined;
  static const std::string zeros(limits::kMinChannelBytes, '\0');
  at.client.writer.refill(0, zeros);
  at.client.writer.refill(0, events);
  at.client.writer.header().outputs_read = words.outputs_read;

  IncarnationSizes sizes;
  sizes.frame_log_bytes = 2 * kRingBytes;
  sizes.output_bytes = kRingBytes;
  sizes.system_bytes = kRingBytes;
  sizes.slot_bytes = 8 * kPageBytes;
  auto region = Incarnation::create(sizes);
  ARENAD_ASSERT(region);
  ArenaRuntime runtime(*game_table<Counting>(), std::move(region.value()), {kArena, {9}, "duel"}, kMaxEventBytes, [] {});
  runtime.channels().attach(kChannel, 3, "anna", at.client.view());
  const auto view = [&] {
    auto mapped = IncarnationView::map(at.before.region.fd());
    ARENAD_ASSERT(mapped);
    return std::move(mapped.value());
  };
  RecoverySources sources;
  sources.predecessor = view();
  sources.is_handover = words.is_handover == 1;
  if (words.is_taken_back == 1) sources.origin = view();
  if (words.is_quarantined == 1) sources.quarantined = {{{kChannel, 1}, 7}, {{kChannel, 2}, 0}};
  const auto recovered = recover(runtime, sources);
  if (const auto* failure = std::get_if<RecoveryFailure>(&recovered)) ARENAD_ASSERT(!failure->message.empty());
  if (std::holds_alternative<RecoveryReport>(recovered)) (void)runtime.state_hash();
}

std::string seed(const Words& words, bool has_channel, uint64_t outputs_position = 0) {
  SnapshotFacts facts;
  facts.arena = kArena;
  facts.epoch = {8};
  facts.frame = {4};
  facts.outputs_position = outputs_position;
  facts.game = "counting";
  facts.game_version = "1";
  facts.state_type = capnp::typeId<wire::EventRef>();
  facts.schema_hash = game_table<Counting>()->schema_hash;
  facts.tick_hz = 20;
  facts.max_players = 8;
  std::vector<ChannelAt> channels;
  if (has_channel) channels.push_back({kChannel, 3, 0, 1, "anna", false});
  std::vector<uint64_t> slot(slot_bytes_for(256) / 8);
  SlotWriter writer({reinterpret_cast<std::byte*>(slot.data()), slot.size() * 8});
  const auto space = writer.begin(facts, channels);
  const std::string state = segment<wire::EventRef>([](auto to) { to.setSequence(100); });
  std::memcpy(space.data(), state.data(), state.size());
  const uint64_t bytes = writer.publish(state.size() / 8);

  const std::string event = segment<wire::EventRef>([](auto to) { to.setChannel(1); });
  Input events;
  for (const uint64_t sequence : {1, 2}) {
    events.number(RecordHeader{static_cast<uint32_t>(record_bytes(event.size() / 8)), 0, sequence,
                               capnp::typeId<wire::EventRef>(), kChannel.value});
    events.bytes(event);
  }
  std::string frames;
  for (const uint64_t number : {5, 6}) {
    DecidedFrame frame(number, 1000 * number, 7);
    if (!has_channel && number == 5) frame.add(FrameEntryKind::join, 3, kChannel.value, "anna");
    frame.add(FrameEntryKind::take, 3, events.text().size() / (number == 5 ? 2 : 1));
    frame.close();
    frames.append(reinterpret_cast<const char*>(frame.words().data()), frame.words().size_bytes());
  }
  Words whole = words;
  whole.log_published = frames.size();
  const std::string snapshot(reinterpret_cast<const char*>(slot.data() + sizeof(SlotHeader) / 8), bytes);
  return Input().number(whole).number(uint64_t{5}).sized(snapshot).sized(frames).sized(events.text()).text();
}

std::vector<std::string> seeds() {
  Words words{};
  words.frame_decided = 6;
  words.frame_done = 5;
  words.newest_joined = kChannel.value;
  std::vector<std::string> seeds{seed(words, true), seed(words, false)};
  words.is_quarantined = 1;
  seeds.push_back(seed(words, true));
  words.is_quarantined = 0;
  words.outputs_begin = 4000;
  words.outputs_published = 4096;
  seeds.push_back(seed(words, true, 4000));
  // What a module wrote into its region once, and a recovery believed: an end within a word; more unread than a ring holds; places
  // between words.
  words.outputs_published = 4004;
  seeds.push_back(seed(words, true, 4000));
  words.outputs_published = uint64_t{1} << 24;
  words.outputs_begin = 0;
  seeds.push_back(seed(words, true, uint64_t{1} << 24));
  words.outputs_begin = (uint64_t{1} << 24) - 12;
  seeds.push_back(seed(words, true, uint64_t{1} << 24));
  words.outputs_begin = words.outputs_published = 0;
  words.is_handover = 1;
  words.frame_decided = 4;
  seeds.push_back(seed(words, true));
  words.is_handover = 0;
  words.is_taken_back = 1;
  words.frame_done = 4;
  words.frame_decided = 6;
  seeds.push_back(seed(words, true));
  words.outputs_published = 4004;
  seeds.push_back(seed(words, true));
  return seeds;
}

}  // namespace

extern const Harness recovery_harness;
const Harness recovery_harness{run, seeds, {}, 2048, true};

}  // namespace arenad::fuzz
