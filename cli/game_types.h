// The types that a game module declares, loaded without believing them, and messages of these types looked through before they are read.
//
// The types come from a module, perhaps one that has died; a message comes from a player or from the module. Both are bounded in what is
// followed, in depth and in what comes out, since a few bytes can claim to be many values, and a type can contain itself.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <capnp/dynamic.h>
#include <capnp/schema-loader.h>
#include <capnp/serialize.h>

#include "arenad/result.h"

namespace arenad::cli {

class GameTypes {
 public:
  // `schema` is a message in stream framing with the root GameSchema (control.capnp).
  static Result<GameTypes> load(std::span<const unsigned char> schema);

  // The type of `what`. Errors: corrupt, if there is no such type or it is no struct.
  [[nodiscard]] Result<capnp::StructSchema> find(std::string_view what, uint64_t type) const;

 private:
  std::unique_ptr<capnp::SchemaLoader> loader_;  // types refer to it
};

// One message, a single segment, that has been looked through: it can be read without bounds.
class LookedThrough {
 public:
  // Errors: corrupt, with `what` the message is.
  static Result<LookedThrough> read(std::string_view what, capnp::StructSchema type, std::span<const unsigned char> message);

  [[nodiscard]] capnp::DynamicStruct::Reader root() { return reader_->getRoot<capnp::DynamicStruct>(type_); }

 private:
  explicit LookedThrough(capnp::StructSchema type) : type_(type) {}

  capnp::StructSchema type_;
  kj::Array<capnp::word> words_;
  std::unique_ptr<std::array<const kj::ArrayPtr<const capnp::word>, 1>> segments_;
  std::unique_ptr<capnp::SegmentArrayMessageReader> reader_;
};

// "game.capnp:Order" is Order. The library's own short name believes what the type says of its length.
std::string short_name(const capnp::StructSchema& type);

}  // namespace arenad::cli
