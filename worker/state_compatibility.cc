#include "worker/state_compatibility.h"

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <capnp/any.h>
#include <capnp/schema.capnp.h>
#include <capnp/serialize.h>
#include <kj/debug.h>
#include <kj/exception.h>

namespace arenad {
namespace {

using capnp::schema::Field;
using capnp::schema::Node;
using capnp::schema::Type;

// A few bytes can claim to be millions of nodes. Types are read a few times each, by every type that has them as a field.
capnp::ReaderOptions reader_options(size_t word_count) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = word_count * 64 + 1024;
  return options;
}

// The nodes of a schema by their ids.
class Types {
 public:
  explicit Types(std::span<const unsigned char> bytes)
      : words_(kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word))) {
    if (words_.size() != 0) std::memcpy(words_.begin(), bytes.data(), words_.size() * sizeof(capnp::word));
    message_ = kj::heap<capnp::FlatArrayMessageReader>(words_.asPtr(), reader_options(words_.size()));
    for (const auto node : message_->getRoot<capnp::schema::CodeGeneratorRequest>().getNodes())
      nodes_.emplace(node.getId(), node);
  }
  [[nodiscard]] const Node::Reader* find(uint64_t id) const {
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? nullptr : &found->second;
  }

 private:
  kj::Array<capnp::word> words_;
  kj::Own<capnp::FlatArrayMessageReader> message_;
  std::map<uint64_t, Node::Reader> nodes_;
};

std::string short_name(const Node::Reader& node) {
  const std::string name = node.getDisplayName();
  return name.substr(std::min<size_t>(node.getDisplayNamePrefixLength(), name.size()));
}

std::string name_of(const Type::Reader& type, const Types& types) {
  const auto of_node = [&](uint64_t id) {
    const Node::Reader* node = types.find(id);
    return node == nullptr ? std::string("an unknown type") : short_name(*node);
  };
  switch (type.which()) {
    case Type::VOID:
      return "Void";
    case Type::BOOL:
      return "Bool";
    case Type::INT8:
      return "Int8";
    case Type::INT16:
      return "Int16";
    case Type::INT32:
      return "Int32";
    case Type::INT64:
      return "Int64";
    case Type::UINT8:
      return "UInt8";
    case Type::UINT16:
      return "UInt16";
    case Type::UINT32:
      return "UInt32";
    case Type::UINT64:
      return "UInt64";
    case Type::FLOAT32:
      return "Float32";
    case Type::FLOAT64:
      return "Float64";
    case Type::TEXT:
      return "Text";
    case Type::DATA:
      return "Data";
    case Type::LIST:
      return "List(" + name_of(type.getList().getElementType(), types) + ")";
    case Type::ENUM:
      return of_node(type.getEnum().getTypeId());
    case Type::STRUCT:
      return of_node(type.getStruct().getTypeId());
    case Type::INTERFACE:
      return "an interface";
    case Type::ANY_POINTER:
      return "AnyPointer";
  }
  return "an unknown type";
}

// The tag that says which member of a union is set.
struct Tag {
  uint32_t offset = 0;
  uint16_t value = 0;
  bool operator==(const Tag&) const = default;
};

// A field that holds something, wherever in its struct's groups and unions it stands.
struct Slot {
  Field::Reader field;
  std::string owner;      // the struct or group
  std::vector<Tag> tags;  // of the unions around it
};

// Ordinals count through a struct and all of its groups and unions, the names of which are free: by them a field is known.
class Slots {
 public:
  Slots(const Types& types, const Node::Reader& of_struct) : types_(types) { add(of_struct, {}); }
  [[nodiscard]] const std::map<uint16_t, Slot>& all() const { return slots_; }
  [[nodiscard]] const Slot* find(uint16_t ordinal) const {
    const auto found = slots_.find(ordinal);
    return found == slots_.end() ? nullptr : &found->second;
  }

 private:
  void add(const Node::Reader& node, const std::vector<Tag>& around) {
    if (!added_.insert(node.getId()).second) return;  // a damaged schema
    for (const auto field : node.getStruct().getFields()) {
      std::vector<Tag> tags = around;
      if (field.getDiscriminantValue() != Field::NO_DISCRIMINANT)
        tags.push_back({node.getStruct().getDiscriminantOffset(), field.getDiscriminantValue()});
      if (field.isGroup()) {
        const Node::Reader* group = types_.find(field.getGroup().getTypeId());
        KJ_REQUIRE(group != nullptr && group->isStruct(), "it lacks a group");
        add(*group, tags);
      } else {
        KJ_REQUIRE(field.getOrdinal().isExplicit(), "a field has no ordinal");
        slots_.emplace(field.getOrdinal().getExplicit(), Slot{field, short_name(node), std::move(tags)});
      }
    }
  }

  const Types& types_;
  std::map<uint16_t, Slot> slots_;
  std::set<uint64_t> added_;
};

class Comparison {
 public:
  Comparison(const Types& written, const Types& read) : written_(written), read_(read) {}

  Result<void> compare(uint64_t written_id, uint64_t read_id) {
    if (!compared_.emplace(written_id, read_id).second) return {};
    const Node::Reader* written = written_.find(written_id);
    const Node::Reader* read = read_.find(read_id);
    if (written == nullptr || read == nullptr || !written->isStruct() || !read->isStruct())
      return make_error(ErrorCode::corrupt, "a schema lacks a type that it uses");
    const Slots before(written_, *written);
    const Slots now(read_, *read);
    for (const auto& [ordinal, slot] : now.all()) {
      const Slot* same = before.find(ordinal);
      if (same == nullptr) continue;
      if (auto fits = compare_slots(ordinal, *same, slot); !fits) return fits;
    }
    return {};
  }

 private:
  Result<void> compare_slots(uint16_t ordinal, const Slot& written, const Slot& read) {
    const auto before = written.field.getSlot();
    const auto now = read.field.getSlot();
    const std::string where = "field " + read.owner + "." + std::string(read.field.getName()) + " @" + std::to_string(ordinal);
    if (auto same = compare_types(where, before.getType(), now.getType()); !same) return same;
    if (before.getOffset() != now.getOffset() || written.tags != read.tags)
      return make_error(ErrorCode::refused, where + " lies in another place than before");
    // Numbers are stored as what differs from their default.
    if (capnp::AnyStruct::Reader(before.getDefaultValue()) != capnp::AnyStruct::Reader(now.getDefaultValue()))
      return make_error(ErrorCode::refused, where + " has another default than before");
    return {};
  }

  // An enum's numbers are taken over as they are.
  Result<void> compare_types(const std::string& where, const Type::Reader& written, const Type::Reader& read) {
    const auto differs = [&] {
      return make_error(ErrorCode::refused, where + " was " + name_of(written, written_) + " and is " + name_of(read, read_) +
                                                " now: add a field instead, or give the game an on_migrate()");
    };
    if (written.which() != read.which()) return differs();
    if (written.isList()) return compare_types(where, written.getList().getElementType(), read.getList().getElementType());
    if (written.isStruct()) return compare(written.getStruct().getTypeId(), read.getStruct().getTypeId());
    return {};
  }

  const Types& written_;
  const Types& read_;
  std::set<std::pair<uint64_t, uint64_t>> compared_;
};

}  // namespace

Result<void> state_fits(const StateSchema& written, const StateSchema& read) {
  try {
    const Types before(written.schema);
    const Types now(read.schema);
    return Comparison(before, now).compare(written.state_type, read.state_type);
  } catch (const kj::Exception& exception) {
    return make_error(ErrorCode::corrupt,
                      std::string("a module's schema cannot be read: ") + exception.getDescription().cStr());
  }
}

}  // namespace arenad
