// Whether a message is what its schema says, all of it, before anybody reads it. Throws kj::Exception if not. Included by game_table.h; game programmers need not
// read it.
#pragma once

#include <capnp/dynamic.h>
#include <capnp/schema.capnp.h>
#include <kj/debug.h>

namespace arenad::detail {

// Touches every pointer of a message with the types of the schema, so that nothing can fail when the game reads it.
inline void check_value(const capnp::DynamicValue::Reader& value);

inline void check_struct(const capnp::DynamicStruct::Reader& message) {
  for (const auto field : message.getSchema().getFields()) {
    const auto proto = field.getProto();
    if (proto.getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT) {
      const auto active = message.which();
      if (active == nullptr || KJ_ASSERT_NONNULL(active) != field) continue;
    }
    if (message.has(field)) check_value(message.get(field));
  }
}

inline void check_value(const capnp::DynamicValue::Reader& value) {
  switch (value.getType()) {
    case capnp::DynamicValue::STRUCT:
      check_struct(value.as<capnp::DynamicStruct>());
      break;
    case capnp::DynamicValue::LIST:
      for (const auto element : value.as<capnp::DynamicList>()) {
        const auto type = element.getType();
        if (type != capnp::DynamicValue::STRUCT && type != capnp::DynamicValue::LIST && type != capnp::DynamicValue::TEXT &&
            type != capnp::DynamicValue::DATA) {
          break;  // plain numbers: reading the list was the check
        }
        check_value(element);
      }
      break;
    default:
      break;
  }
}

}  // namespace arenad::detail
