#include "ipc/recording.h"

#include <cstring>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include "arenad/message.h"
#include "ipc/recording.capnp.h"

namespace arenad {
namespace {

capnp::Data::Reader data_of(const void* bytes, size_t count) {
  return {static_cast<const capnp::byte*>(bytes), count};
}

std::string string_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

Error not_a_recording(const char* what) {
  return make_error(ErrorCode::corrupt, std::string("not a recording of a match: ") + what);
}

Result<Recording> convert(wire::Recording::Reader from) {
  if (from.getMagic() != wire::RECORDING_MAGIC) return not_a_recording("no magic number");
  Recording to;
  const auto arena = ArenaId::parse(std::string_view(from.getArena().begin(), from.getArena().size()));
  if (!arena) return not_a_recording("no arena's id");
  to.arena = *arena;
  to.name = from.getName();
  to.game = from.getGame();
  to.game_version = from.getGameVersion();
  to.epoch = {from.getEpoch()};
  to.recorded_unix_ms = from.getRecordedUnixMs();
  to.tick_hz = from.getTickHz();
  for (const auto param : from.getParams()) to.params.emplace_back(param.getKey(), param.getValue());
  to.snapshot = string_of(from.getSnapshot());
  for (const auto frame : from.getFrames()) {
    if (frame.size() == 0 || frame.size() % 8 != 0) return not_a_recording("a frame is damaged");
    std::vector<uint64_t> words(frame.size() / 8);
    std::memcpy(words.data(), frame.begin(), words.size() * 8);
    auto parsed = DecidedFrame::parse(words);
    if (!parsed) return not_a_recording("a frame is damaged");
    to.frames.push_back(std::move(*parsed));
  }
  for (const auto channel : from.getEvents()) {
    to.channels.push_back({{channel.getChannel()}, channel.getSlot(), channel.getBegin(), string_of(channel.getBytes())});
  }
  return to;
}

}  // namespace

std::string encode_recording(const Recording& recording) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::Recording>();
  to.setMagic(wire::RECORDING_MAGIC);
  to.setArena(recording.arena.text());
  to.setName(recording.name);
  to.setGame(recording.game);
  to.setGameVersion(recording.game_version);
  to.setEpoch(recording.epoch.value);
  to.setRecordedUnixMs(recording.recorded_unix_ms);
  to.setTickHz(recording.tick_hz);
  auto params = to.initParams(static_cast<uint>(recording.params.size()));
  for (uint i = 0; i < params.size(); ++i) {
    params[i].setKey(recording.params[i].first);
    params[i].setValue(recording.params[i].second);
  }
  to.setSnapshot(data_of(recording.snapshot.data(), recording.snapshot.size()));
  auto frames = to.initFrames(static_cast<uint>(recording.frames.size()));
  for (uint i = 0; i < frames.size(); ++i) {
    const auto words = recording.frames[i].words();
    frames.set(i, data_of(words.data(), words.size_bytes()));
  }
  auto events = to.initEvents(static_cast<uint>(recording.channels.size()));
  for (uint i = 0; i < events.size(); ++i) {
    const RecordedChannel& channel = recording.channels[i];
    events[i].setChannel(channel.channel.value);
    events[i].setSlot(channel.slot);
    events[i].setBegin(channel.begin);
    events[i].setBytes(data_of(channel.bytes.data(), channel.bytes.size()));
  }
  const auto words = capnp::messageToFlatArray(message);
  return {reinterpret_cast<const char*>(words.begin()), words.asBytes().size()};
}

Result<Recording> decode_recording(std::string_view bytes) {
  if (bytes.size() % 8 != 0 || bytes.size() < 16) return not_a_recording("it is cut off");
  auto words = kj::heapArray<capnp::word>(bytes.size() / 8);
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  try {
    capnp::FlatArrayMessageReader reader(words, bounded_reader_options(words.size()));
    return convert(reader.getRoot<wire::Recording>());
  } catch (const kj::Exception& e) {
    return not_a_recording(e.getDescription().cStr());
  }
}

}  // namespace arenad
