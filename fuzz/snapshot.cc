// Snapshots (state/snapshot.h): in a slot of a region, in a checkpoint of the database, in a recording.
#include "state/snapshot.h"

#include <xxhash.h>

#include "fuzz/harness.h"
#include "ipc/limits.h"

namespace arenad::fuzz {
namespace {

// As the layout says it (snapshot_layout.h).
void make_right(std::string& bytes) {
  if (bytes.size() < sizeof(SnapshotHeader)) return;
  SnapshotHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.checksum = 0;
  header.checksum =
      XXH3_64bits_withSeed(bytes.data() + sizeof header, bytes.size() - sizeof header, XXH3_64bits(&header, sizeof header));
  std::memcpy(bytes.data(), &header, sizeof header);
}

bool are_same(const SnapshotFacts& a, const SnapshotFacts& b) {
  return a.arena == b.arena && a.epoch == b.epoch && a.frame == b.frame && a.time_unix_ns == b.time_unix_ns &&
         a.outputs_position == b.outputs_position && a.outputs_count == b.outputs_count &&
         a.system_position == b.system_position && a.system_count == b.system_count && a.state_type == b.state_type &&
         a.schema_hash == b.schema_hash && a.tick_hz == b.tick_hz && a.max_players == b.max_players && a.game == b.game &&
         a.game_version == b.game_version && a.events_applied == b.events_applied && a.events_rejected == b.events_rejected &&
         a.ended == b.ended;
}

bool are_same(const ChannelAt& a, const ChannelAt& b) {
  return a.channel == b.channel && a.slot == b.slot && a.position == b.position && a.next_sequence == b.next_sequence &&
         a.player == b.player && a.broken == b.broken && a.kicked == b.kicked && a.let_in == b.let_in;
}

// What was read is written once more, and read again.
void check(const Snapshot& snapshot) {
  const std::string_view bytes = snapshot.bytes();
  ARENAD_ASSERT(static_cast<const char*>(snapshot.state()) + snapshot.state_words() * 8 == bytes.data() + bytes.size());
  ARENAD_ASSERT(snapshot.channels().size() <= limits::kMaxSlots);
  if (snapshot.facts().frame.value == UINT64_MAX) return;  // a slot cannot say it
  std::vector<uint64_t> slot(slot_bytes_for(snapshot.state_words() * 8) / 8);
  SlotWriter writer({reinterpret_cast<std::byte*>(slot.data()), slot.size() * 8});
  const auto space = writer.begin(snapshot.facts(), snapshot.channels());
  if (snapshot.state_words() != 0) std::memcpy(space.data(), snapshot.state(), snapshot.state_words() * 8);
  writer.publish(snapshot.state_words());
  const auto again = Snapshot::read_slot({reinterpret_cast<const std::byte*>(slot.data()), slot.size() * 8});
  ARENAD_ASSERT(again && are_same(again.value().facts(), snapshot.facts()));
  const auto& channels = again.value().channels();
  ARENAD_ASSERT(std::equal(channels.begin(), channels.end(), snapshot.channels().begin(), snapshot.channels().end(),
                           [](const ChannelAt& a, const ChannelAt& b) { return are_same(a, b); }));
  ARENAD_ASSERT(again.value().state_words() == snapshot.state_words());
  ARENAD_ASSERT(snapshot.state_words() == 0 ||
                std::memcmp(again.value().state(), snapshot.state(), snapshot.state_words() * 8) == 0);
}

void run(std::string_view input) {
  Source source(input);
  const bool is_right = source.number<uint8_t>() % 4 != 0;
  const auto plus_one = source.number<uint64_t>();
  std::string bytes(source.rest());
  if (is_right) make_right(bytes);
  if (const auto snapshot = Snapshot::parse(std::string_view(bytes))) check(snapshot.value());
  // The same in a slot that is larger.
  std::vector<uint64_t> slot(8 + bytes.size() / 8 + 40);
  slot[0] = plus_one;
  if (!bytes.empty()) std::memcpy(slot.data() + 8, bytes.data(), bytes.size());
  const std::span<const std::byte> slot_bytes(reinterpret_cast<const std::byte*>(slot.data()), slot.size() * 8);
  const auto frame = published_frame(slot_bytes);
  const auto snapshot = Snapshot::read_slot(slot_bytes);
  if (!snapshot) return;
  ARENAD_ASSERT(frame && *frame == snapshot.value().facts().frame);
  check(snapshot.value());
}

std::vector<std::string> seeds() {
  SnapshotFacts facts;
  facts.arena = {1, 2};
  facts.epoch = {3};
  facts.frame = {4};
  facts.outputs_position = 80;
  facts.game = "tanks";
  facts.game_version = "1.2";
  std::vector<std::string> seeds;
  for (const size_t count : {0, 1, 3}) {
    std::vector<ChannelAt> channels;
    for (size_t i = 0; i < count; ++i) channels.push_back({{i + 1}, static_cast<Seat>(i), 80 * i, i + 1, "anna", i == 2});
    std::vector<uint64_t> slot(slot_bytes_for(64) / 8);
    SlotWriter writer({reinterpret_cast<std::byte*>(slot.data()), slot.size() * 8});
    writer.begin(facts, channels);
    const uint64_t bytes = writer.publish(2);
    seeds.push_back(
        Input().number(uint8_t{1}).number(slot[0]).bytes({reinterpret_cast<const char*>(slot.data() + 8), bytes}).text());
  }
  return seeds;
}

}  // namespace

extern const Harness snapshot_harness;
const Harness snapshot_harness{run, seeds, {}, 768};

}  // namespace arenad::fuzz
