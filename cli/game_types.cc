#include "cli/game_types.h"

#include <cstring>
#include <exception>
#include <fmt/format.h>

#include <kj/exception.h>

#include "arenad/message.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {
namespace {

constexpr size_t kMaxSchemaBytes = 1024 * 1024;
constexpr unsigned kMaxDepth = 48;  // more than the readers follow pointers; groups within groups count too
constexpr unsigned kMaxMessageValues = 100'000;
constexpr unsigned kMaxSchemaValues = 1'000'000;  // a field of a type has about twenty

Error malformed(std::string_view what, std::string_view why) {
  return make_error(ErrorCode::corrupt, fmt::format("{}: {}", what, why));
}

// In memory that is aligned for it.
kj::Array<capnp::word> words_of(std::span<const unsigned char> bytes) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  if (words.size() != 0) std::memcpy(words.begin(), bytes.data(), words.size() * sizeof(capnp::word));
  return words;
}

bool whole_words(std::span<const unsigned char> bytes) {
  return !bytes.empty() && bytes.size() % sizeof(capnp::word) == 0;
}

// In the smallest unit, which is a bit, of the largest struct that there can be.
constexpr uint32_t kMostOffset = 65535 * 64;

// libcapnp 0.9.2 adds 1 to an offset before it compares it with the struct's size: of 32 bits that are all set nothing is left, and what is read lies far
// outside.
bool reaches_outside(capnp::schema::Node::Reader node) {
  if (!node.isStruct()) return false;
  if (node.getStruct().getDiscriminantOffset() > kMostOffset) return true;
  for (const auto field : node.getStruct().getFields()) {
    if (field.isSlot() && field.getSlot().getOffset() > kMostOffset) return true;
  }
  return false;
}

// Visits all of a message with the bounds of its reader and its own. What has passed can be read again without any: the printer
// knows none, and the loader of types must not meet an error, as libcapnp 0.9.2 wants to name the field that it is at in the error,
// and if it is the name that cannot be read, it calls itself until the stack ends.
class Survey {
 public:
  explicit Survey(unsigned max_values) : max_values_(max_values) {}

  [[nodiscard]] Result<void> take(capnp::DynamicStruct::Reader value, unsigned depth) {
    if (auto counted = count(depth); !counted) return counted;
    for (const auto field : value.getSchema().getNonUnionFields()) {
      if (auto taken = take_field(value, field, depth); !taken) return taken;
    }
    KJ_IF_MAYBE (field, value.which()) return take_field(value, *field, depth);
    return {};
  }

 private:
  [[nodiscard]] Result<void> count(unsigned depth) {
    if (depth > kMaxDepth) return make_error(ErrorCode::corrupt, fmt::format("it is nested deeper than {} levels", kMaxDepth));
    if (++values_ > max_values_) return make_error(ErrorCode::corrupt, fmt::format("it has more than {} values", max_values_));
    return {};
  }

  [[nodiscard]] Result<void> take_field(capnp::DynamicStruct::Reader value, capnp::StructSchema::Field field, unsigned depth) {
    if (!value.has(field)) return count(depth);
    return take_value(value.get(field), depth + 1);
  }

  [[nodiscard]] Result<void> take_value(const capnp::DynamicValue::Reader& value, unsigned depth) {
    if (value.getType() == capnp::DynamicValue::STRUCT) return take(value.as<capnp::DynamicStruct>(), depth);
    if (auto counted = count(depth); !counted) return counted;
    // Nobody knows its type, but it is copied with all that it points to.
    if (value.getType() == capnp::DynamicValue::ANY_POINTER) value.as<capnp::AnyPointer>().targetSize();
    if (value.getType() != capnp::DynamicValue::LIST) return {};
    for (const auto element : value.as<capnp::DynamicList>()) {
      if (auto taken = take_value(element, depth + 1); !taken) return taken;
    }
    return {};
  }

  unsigned max_values_;
  unsigned values_ = 0;
};

}  // namespace

Result<GameTypes> GameTypes::load(std::span<const unsigned char> schema) {
  if (!whole_words(schema) || schema.size() > kMaxSchemaBytes) return malformed("the types of the game", "their size is wrong");
  GameTypes types;
  types.loader_ = std::make_unique<capnp::SchemaLoader>();
  try {
    const auto words = words_of(schema);
    capnp::FlatArrayMessageReader suspect(words, bounded_reader_options(words.size()));
    if (auto passed = Survey(kMaxSchemaValues).take(suspect.getRoot<wire::GameSchema>(), 0); !passed) {
      return malformed("the types of the game", passed.error().message);
    }
    capnp::FlatArrayMessageReader reader(words, unbounded_reader_options());
    for (const auto node : reader.getRoot<wire::GameSchema>().getNodes()) {
      if (reaches_outside(node)) return malformed("the types of the game", "a field lies outside of its struct");
      types.loader_->load(node);
    }
    return types;
  } catch (const kj::Exception& exception) {
    return malformed("the types of the game", exception.getDescription().cStr());
  } catch (const std::exception& exception) {
    return malformed("the types of the game", exception.what());
  }
}

Result<capnp::StructSchema> GameTypes::find(std::string_view what, uint64_t type) const {
  try {
    KJ_IF_MAYBE (found, loader_->tryGet(type)) {
      if (!found->getProto().isStruct())
        return malformed("the types of the game", fmt::format("that of {} is no struct", what));
      return found->asStruct();
    }
    return malformed("the types of the game", fmt::format("{:#018x} is not among them", type));
  } catch (const kj::Exception& exception) {
    return malformed("the types of the game", exception.getDescription().cStr());
  } catch (const std::exception& exception) {
    return malformed("the types of the game", exception.what());
  }
}

Result<LookedThrough> LookedThrough::read(std::string_view what, capnp::StructSchema type,
                                          std::span<const unsigned char> message) {
  if (!whole_words(message)) return malformed(what, "it is no whole number of words");
  LookedThrough read(type);
  read.words_ = words_of(message);
  read.segments_ = std::make_unique<std::array<const kj::ArrayPtr<const capnp::word>, 1>>(
      std::array<const kj::ArrayPtr<const capnp::word>, 1>{read.words_.asPtr()});
  const auto all = kj::arrayPtr(read.segments_->data(), read.segments_->size());
  try {
    capnp::SegmentArrayMessageReader suspect(all, bounded_reader_options(read.words_.size()));
    if (auto passed = Survey(kMaxMessageValues).take(suspect.getRoot<capnp::DynamicStruct>(type), 0); !passed) {
      return malformed(what, passed.error().message);
    }
    read.reader_ = std::make_unique<capnp::SegmentArrayMessageReader>(all, unbounded_reader_options());
    return read;
  } catch (const kj::Exception& exception) {
    return malformed(what, exception.getDescription().cStr());
  } catch (const std::exception& exception) {
    return malformed(what, exception.what());
  }
}

std::string short_name(const capnp::StructSchema& type) {
  const auto display_name = type.getProto().getDisplayName();
  const std::string name(display_name.begin(), display_name.size());
  return name.substr(name.find_last_of(".:") + 1);
}

}  // namespace arenad::cli
