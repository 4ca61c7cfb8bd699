#include "state/migrations.h"

#include <array>

#include "state/schema_sql.h"

namespace arenad {
namespace {

constexpr std::array kMigrations = {Migration{1, kSchemaSql}};

}  // namespace

std::span<const Migration> known_migrations() {
  return kMigrations;
}

}  // namespace arenad
