#include "cli/message_json.h"

#include "cli/hex_dump.h"

namespace arenad::cli {
namespace {

using capnp::DynamicStruct;
using capnp::DynamicValue;

std::string text_of_bytes(capnp::Data::Reader bytes) {
  return hex_text({bytes.begin(), bytes.size()});
}

void add_json(Json& object, const DynamicStruct::Reader& from, capnp::StructSchema::Field field) {
  if (from.has(field)) object[name_of(field)] = json_of(from.get(field));
}

Json json_of_struct(const DynamicStruct::Reader& value) {
  Json object = Json::object();
  for (const auto field : value.getSchema().getNonUnionFields()) add_json(object, value, field);
  KJ_IF_MAYBE (field, value.which()) add_json(object, value, *field);
  return object;
}

Json json_of_list(const capnp::DynamicList::Reader& list) {
  Json array = Json::array();
  for (const auto element : list) array.push_back(json_of(element));
  return array;
}

}  // namespace

std::string name_of(const capnp::StructSchema::Field& field) {
  const auto name = field.getProto().getName();
  return {name.begin(), name.size()};
}

EnumValue enum_value(const capnp::DynamicEnum& value) {
  KJ_IF_MAYBE (enumerant, value.getEnumerant()) {
    const auto name = enumerant->getProto().getName();
    return {value.getRaw(), {name.begin(), name.size()}};
  }
  return {value.getRaw(), std::to_string(value.getRaw())};
}

// The message was looked through: nothing here is deep or long.
Json json_of(const DynamicValue::Reader& value) {
  switch (value.getType()) {
    case DynamicValue::BOOL:
      return value.as<bool>();
    case DynamicValue::INT:
      return value.as<int64_t>();
    case DynamicValue::UINT:
      return value.as<uint64_t>();
    case DynamicValue::FLOAT:
      return value.as<double>();
    case DynamicValue::TEXT: {
      const auto text = value.as<capnp::Text>();
      return std::string(text.begin(), text.size());
    }
    case DynamicValue::DATA:
      return text_of_bytes(value.as<capnp::Data>());
    case DynamicValue::LIST:
      return json_of_list(value.as<capnp::DynamicList>());
    case DynamicValue::ENUM:
      return enum_value(value.as<capnp::DynamicEnum>()).name;
    case DynamicValue::STRUCT:
      return json_of_struct(value.as<DynamicStruct>());
    case DynamicValue::UNKNOWN:
    case DynamicValue::VOID:
    case DynamicValue::CAPABILITY:
    case DynamicValue::ANY_POINTER:
      return nullptr;
  }
  return nullptr;
}

}  // namespace arenad::cli
