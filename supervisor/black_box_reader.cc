#include "supervisor/black_box_reader.h"

#include <algorithm>
#include <cstring>

#include "ipc/printable.h"
#include "ipc/record.h"

namespace arenad {
namespace {

struct Copy {
  alignas(8) std::array<std::byte, kBlackBoxBytes> bytes;
  [[nodiscard]] const BlackBox& box() const { return *reinterpret_cast<const BlackBox*>(bytes.data()); }
};

Copy copy_of(const IncarnationView& region) {
  Copy copy;
  copy_from_shared(copy.bytes.data(), reinterpret_cast<const std::byte*>(&region.black_box()), kBlackBoxBytes);
  return copy;
}

// It goes into logs and reports, and may be cut in the middle of a character.
template <size_t N>
std::string text_in(const char (&field)[N]) {
  std::string text = printable_lines({field, ::strnlen(field, N)});
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string hex_of(const MappedObject& object) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (uint32_t i = 0; i < std::min<uint32_t>(object.build_id_bytes, sizeof object.build_id); ++i) {
    text += kDigits[object.build_id[i] >> 4];
    text += kDigits[object.build_id[i] & 15];
  }
  return text;
}

std::span<const MappedObject> objects_of(const BlackBox& box) {
  return {box.objects, std::min<size_t>(box.object_count, kMaxMappedObjects)};
}

std::vector<TracedFrame> trace(const BlackBox& box, const StackAddresses& stack) {
  std::vector<TracedFrame> frames;
  for (uint32_t i = 0; i < std::min<uint32_t>(stack.depth, kStackDepth); ++i) {
    TracedFrame frame{stack.addresses[i], {}, {}, 0};
    for (const MappedObject& object : objects_of(box)) {
      if (frame.address < object.begin || frame.address >= object.end) continue;
      frame.object = text_in(object.path);
      frame.build_id = hex_of(object);
      frame.offset = frame.address - object.bias;
      break;
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

// Nothing if it is not the one of this number, or became another one meanwhile.
ScriptTrace read_script(const ScriptText& shared, uint64_t number) {
  if (shared.written.load(std::memory_order_acquire) != number) return {};
  alignas(ScriptText) std::array<std::byte, sizeof(ScriptText)> copy;
  copy_from_shared(copy.data(), &shared, copy.size());
  std::atomic_thread_fence(std::memory_order_acquire);
  if (shared.written.load(std::memory_order_relaxed) != number) return {};
  return script_trace(*reinterpret_cast<const ScriptText*>(copy.data()));
}

}  // namespace

EndNote read_end_note(const IncarnationView& region) {
  const uint32_t written = region.black_box().death.written.load(std::memory_order_acquire);
  if (written == 0) return {};
  const Copy copy = copy_of(region);
  const DeathNote& note = copy.box().death;
  EndNote end;
  if (note.kind != EndKind::signal && note.kind != EndKind::exit) return {};
  end.kind = note.kind;
  end.signal = note.signal;
  end.code = note.code;
  end.address = note.address;
  end.sender = note.sender;
  end.system_call = note.system_call;
  end.exit_code = note.exit_code;
  end.at_ns = note.at_ns;
  end.blames_event = note.blames_event == 1;
  end.reason = text_in(copy.box().reason);
  if (written >= 2) end.stack = trace(copy.box(), note.stack);
  if (const ScriptNotes* scripts = region.script_notes()) end.script = read_script(scripts->death, 1);
  return end;
}

std::optional<SlowFrame> read_slow_frame(const IncarnationView& region, uint64_t seen) {
  const uint64_t number = region.black_box().slow.written.load(std::memory_order_acquire);
  if (number <= seen) return std::nullopt;
  const Copy copy = copy_of(region);
  const SlowNote& note = copy.box().slow;
  SlowFrame slow{number, {note.frame}, note.ran_ns, note.phase, trace(copy.box(), note.stack), {}};
  if (const ScriptNotes* scripts = region.script_notes()) slow.script = read_script(scripts->slow, number);
  return slow;
}

std::string build_id_of(const IncarnationView& region, const std::string& path) {
  const Copy copy = copy_of(region);
  for (const MappedObject& object : objects_of(copy.box())) {
    const std::string mapped = text_in(object.path);
    if (!mapped.empty() && path.ends_with(mapped)) return hex_of(object);
  }
  return {};
}

}  // namespace arenad
