// Recordings: everything comes back, and a file that is cut, damaged or none at all is refused.
#include "ipc/recording.h"

#include <cstring>
#include <string>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <doctest/doctest.h>

#include "ipc/limits.h"
#include "ipc/recording.capnp.h"
#include "tests/support/seed.h"

namespace {

using namespace arenad;
using namespace arenad::test;

DecidedFrame frame_of(uint64_t number) {
  DecidedFrame frame(number, number * 50, mix(number, 1));
  Random random(number);
  for (uint64_t n = random.below(5); n > 0; --n) {
    REQUIRE(frame.add(FrameEntryKind::join, static_cast<uint16_t>(n), n, std::string(random.below(30), 'p')));
  }
  frame.close();
  return frame;
}

Recording recording_of(size_t frames, size_t channels, size_t params) {
  Recording recording;
  recording.arena = {0x0191'0000'0000'0001, 77};
  recording.name = "duel-1";
  recording.game = "tanks";
  recording.game_version = "1.2.3";
  recording.epoch = {4};
  recording.recorded_unix_ms = 1'700'000'000'000;
  recording.tick_hz = 20;
  for (size_t i = 0; i < params; ++i) recording.params.emplace_back("key " + std::to_string(i), std::string(i, 'v'));
  for (size_t i = 0; i < 999; ++i) recording.snapshot.push_back(static_cast<char>(mix(i, 5)));
  for (size_t i = 0; i < frames; ++i) recording.frames.push_back(frame_of(i + 100));
  for (size_t i = 0; i < channels; ++i) {
    recording.channels.push_back({{i + 1}, static_cast<Seat>(i), i * 4096, std::string(i * 8, static_cast<char>(i))});
  }
  return recording;
}

bool same(const Recording& a, const Recording& b) {
  const bool same_frames = std::equal(
      a.frames.begin(), a.frames.end(), b.frames.begin(), b.frames.end(), [](const DecidedFrame& x, const DecidedFrame& y) {
        return std::equal(x.words().begin(), x.words().end(), y.words().begin(), y.words().end());
      });
  const bool same_channels =
      std::equal(a.channels.begin(), a.channels.end(), b.channels.begin(), b.channels.end(),
                 [](const RecordedChannel& x, const RecordedChannel& y) {
                   return x.channel == y.channel && x.slot == y.slot && x.begin == y.begin && x.bytes == y.bytes;
                 });
  return a.arena == b.arena && a.name == b.name && a.game == b.game && a.game_version == b.game_version && a.epoch == b.epoch &&
         a.recorded_unix_ms == b.recorded_unix_ms && a.tick_hz == b.tick_hz && a.params == b.params &&
         a.snapshot == b.snapshot && same_frames && same_channels;
}

bool corrupt(const Result<Recording>& recording) {
  return !recording.ok() && recording.error().code == ErrorCode::corrupt && !recording.error().message.empty();
}

std::string file_of(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  return {reinterpret_cast<const char*>(words.begin()), words.asBytes().size()};
}

}  // namespace

TEST_CASE("recording: what was recorded comes back") {
  for (const size_t frames : {0, 1, 500}) {
    for (const size_t channels : {0, 1, 128}) {
      for (const size_t params : {size_t{0}, size_t{1}, limits::kMaxParams}) {
        CAPTURE(frames);
        CAPTURE(channels);
        CAPTURE(params);
        const Recording recording = recording_of(frames, channels, params);
        const auto decoded = decode_recording(encode_recording(recording));
        REQUIRE(decoded.ok());
        CHECK(same(decoded.value(), recording));
      }
    }
  }
}

TEST_CASE("recording: of nothing at all") {
  Recording recording;
  const auto decoded = decode_recording(encode_recording(recording));
  REQUIRE(decoded.ok());
  CHECK(same(decoded.value(), recording));
}

TEST_CASE("recording: frames come back with what they left behind") {
  Recording recording = recording_of(1, 0, 0);
  std::vector<uint64_t> words(recording.frames[0].words().begin(), recording.frames[0].words().end());
  words[offsetof(FrameRecord, done) / 8] = 100;
  words[offsetof(FrameRecord, outputs_hash) / 8] = 0xABCD;
  recording.frames[0] = *DecidedFrame::parse(words);
  const auto decoded = decode_recording(encode_recording(recording));
  REQUIRE(decoded.ok());
  CHECK(decoded.value().frames[0].done());
  CHECK(decoded.value().frames[0].effects().outputs_hash == 0xABCD);
}

TEST_CASE("recording: a snapshot of the largest state") {
  Recording recording = recording_of(1, 1, 1);
  recording.snapshot.assign(limits::kMaxStateBytes + 4096, 's');
  const auto decoded = decode_recording(encode_recording(recording));
  REQUIRE(decoded.ok());
  CHECK(decoded.value().snapshot == recording.snapshot);
}

TEST_CASE("recording: cut off anywhere") {
  const std::string good = encode_recording(recording_of(20, 5, 3));
  REQUIRE(decode_recording(good).ok());
  for (size_t count = 0; count < good.size(); count += 8) {
    if (!corrupt(decode_recording(std::string_view(good).substr(0, count)))) FAIL("the first ", count, " bytes");
  }
  for (size_t count = 1; count < 64; ++count) {
    if (count % 8 != 0) CHECK(corrupt(decode_recording(std::string_view(good).substr(0, count))));
  }
  CHECK(corrupt(decode_recording(std::string_view(good).substr(0, good.size() - 1))));
  CHECK(corrupt(decode_recording(good + "x")));
}

TEST_CASE("recording: a file of another kind") {
  CHECK(corrupt(decode_recording("")));
  CHECK(corrupt(decode_recording(std::string(8, '\0'))));
  CHECK(corrupt(decode_recording(std::string(16, '\0'))));
  CHECK(corrupt(decode_recording(std::string(4096, '\0'))));
  CHECK(corrupt(decode_recording(std::string(4096, '\xFF'))));
  CHECK(corrupt(decode_recording("SQLite format 3\0 and what follows in such a file")));
  capnp::MallocMessageBuilder message;
  auto other = message.initRoot<wire::Recording>();
  other.setName("everything but the magic number");
  CHECK(corrupt(decode_recording(file_of(message))));
  other.setMagic(wire::RECORDING_MAGIC + 1);
  CHECK(corrupt(decode_recording(file_of(message))));
  other.setMagic(wire::RECORDING_MAGIC);
  CHECK(corrupt(decode_recording(file_of(message))));  // of no arena
}

TEST_CASE("recording: a frame that is damaged") {
  const DecidedFrame good = frame_of(3);
  const std::string bytes(reinterpret_cast<const char*>(good.words().data()), good.words().size_bytes());
  auto with_frame = [](const std::string& frame) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<wire::Recording>();
    to.setMagic(wire::RECORDING_MAGIC);
    to.setArena(ArenaId{1, 2}.text());
    to.initFrames(1).set(0, {reinterpret_cast<const capnp::byte*>(frame.data()), frame.size()});
    return decode_recording(file_of(message));
  };
  REQUIRE(with_frame(bytes).ok());
  for (size_t count = 0; count < bytes.size(); ++count) {
    if (!corrupt(with_frame(bytes.substr(0, count)))) FAIL("the first ", count, " bytes of a frame");
  }
  CHECK(corrupt(with_frame(bytes + "x")));
  std::string flipped = bytes;
  flipped[8] ^= 1;
  CHECK(corrupt(with_frame(flipped)));
}

TEST_CASE("recording: an arena's id that is none") {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::Recording>();
  to.setMagic(wire::RECORDING_MAGIC);
  for (const char* text : {"", "0", "not an id at all, is it?", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"}) {
    CAPTURE(text);
    to.setArena(text);
    CHECK(corrupt(decode_recording(file_of(message))));
  }
}

TEST_CASE("hostile recording: garbage of every kind is refused or read, without harm") {
  Random random(test_seed());
  const std::string good = encode_recording(recording_of(5, 3, 3));
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = good;
    for (uint64_t n = 1 + random.below(4); n > 0; --n) {
      uint64_t word = random() >> random.below(64);
      // Mostly at the front, where the pointers are.
      const uint64_t at = random.one_in(2) ? random.below(40) : random.below(bytes.size() / 8);
      if (random.one_in(2)) {
        std::memcpy(&word, bytes.data() + at * 8, 8);
        word ^= uint64_t{1} << random.below(64);
      }
      std::memcpy(bytes.data() + at * 8, &word, 8);
    }
    if (random.one_in(4)) bytes.resize(random.below(bytes.size()));
    const auto decoded = decode_recording(bytes);
    if (!decoded.ok()) REQUIRE(corrupt(decoded));
  }
}
