// Results by the names of their fields, read with the types of the version that recorded them (game_types.h), which are not believed.
//
// A group's fields are fields of the result, called group.field. What else is made of several values, a list, a struct or bytes, is one field.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "cli/game_types.h"
#include "cli/result_value.h"

namespace arenad::cli {

struct ResultField {
  std::string name;
  Aggregate aggregate = Aggregate::skip;  // as declared; else what results.capnp says of fields that declare none
  bool is_number = false;
};

struct ResultType {
  std::string name;  // the short one
  std::vector<ResultField> fields;
};

// One type of result, with what the message has: one value for each field.
struct ResultMessage {
  const ResultType* type;  // lives as long as its reader
  std::vector<ResultValue> values;
};

// The types of one version.
class ResultReader {
 public:
  // `schema` is a message in stream framing with the root GameSchema (control.capnp).
  static Result<ResultReader> load(std::span<const unsigned char> schema);

  // The error says why its fields cannot be told.
  Result<ResultMessage> read(uint64_t type, std::span<const unsigned char> message);

 private:
  explicit ResultReader(GameTypes types) : types_(std::move(types)) {}

  GameTypes types_;
  std::map<uint64_t, std::unique_ptr<ResultType>> known_;  // pointers to them are given away
};

}  // namespace arenad::cli
