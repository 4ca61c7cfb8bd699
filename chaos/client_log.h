// What one client, a bot or the observer of an arena, has sent and received, in a file of its own: the evidence against Arenad.
// The client writes it while it plays, the judge reads it when all is over.
//
//   offset  bytes
//        0     40  ClientLogHead
//       40         entries: ClientLogEntry, then its bytes
//
//   entry     bytes
//   sent      the event's record as send() took it (ipc/record.h)
//   received  an output's record: its sequence, type, audience and words
//   lagged    8: how many bytes of outputs were overwritten before this client read them
//   rejected  8: sequence of an event that the arena did not apply
//   closed    none; always the last entry. A log without it is cut off
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "arenad/client.h"
#include "chaos/records.h"

namespace arenad::chaos {

constexpr uint64_t kClientLogMagic = 0x31474F4C41415241;  // "ARAALOG1"

struct ClientLogHead {
  uint64_t magic;
  uint64_t arena_high;
  uint64_t arena_low;
  uint64_t channel;
  uint32_t seat;
  uint32_t observer;  // 1: it is one
};
static_assert(sizeof(ClientLogHead) == 40);

enum class ClientLogKind : uint32_t { sent = 1, received = 2, lagged = 3, rejected = 4, closed = 5 };

struct ClientLogEntry {
  ClientLogKind kind;
  uint32_t bytes;
};
static_assert(sizeof(ClientLogEntry) == 8);

class ClientLogWriter {
 public:
  enum class Role { player, observer };
  static Result<ClientLogWriter> create(const std::filesystem::path& path, const Attachment& attachment, Role role);

  // An event that send() has taken.
  void sent(uint64_t sequence, uint64_t type, std::span<const uint64_t> words);
  void received(const Output& output);
  void lagged(uint64_t bytes);
  void rejected(uint64_t sequence);
  // The last entry, and everything is in the file.
  Result<void> close();

 private:
  struct CloseFile {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  ClientLogWriter(std::unique_ptr<FILE, CloseFile> file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}
  void write(const void* bytes, size_t count);
  void write_record(ClientLogKind kind, const RecordHeader& header, const void* words);
  void write_number(ClientLogKind kind, uint64_t number);

  std::unique_ptr<FILE, CloseFile> file_;
  std::filesystem::path path_;
  bool failed_ = false;
};

struct ClientLog {
  ClientLog() = default;
  ClientLog(ClientLog&&) = default;
  ClientLog& operator=(ClientLog&&) = default;

  ClientLogHead head{};
  std::vector<uint64_t> words;  // the file; the views borrow from it
  std::vector<RecordView> sent;
  std::vector<RecordView> received;
  std::vector<uint64_t> lags;
  std::vector<uint64_t> rejections;
  bool closed = false;

  // The stream of events as it lay in the channel, from position 0 on.
  [[nodiscard]] std::string sent_bytes() const;
};

// A log that is cut off is read as far as it goes; ErrorCode::corrupt if it is none.
Result<ClientLog> read_client_log(const std::filesystem::path& path);
Result<ClientLog> parse_client_log(std::vector<uint64_t> words);

}  // namespace arenad::chaos
