// What the structs of a schema look like in memory: where each field lies, of which type it is, and what Python calls it. Made from a compiled schema
// when a game is loaded; nothing here knows Python but for the objects that belong to a type.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <structmember.h>
#include <vector>

#include <capnp/schema-loader.h>
#include <capnp/schema.h>

namespace arenad::typed {

enum class Kind : uint8_t {
  nothing,  // Void
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
  enumeration,
  text,
  data,
  list,
  structure,
  group,
};

constexpr bool is_pointer(Kind kind) {
  return kind == Kind::text || kind == Kind::data || kind == Kind::list || kind == Kind::structure;
}
// Bits in a data section or a list.
unsigned bits_of(Kind kind);

struct StructType;
struct EnumType;

struct Type {
  Kind kind = Kind::nothing;
  StructType* structure = nullptr;      // of a struct and of a group
  EnumType* enumeration = nullptr;      // of an enum
  std::shared_ptr<const Type> element;  // of a list
  std::string name;                     // as errors and stubs say it: "UInt16", "list[Shell]"
};

constexpr uint16_t kNoUnion = 0xFFFF;

struct Field {
  std::string name;  // hit_points
  std::string schema_name;
  Type type;
  uint32_t offset = 0;           // in the data section in units of its own size, or the number of its pointer
  uint64_t default_bits = 0;     // what a number is XORed with
  std::string default_bytes;     // of a text or data
  uint16_t of_union = kNoUnion;  // the discriminant with which it is there
  std::string where;             // BattleState.tanks, for errors
  bool closes_a_cycle = false;   // a struct that contains its own kind: None until one is given
  PyObject* initial = nullptr;   // what a number, a text or data is at first; owned
};

struct StructType {
  std::string name;  // Battle.Tank
  std::string path;  // tanks_capnp.Battle.Tank
  uint64_t id = 0;
  capnp::StructSchema schema;
  uint16_t data_words = 0;
  uint16_t pointer_count = 0;
  uint16_t union_count = 0;
  uint32_t union_offset = 0;  // of the discriminant, in units of 16 bits
  bool is_group = false;
  std::vector<Field> fields;
  PyTypeObject* value_type = nullptr;  // owned, as the next one
  PyTypeObject* reader_type = nullptr;
  std::vector<PyMemberDef> members;  // value_type's and reader_type's: looked at as long as these are there
  std::vector<PyGetSetDef> getters;

  // No pointers: its message is the root pointer and the data section.
  [[nodiscard]] bool is_flat() const { return pointer_count == 0; }
  // The fields that are structs or lists, which may be part of a cycle of references.
  [[nodiscard]] bool has_containers() const;
};

struct EnumType {
  std::string name;
  std::string path;
  uint64_t id = 0;
  std::vector<std::string> names;   // light, time_over
  PyObject* python_type = nullptr;  // an IntEnum; owned, as the next ones
  std::vector<PyObject*> members;
};

// hitPoints -> hit_points, UInt16Values -> u_int16_values.
std::string snake_case(std::string_view name);

// The files that a compiled schema imports, as it writes them: "map.capnp", "/arenad/results.capnp". Throws as Layouts does.
std::vector<std::string> imports_of(const void* bytes, size_t size);

// All types of a compiled schema. Those of a file that it imports are the ones of the schema of that file, if that has been loaded before.
class Layouts {
 public:
  using Loaded = std::span<const std::shared_ptr<Layouts>>;
  // A CodeGeneratorRequest as `capnp compile -o-` writes it, in stream framing. Throws kj::Exception if it is none; std::invalid_argument for what cannot be
  // typed in Python: interfaces, AnyPointer, generic structs, defaults of lists and structs.
  Layouts(const void* bytes, size_t size, std::string module_name, Loaded before);

  // Its own; nullptr if it has none with this id.
  [[nodiscard]] StructType* find(uint64_t id) const;
  [[nodiscard]] EnumType* find_enum(uint64_t id) const;
  [[nodiscard]] const std::map<uint64_t, std::unique_ptr<StructType>>& structs() const { return structs_; }
  [[nodiscard]] const std::map<uint64_t, std::unique_ptr<EnumType>>& enums() const { return enums_; }
  struct Name {
    std::string name;
    uint64_t id = 0;
  };
  // What the schema's file itself declares, in its order; nested() likewise of a struct.
  [[nodiscard]] std::vector<Name> top_level() const { return nested(file_id_); }
  [[nodiscard]] std::vector<Name> nested(uint64_t id) const;
  [[nodiscard]] capnp::Schema schema(uint64_t id) const { return loader_.get(id); }

 private:
  [[nodiscard]] bool is_of_own_file(const capnp::Schema& schema) const;
  // Whose type it is, of an imported schema that was loaded before; nullptr: its own.
  [[nodiscard]] const Layouts* owner_of(const capnp::Schema& schema) const;
  Type type_of(const capnp::Type& type, const std::string& where);
  StructType* structure(const capnp::StructSchema& schema, const std::string& name);
  EnumType* enumeration(const capnp::EnumSchema& schema);
  Field field_of(const capnp::StructSchema::Field& field, StructType& owner);
  void find_cycles();
  [[nodiscard]] std::string name_of(const capnp::Schema& schema) const;

  capnp::SchemaLoader loader_;
  Loaded before_;  // while it is made
  std::string module_name_;
  uint64_t file_id_ = 0;
  std::map<uint64_t, std::unique_ptr<StructType>> structs_;
  std::map<uint64_t, std::unique_ptr<EnumType>> enums_;
};

// The nodes of these types and of all in them, with their annotations, for tools (module_abi.h, `schema`). They may be of several schemas.
kj::Array<capnp::word> game_schema(const std::vector<const StructType*>& roots);

}  // namespace arenad::typed
