#include "worker/state_compatibility.h"

#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <capnp/schema.capnp.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

namespace arenad {
namespace {

using capnp::schema::Field;
using capnp::schema::Node;
using capnp::schema::Type;

// The nodes of a schema by their ids.
class Types {
 public:
  explicit Types(std::span<const unsigned char> bytes)
      : words_(kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word))) {
    if (words_.size() != 0) std::memcpy(words_.begin(), bytes.data(), words_.size() * sizeof(capnp::word));
    message_ = kj::heap<capnp::FlatArrayMessageReader>(words_.asPtr());
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

class Comparison {
 public:
  Comparison(const Types& written, const Types& read) : written_(written), read_(read) {}

  Result<void> compare(uint64_t written_id, uint64_t read_id) {
    if (!compared_.emplace(written_id, read_id).second) return {};
    const Node::Reader* written = written_.find(written_id);
    const Node::Reader* read = read_.find(read_id);
    if (written == nullptr || read == nullptr) return make_error(ErrorCode::corrupt, "a schema lacks a type that it uses");
    if (!written->isStruct() || !read->isStruct()) return {};  // an enum: its numbers are taken over as they are
    for (const auto field : read->getStruct().getFields()) {
      const auto before = same_place(*written, field);
      if (!before) continue;
      if (auto fits = compare_fields(*read, *before, field); !fits) return fits;
    }
    return {};
  }

 private:
  // A field is known by its ordinal; a group or union by its name.
  static std::optional<Field::Reader> same_place(const Node::Reader& in, const Field::Reader& field) {
    for (const auto other : in.getStruct().getFields()) {
      if (other.isGroup() != field.isGroup()) continue;
      const bool same = field.isGroup() ? other.getName() == field.getName()
                                        : other.getOrdinal().isExplicit() && field.getOrdinal().isExplicit() &&
                                              other.getOrdinal().getExplicit() == field.getOrdinal().getExplicit();
      if (same) return other;
    }
    return std::nullopt;
  }

  Result<void> compare_fields(const Node::Reader& owner, const Field::Reader& written, const Field::Reader& read) {
    if (read.isGroup()) return compare(written.getGroup().getTypeId(), read.getGroup().getTypeId());
    const auto before = written.getSlot();
    const auto now = read.getSlot();
    const std::string where = "field " + short_name(owner) + "." + std::string(read.getName()) + " @" +
                              std::to_string(read.getOrdinal().getExplicit());
    if (auto same = compare_types(where, before.getType(), now.getType()); !same) return same;
    if (before.getOffset() != now.getOffset() || written.getDiscriminantValue() != read.getDiscriminantValue()) {
      return make_error(ErrorCode::refused, where + " lies in another place than before");
    }
    return {};
  }

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
