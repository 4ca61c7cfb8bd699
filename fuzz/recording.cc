// A recording of a match (ipc/recording.h): a file that people pass on.
#include "ipc/recording.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const auto recording = decode_recording(input);
  if (!recording) return;
  const std::string encoded = encode_recording(recording.value());
  const auto again = decode_recording(encoded);
  ARENAD_ASSERT(again && encode_recording(again.value()) == encoded);
  ARENAD_ASSERT(again.value().frames.size() == recording.value().frames.size());
}

std::vector<std::string> seeds() {
  Recording recording;
  recording.arena = {1, 2};
  recording.name = "duel";
  recording.game = "tanks";
  recording.game_version = "1.2";
  recording.epoch = {3};
  recording.tick_hz = 20;
  std::vector<std::string> seeds{encode_recording(recording)};
  recording.params = {{"map", "hills"}};
  recording.snapshot = std::string(64, '\1');
  recording.channels.push_back({{1}, 0, 80, std::string(40, '\2')});
  DecidedFrame frame(1, 2, 3);
  frame.add(FrameEntryKind::join, 0, 1, "anna");
  frame.close();
  recording.frames.push_back(frame);
  seeds.push_back(encode_recording(recording));
  return seeds;
}

}  // namespace

extern const Harness recording_harness;
const Harness recording_harness{run, seeds, {}, 1024};

}  // namespace arenad::fuzz
