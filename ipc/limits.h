// Every bound of the system in one place. What the operator may change is in supervisor/config.h and starts from these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arenad::limits {

constexpr uint32_t kMaxSeats = 64;              // players: one bit each in an output's audience
constexpr uint32_t kMaxSlots = 128;             // seats and observers of an arena: entries of its channel table
constexpr uint64_t kMaxEventBytes = 64 * 1024;  // one event with its header
constexpr uint64_t kDefaultChannelBytes = 256 * 1024;
constexpr uint64_t kMinChannelBytes = 16 * 1024;
constexpr uint64_t kMaxChannelBytes = 16 * 1024 * 1024;
constexpr uint64_t kMaxResultBytes = 1024;
constexpr uint64_t kSystemRingBytes = 128 * 1024;  // the results of all seats fit
constexpr uint64_t kFrameLogBytes = 256 * 1024;
constexpr uint64_t kMinOutputRingBytes = 256 * 1024;
constexpr uint64_t kMaxStateBytes = 64 * 1024 * 1024;
constexpr uint64_t kMaxControlMessageBytes = 1024 * 1024;
constexpr size_t kMaxPlayerNameBytes = 64;
constexpr size_t kMaxArenaNameBytes = 64;
constexpr size_t kMaxParams = 64;
constexpr uint32_t kMaxTickHz = 128;
constexpr size_t kMaxSelected = 1000;      // names, numbers or types that one request gives
constexpr size_t kMaxPatterns = 100;       // of the names, those that are compared with every arena: globs and games
constexpr size_t kMaxSelectorBytes = 256;  // of each
constexpr size_t kMaxQuarantined = 256;    // events of one arena
constexpr uint64_t kMaxIncidentReportBytes = 64 * 1024;
constexpr size_t kMaxDeathsOfArena = 100;  // incidents that are kept, the newest of each
constexpr size_t kMaxSlowOfArena = 100;    // apart, so that slow frames never push out a death
constexpr size_t kMaxScriptLines = 64;     // of a report: what a game in a language of its own says of where it was
constexpr size_t kMaxIncidents = 10'000;   // of all arenas, with those that are forgotten
constexpr size_t kMaxSignalNameBytes = 64;
constexpr size_t kMaxSignalBytes = 8 * 1024;  // what goes with it: it lies in the frame's record
constexpr size_t kMaxSignalsWaiting = 256;    // of one arena
constexpr size_t kMaxKickReasonBytes = 255;
constexpr size_t kMaxRefusalBytes = 1024;  // of a game, to a signal

constexpr uint64_t kMaxCatchUpTicks = 4;  // of a worker that was late; if it is behind by more, they are given up

}  // namespace arenad::limits
