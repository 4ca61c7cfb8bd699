// What a row must satisfy: before it is written, so that one impossible record never makes the transaction fail that carries
// everybody else's, and after it was read, so that damage is never taken for state. Pure: knows no database.
//
//   check_batch          StoreThread when a batch is submitted, and Store again when it commits
//   checksum_of          StoreTables, written beside a checkpoint and compared when it is read;
//                        IncidentTables, the same for an incident and for what is in quarantine
//   parse_disposition    StoreTables, when an arena is read
//   parse_incident_kind  IncidentTables, when an incident is read
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "arenad/result.h"
#include "state/records.h"

namespace arenad {

// ErrorCode::invalid if a record could never be stored: no arena id, a number above 2^63 - 1 where numbers are ordered, too
// many bytes. A batch that passes does not fail for its content.
Result<void> check_batch(const StoreBatch& batch);

// Covers the key as well, so that a row never answers for another arena or frame.
uint64_t checksum_of(const CheckpointRecord& checkpoint);
uint64_t checksum_of(const IncidentRecord& incident);
uint64_t checksum_of(const QuarantineRecord& quarantined);

// Nothing if it is none of the words of to_string().
std::optional<ArenaDisposition> parse_disposition(std::string_view word);
std::optional<IncidentKind> parse_incident_kind(std::string_view word);

}  // namespace arenad
