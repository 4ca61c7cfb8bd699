#include "python/typed/layout.h"

#include <cctype>
#include <cstring>
#include <functional>
#include <set>
#include <stdexcept>

#include <capnp/dynamic.h>
#include <capnp/schema.capnp.h>
#include <capnp/serialize.h>

namespace arenad::typed {
namespace {

struct Plain {
  Kind kind;
  const char* name;
};

Plain plain_kind(capnp::schema::Type::Which which) {
  using Which = capnp::schema::Type::Which;
  switch (which) {
    case Which::VOID:
      return {Kind::nothing, "Void"};
    case Which::BOOL:
      return {Kind::boolean, "Bool"};
    case Which::INT8:
      return {Kind::int8, "Int8"};
    case Which::INT16:
      return {Kind::int16, "Int16"};
    case Which::INT32:
      return {Kind::int32, "Int32"};
    case Which::INT64:
      return {Kind::int64, "Int64"};
    case Which::UINT8:
      return {Kind::uint8, "UInt8"};
    case Which::UINT16:
      return {Kind::uint16, "UInt16"};
    case Which::UINT32:
      return {Kind::uint32, "UInt32"};
    case Which::UINT64:
      return {Kind::uint64, "UInt64"};
    case Which::FLOAT32:
      return {Kind::float32, "Float32"};
    case Which::FLOAT64:
      return {Kind::float64, "Float64"};
    case Which::TEXT:
      return {Kind::text, "Text"};
    case Which::DATA:
      return {Kind::data, "Data"};
    default:
      return {Kind::nothing, nullptr};
  }
}

template <class Number>
uint64_t bits(Number value) {
  uint64_t all = 0;
  std::memcpy(&all, &value, sizeof value);
  return all;
}

uint64_t default_of(capnp::schema::Value::Reader value) {
  using Which = capnp::schema::Value::Which;
  switch (value.which()) {
    case Which::BOOL:
      return value.getBool() ? 1 : 0;
    case Which::INT8:
      return bits(value.getInt8());
    case Which::INT16:
      return bits(value.getInt16());
    case Which::INT32:
      return bits(value.getInt32());
    case Which::INT64:
      return bits(value.getInt64());
    case Which::UINT8:
      return value.getUint8();
    case Which::UINT16:
      return value.getUint16();
    case Which::UINT32:
      return value.getUint32();
    case Which::UINT64:
      return value.getUint64();
    case Which::FLOAT32:
      return bits(value.getFloat32());
    case Which::FLOAT64:
      return bits(value.getFloat64());
    case Which::ENUM:
      return value.getEnum();
    default:
      return 0;
  }
}

// Words of Python that no attribute can be called by.
bool is_keyword(const std::string& name) {
  static const std::set<std::string> keywords{"and",    "as",    "assert",   "async",  "await",  "break",   "class", "continue",
                                              "def",    "del",   "elif",     "else",   "except", "finally", "for",   "from",
                                              "global", "if",    "import",   "in",     "is",     "lambda",  "not",   "or",
                                              "pass",   "raise", "nonlocal", "return", "try",    "while",   "with",  "yield"};
  return keywords.contains(name);
}

std::string capitalised(std::string name) {
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

// Each class has a Reader already.
std::string group_name(const std::string& field) {
  std::string name = capitalised(field);
  return name == "Reader" ? "Reader_" : name;
}

class CompiledSchema {
 public:
  CompiledSchema(const void* bytes, size_t size) : words_(words(bytes, size)), message_(words_, unlimited()) {
    if (request().getRequestedFiles().size() != 1) throw std::invalid_argument("a compiled schema is of one file");
  }
  [[nodiscard]] capnp::schema::CodeGeneratorRequest::Reader request() const {
    return message_.getRoot<capnp::schema::CodeGeneratorRequest>();
  }
  [[nodiscard]] capnp::schema::CodeGeneratorRequest::RequestedFile::Reader file() const {
    return request().getRequestedFiles()[0];
  }

 private:
  static kj::Array<capnp::word> words(const void* bytes, size_t size) {
    if (size == 0 || size % sizeof(capnp::word) != 0) throw std::invalid_argument("this is no compiled schema");
    auto copy = kj::heapArray<capnp::word>(size / sizeof(capnp::word));
    std::memcpy(static_cast<void*>(copy.begin()), bytes, size);
    return copy;
  }
  static capnp::ReaderOptions unlimited() {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = UINT64_MAX;
    return options;
  }

  kj::Array<capnp::word> words_;
  mutable capnp::FlatArrayMessageReader message_;
};

}  // namespace

unsigned bits_of(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return 1;
    case Kind::int8:
    case Kind::uint8:
      return 8;
    case Kind::int16:
    case Kind::uint16:
    case Kind::enumeration:
      return 16;
    case Kind::int32:
    case Kind::uint32:
    case Kind::float32:
      return 32;
    case Kind::int64:
    case Kind::uint64:
    case Kind::float64:
      return 64;
    default:
      return 0;
  }
}

bool StructType::has_containers() const {
  for (const Field& field : fields) {
    if (field.type.kind == Kind::list || field.type.kind == Kind::structure || field.type.kind == Kind::group) return true;
  }
  return false;
}

std::string snake_case(std::string_view name) {
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (std::isupper(c) != 0) {
      const bool begins_word = i > 0 && (std::islower(static_cast<unsigned char>(name[i - 1])) != 0 ||
                                         std::isdigit(static_cast<unsigned char>(name[i - 1])) != 0 ||
                                         (i + 1 < name.size() && std::islower(static_cast<unsigned char>(name[i + 1])) != 0));
      if (begins_word) snake += '_';
      snake += static_cast<char>(std::tolower(c));
    } else {
      snake += static_cast<char>(c);
    }
  }
  if (is_keyword(snake)) snake += '_';
  return snake;
}

std::vector<std::string> imports_of(const void* bytes, size_t size) {
  const CompiledSchema compiled(bytes, size);
  std::vector<std::string> names;
  for (const auto one : compiled.file().getImports()) names.emplace_back(one.getName().cStr());
  return names;
}

Layouts::Layouts(const void* bytes, size_t size, std::string module_name, Loaded before)
    : before_(before), module_name_(std::move(module_name)) {
  const CompiledSchema compiled(bytes, size);
  const auto request = compiled.request();
  for (const auto node : request.getNodes()) loader_.load(node);
  file_id_ = compiled.file().getId();
  for (const auto node : request.getNodes()) {
    const capnp::Schema schema = loader_.get(node.getId());
    if (node.getIsGeneric()) continue;
    if (node.isStruct() && !node.getStruct().getIsGroup() && !schema.getShortDisplayName().startsWith("schema.capnp")) {
      // Arenad's and Cap'n Proto's own schemas that are imported have what no game uses.
      const kj::StringPtr file = node.getDisplayName();
      if (file.startsWith("capnp/") || file.startsWith("/capnp/")) continue;
      structure(schema.asStruct(), name_of(schema));
    }
    if (node.isEnum()) enumeration(schema.asEnum());
  }
  find_cycles();
  before_ = {};
}

StructType* Layouts::find(uint64_t id) const {
  const auto found = structs_.find(id);
  return found == structs_.end() ? nullptr : found->second.get();
}

EnumType* Layouts::find_enum(uint64_t id) const {
  const auto found = enums_.find(id);
  return found == enums_.end() ? nullptr : found->second.get();
}

bool Layouts::is_of_own_file(const capnp::Schema& schema) const {
  uint64_t id = schema.getProto().getId();
  while (id != file_id_) {
    const auto scope = loader_.tryGet(id);
    KJ_IF_MAYBE (known, scope) {
      id = known->getProto().getScopeId();
    } else {
      return false;  // above the file
    }
  }
  return true;
}

std::string Layouts::name_of(const capnp::Schema& schema) const {
  const std::string whole = schema.getProto().getDisplayName().cStr();
  return whole.substr(whole.rfind(':') + 1);
}

std::vector<Layouts::Name> Layouts::nested(uint64_t id) const {
  std::vector<Name> names;
  for (const auto one : loader_.get(id).getProto().getNestedNodes()) names.push_back({one.getName().cStr(), one.getId()});
  return names;
}

// The newest one, should a schema have been loaded twice; none whose classes could not be made.
const Layouts* Layouts::owner_of(const capnp::Schema& schema) const {
  if (is_of_own_file(schema)) return nullptr;
  const uint64_t id = schema.getProto().getId();
  for (auto other = before_.rbegin(); other != before_.rend(); ++other) {
    const StructType* structure = (*other)->find(id);
    const EnumType* enumeration = (*other)->find_enum(id);
    if (structure != nullptr && structure->value_type != nullptr) return other->get();
    if (enumeration != nullptr && enumeration->python_type != nullptr) return other->get();
  }
  return nullptr;
}

EnumType* Layouts::enumeration(const capnp::EnumSchema& schema) {
  const uint64_t id = schema.getProto().getId();
  if (const Layouts* owner = owner_of(schema); owner != nullptr) return owner->find_enum(id);
  auto& slot = enums_[id];
  if (slot) return slot.get();
  slot = std::make_unique<EnumType>();
  slot->id = id;
  slot->name = name_of(schema);
  slot->path = module_name_ + "." + slot->name;
  for (const auto enumerant : schema.getEnumerants()) slot->names.push_back(snake_case(enumerant.getProto().getName().cStr()));
  return slot.get();
}

Type Layouts::type_of(const capnp::Type& type, const std::string& where) {
  Type made;
  const Plain plain = plain_kind(type.which());
  if (plain.name != nullptr) {
    made.kind = plain.kind;
    made.name = plain.name;
  } else if (type.isEnum()) {
    made.kind = Kind::enumeration;
    made.enumeration = enumeration(type.asEnum());
    made.name = made.enumeration->name;
  } else if (type.isStruct()) {
    const auto schema = type.asStruct();
    if (schema.getProto().getIsGeneric()) throw std::invalid_argument(where + ": generic structs have no type in Python");
    made.kind = Kind::structure;
    made.structure = structure(schema, name_of(schema));
    made.name = made.structure->name;
  } else if (type.isList()) {
    auto element = std::make_shared<Type>(type_of(type.asList().getElementType(), where));
    made.kind = Kind::list;
    made.name = "list[" + element->name + "]";
    made.element = std::move(element);
  } else {
    throw std::invalid_argument(where + ": interfaces and AnyPointer have no type in Python");
  }
  return made;
}

Field Layouts::field_of(const capnp::StructSchema::Field& field, StructType& owner) {
  Field made;
  const auto proto = field.getProto();
  made.schema_name = proto.getName().cStr();
  made.name = snake_case(made.schema_name);
  made.of_union = proto.getDiscriminantValue();
  made.where = owner.name + "." + made.name;
  const std::string& where = made.where;
  if (proto.isGroup()) {
    made.type.kind = Kind::group;
    made.type.structure = structure(field.getType().asStruct(), owner.name + "." + group_name(made.schema_name));
    made.type.name = made.type.structure->name;
    return made;
  }
  made.type = type_of(field.getType(), where);
  made.offset = proto.getSlot().getOffset();
  const auto value = proto.getSlot().getDefaultValue();
  if (!is_pointer(made.type.kind)) {
    made.default_bits = default_of(value);
  } else if (value.isText()) {
    made.default_bytes.assign(value.getText().begin(), value.getText().size());
  } else if (value.isData()) {
    made.default_bytes.assign(value.getData().asChars().begin(), value.getData().size());
  } else if ((value.isList() && !value.getList().isNull()) || (value.isStruct() && !value.getStruct().isNull())) {
    throw std::invalid_argument(where + ": a default of a list or struct has no type in Python");
  }
  return made;
}

StructType* Layouts::structure(const capnp::StructSchema& schema, const std::string& name) {
  const auto proto = schema.getProto();
  if (const Layouts* owner = owner_of(schema); owner != nullptr) return owner->find(proto.getId());
  auto& slot = structs_[proto.getId()];
  if (slot) return slot.get();
  slot = std::make_unique<StructType>();
  StructType* made = slot.get();
  made->name = name;
  made->path = module_name_ + "." + name;
  made->id = proto.getId();
  made->schema = schema;
  made->data_words = proto.getStruct().getDataWordCount();
  made->pointer_count = proto.getStruct().getPointerCount();
  made->union_count = proto.getStruct().getDiscriminantCount();
  made->union_offset = proto.getStruct().getDiscriminantOffset();
  made->is_group = proto.getStruct().getIsGroup();
  std::vector<Field> fields;
  for (const auto field : schema.getFields()) fields.push_back(field_of(field, *made));
  made->fields = std::move(fields);
  return made;
}

// A struct whose fields are made with it would never come to an end if one of them has its own kind in it again.
void Layouts::find_cycles() {
  for (const auto& entry : structs_) {
    const StructType* const type = entry.second.get();
    for (Field& field : entry.second->fields) {
      if (field.type.kind != Kind::structure) continue;
      std::set<const StructType*> seen;
      const std::function<bool(const StructType&)> reaches = [&](const StructType& from) {
        if (&from == type) return true;
        if (!seen.insert(&from).second) return false;
        for (const Field& next : from.fields) {
          if ((next.type.kind == Kind::structure || next.type.kind == Kind::group) && reaches(*next.type.structure))
            return true;
        }
        return false;
      };
      field.closes_a_cycle = reaches(*field.type.structure);
    }
  }
}

kj::Array<capnp::word> game_schema(const std::vector<const StructType*>& roots) {
  std::map<uint64_t, capnp::schema::Node::Reader> nodes;
  const std::function<void(const capnp::Type&)> add = [&](const capnp::Type& type) {
    if (type.isList()) return add(type.asList().getElementType());
    if (type.isEnum()) nodes.emplace(type.asEnum().getProto().getId(), type.asEnum().getProto());
    if (!type.isStruct()) return;
    if (!nodes.emplace(type.asStruct().getProto().getId(), type.asStruct().getProto()).second) return;
    for (const auto field : type.asStruct().getFields()) add(field.getType());
  };
  for (const StructType* root : roots) add(capnp::Type(root->schema));
  capnp::MallocMessageBuilder message;
  auto list = message.initRoot<capnp::schema::CodeGeneratorRequest>().initNodes(static_cast<unsigned>(nodes.size()));
  unsigned next = 0;
  for (const auto& [id, node] : nodes) list.setWithCaveats(next++, node);
  return capnp::messageToFlatArray(message);
}

}  // namespace arenad::typed
