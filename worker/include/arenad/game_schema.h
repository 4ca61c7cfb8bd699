// The types of a game as its module carries them (module_abi.h, `schema`), taken from the code that the Cap'n Proto compiler made.
// Included by game_table.h; game programmers need not read it.
#pragma once

#include <map>

#include <capnp/message.h>
#include <capnp/schema.capnp.h>
#include <capnp/schema.h>
#include <capnp/serialize.h>

namespace arenad::detail {

// A struct or an enum, and every type that its fields are made of.
class SchemaNodes {
 public:
  void add(const capnp::Type& type) {
    if (type.isStruct()) add(type.asStruct());
    if (type.isEnum()) nodes_.emplace(type.asEnum().getProto().getId(), type.asEnum().getProto());
    if (type.isList()) add(type.asList().getElementType());
  }
  void add(const capnp::StructSchema& schema) {
    if (!nodes_.emplace(schema.getProto().getId(), schema.getProto()).second) return;
    for (const auto field : schema.getFields()) add(field.getType());
  }

  // In stream framing. The root is a CodeGeneratorRequest of which only `nodes` is set, the same bytes as a GameSchema
  // (control.capnp).
  [[nodiscard]] kj::Array<capnp::word> message() const {
    capnp::MallocMessageBuilder message;
    auto list = message.initRoot<capnp::schema::CodeGeneratorRequest>().initNodes(static_cast<unsigned>(nodes_.size()));
    unsigned next = 0;
    for (const auto& [id, node] : nodes_) list.setWithCaveats(next++, node);
    return capnp::messageToFlatArray(message);
  }

 private:
  std::map<uint64_t, capnp::schema::Node::Reader> nodes_;
};

template <class T>
void add_type(SchemaNodes& nodes) {
  nodes.add(capnp::Schema::from<T>());
}

}  // namespace arenad::detail
