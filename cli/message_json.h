// A message that was looked through (game_types.h), as JSON: a struct is an object of its fields' names, a group too; of a union there is the field
// that it is; bytes are hexadecimal text.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <capnp/dynamic.h>
#include <kj/exception.h>

#include "arenad/result.h"
#include "cli/json_object.h"
#include "cli/result_value.h"

namespace arenad::cli {

// The library's own short names believe what the type says of their lengths; these do not.
std::string name_of(const capnp::StructSchema::Field& field);
EnumValue enum_value(const capnp::DynamicEnum& value);
Json json_of(const capnp::DynamicValue::Reader& value);

// call() reads a message, and gives a Result: what the library throws is ErrorCode::corrupt, with `what` the message is.
template <class Call>
auto reading(std::string_view what, Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const kj::Exception& exception) {
    return make_error(ErrorCode::corrupt, std::string(what) + ": " + exception.getDescription().cStr());
  } catch (const std::exception& exception) {
    return make_error(ErrorCode::corrupt, std::string(what) + ": " + exception.what());
  }
}

}  // namespace arenad::cli
