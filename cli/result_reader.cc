#include "cli/result_reader.h"

#include <fmt/format.h>
#include <utility>

#include "cli/json_object.h"
#include "cli/message_json.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kAggregateAnnotation = 0x90e0'bed6'a53b'e8ad;  // worker/schema/arenad/results.capnp
constexpr unsigned kMaxGroups = 16;                               // within one another
constexpr size_t kMaxFields = 1000;

using capnp::DynamicStruct;
using capnp::DynamicValue;

ResultValue value_of(const DynamicValue::Reader& value) {
  switch (value.getType()) {
    case DynamicValue::BOOL:
      return value.as<bool>();
    case DynamicValue::INT:
      return Integer{value.as<int64_t>()};
    case DynamicValue::UINT:
      return Integer{value.as<uint64_t>()};
    case DynamicValue::FLOAT:
      return value.as<double>();
    case DynamicValue::TEXT: {
      const auto text = value.as<capnp::Text>();
      return std::string(text.begin(), text.size());
    }
    case DynamicValue::ENUM:
      return enum_value(value.as<capnp::DynamicEnum>());
    case DynamicValue::DATA:
    case DynamicValue::LIST:
    case DynamicValue::STRUCT:
      return CompositeValue{json_of(value).dump(-1, ' ', false, Json::error_handler_t::replace)};
    case DynamicValue::VOID:
      return true;  // of a union: it is the one
    case DynamicValue::UNKNOWN:
    case DynamicValue::CAPABILITY:
    case DynamicValue::ANY_POINTER:
      return {};
  }
  return {};
}

bool is_number_type(const capnp::Type& type) {
  return type.isInt8() || type.isInt16() || type.isInt32() || type.isInt64() || type.isUInt8() || type.isUInt16() ||
         type.isUInt32() || type.isUInt64() || type.isFloat32() || type.isFloat64();
}

Aggregate of_undeclared(const capnp::Type& type) {
  if (type.isBool()) return Aggregate::any;
  if (type.isText() || type.isEnum()) return Aggregate::last;
  return is_number_type(type) ? Aggregate::sum : Aggregate::skip;
}

Aggregate aggregate_of(const capnp::StructSchema::Field& field) {
  for (const auto annotation : field.getProto().getAnnotations()) {
    if (annotation.getId() != kAggregateAnnotation || !annotation.getValue().isEnum()) continue;
    const uint16_t declared = annotation.getValue().getEnum();
    // Of a later Arenad: what it means is not known here.
    return declared <= static_cast<uint16_t>(Aggregate::any) ? Aggregate{declared} : Aggregate::skip;
  }
  return of_undeclared(field.getType());
}

// Calls use(prefix, field, value) for each field, those of groups too, in the order in which they are declared; the value is nothing where no
// struct is given, or the field is not what its union is. A type can contain itself: so deep, or of so many fields, it is no result.
class Fields {
 public:
  template <class Use>
  [[nodiscard]] Result<void> walk(const capnp::StructSchema& type, const DynamicStruct::Reader* from, const std::string& prefix,
                                  unsigned depth, Use& use) {
    if (depth > kMaxGroups)
      return make_error(ErrorCode::corrupt, "the type of the result has groups within groups without an end");
    for (const auto field : type.getFields()) {
      if (++count_ > kMaxFields)
        return make_error(ErrorCode::corrupt, fmt::format("the result has more than {} fields", kMaxFields));
      const bool is_there = from != nullptr && is_active(*from, field);
      if (field.getProto().isGroup()) {
        const auto group = field.getType().asStruct();
        const std::string inner = prefix + name_of(field) + ".";
        if (is_there) {
          const DynamicStruct::Reader within = from->get(field).as<DynamicStruct>();
          if (auto walked = walk(group, &within, inner, depth + 1, use); !walked) return walked;
        } else if (auto walked = walk(group, nullptr, inner, depth + 1, use); !walked) {
          return walked;
        }
        continue;
      }
      use(prefix, field, is_there ? value_of(from->get(field)) : ResultValue());
    }
    return {};
  }

 private:
  static bool is_active(const DynamicStruct::Reader& from, capnp::StructSchema::Field field) {
    if (field.getProto().getDiscriminantValue() == capnp::schema::Field::NO_DISCRIMINANT) return true;
    KJ_IF_MAYBE (which, from.which()) return *which == field;
    return false;
  }

  size_t count_ = 0;
};

Result<ResultType> describe(const capnp::StructSchema& type) {
  ResultType described{.name = short_name(type), .fields = {}};
  const auto use = [&](const std::string& prefix, const capnp::StructSchema::Field& field, const ResultValue&) {
    described.fields.push_back({prefix + name_of(field), aggregate_of(field), is_number_type(field.getType())});
  };
  if (auto walked = Fields().walk(type, nullptr, "", 0, use); !walked) return walked.error();
  return described;
}

}  // namespace

Result<ResultReader> ResultReader::load(std::span<const unsigned char> schema) {
  auto types = GameTypes::load(schema);
  if (!types) return types.error();
  return ResultReader(std::move(*types));
}

Result<ResultMessage> ResultReader::read(uint64_t type, std::span<const unsigned char> message) {
  return reading("the result", [&]() -> Result<ResultMessage> {
    auto schema = types_.find("the result", type);
    if (!schema) return schema.error();
    std::unique_ptr<ResultType>& known = known_[type];
    if (!known) {
      auto described = describe(*schema);
      if (!described) return described.error();
      known = std::make_unique<ResultType>(std::move(*described));
    }
    auto looked_through = LookedThrough::read("the result", *schema, message);
    if (!looked_through) return looked_through.error();
    ResultMessage read{.type = known.get(), .values = {}};
    const auto use = [&](const std::string&, const capnp::StructSchema::Field&, ResultValue value) {
      read.values.push_back(std::move(value));
    };
    const DynamicStruct::Reader root = looked_through->root();
    if (auto walked = Fields().walk(*schema, &root, "", 0, use); !walked) return walked.error();
    return read;
  });
}

}  // namespace arenad::cli
