#include "chaos/client_log.h"

#include <cstring>

#include "chaos/files.h"

namespace arenad::chaos {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

ClientLogHead head_of(const Attachment& attachment, ClientLogWriter::Role role) {
  ClientLogHead head{};
  head.magic = kClientLogMagic;
  head.arena_high = attachment.arena().high;
  head.arena_low = attachment.arena().low;
  head.channel = attachment.channel().value;
  head.seat = attachment.seat();
  head.observer = role == ClientLogWriter::Role::observer ? 1 : 0;
  return head;
}

// False if the entry cannot be what it says.
bool take_entry(ClientLog& log, ClientLogKind kind, std::span<const uint64_t> words) {
  switch (kind) {
    case ClientLogKind::sent:
    case ClientLogKind::received: {
      const auto records = split_records(words);
      if (!records || records->size() != 1) return false;
      (kind == ClientLogKind::sent ? log.sent : log.received).push_back(records->front());
      return true;
    }
    case ClientLogKind::lagged:
    case ClientLogKind::rejected:
      if (words.size() != 1) return false;
      (kind == ClientLogKind::lagged ? log.lags : log.rejections).push_back(words.front());
      return true;
    case ClientLogKind::closed:
      log.closed = true;
      return words.empty();
  }
  return false;
}

}  // namespace

Result<ClientLogWriter> ClientLogWriter::create(const std::filesystem::path& path, const Attachment& attachment, Role role) {
  std::unique_ptr<FILE, CloseFile> file(std::fopen(path.c_str(), "wbxe"));
  if (!file) return errno_error("cannot make the log " + path.string());
  std::setvbuf(file.get(), nullptr, _IOFBF, kBufferBytes);
  ClientLogWriter writer(std::move(file), path);
  const ClientLogHead head = head_of(attachment, role);
  writer.write(&head, sizeof head);
  return writer;
}

void ClientLogWriter::write(const void* bytes, size_t count) {
  if (count != 0 && std::fwrite(bytes, 1, count, file_.get()) != count) failed_ = true;
}

void ClientLogWriter::write_record(ClientLogKind kind, const RecordHeader& header, const void* words) {
  const ClientLogEntry entry{kind, header.bytes};
  write(&entry, sizeof entry);
  write(&header, sizeof header);
  write(words, header.bytes - sizeof header);
}

void ClientLogWriter::write_number(ClientLogKind kind, uint64_t number) {
  const ClientLogEntry entry{kind, sizeof number};
  write(&entry, sizeof entry);
  write(&number, sizeof number);
}

void ClientLogWriter::sent(uint64_t sequence, uint64_t type, std::span<const uint64_t> words) {
  const RecordHeader header{static_cast<uint32_t>(record_bytes(words.size())), 0, sequence, type, 0};
  write_record(ClientLogKind::sent, header, words.data());
}

void ClientLogWriter::received(const Output& output) {
  const auto bytes = static_cast<uint32_t>(record_bytes(output.word_count));
  write_record(ClientLogKind::received, {bytes, 0, output.sequence, output.type, output.audience}, output.words);
}

void ClientLogWriter::lagged(uint64_t bytes) {
  write_number(ClientLogKind::lagged, bytes);
}

void ClientLogWriter::rejected(uint64_t sequence) {
  write_number(ClientLogKind::rejected, sequence);
}

Result<void> ClientLogWriter::close() {
  const ClientLogEntry entry{ClientLogKind::closed, 0};
  write(&entry, sizeof entry);
  if (std::fflush(file_.get()) != 0 || failed_) return errno_error("cannot write the log " + path_.string());
  return {};
}

std::string ClientLog::sent_bytes() const {
  std::string bytes;
  for (const RecordView& event : sent) {
    bytes.append(reinterpret_cast<const char*>(&event.header), sizeof event.header);
    bytes.append(reinterpret_cast<const char*>(event.words.data()), event.words.size_bytes());
  }
  return bytes;
}

Result<ClientLog> read_client_log(const std::filesystem::path& path) {
  auto words = read_words(path);
  if (!words) return words.error();
  auto log = parse_client_log(std::move(*words));
  if (!log) return make_error(log.error().code, path.string() + ": " + log.error().message);
  return log;
}

Result<ClientLog> parse_client_log(std::vector<uint64_t> words) {
  ClientLog log;
  log.words = std::move(words);
  std::span<const uint64_t> rest = log.words;
  constexpr size_t kHeadWords = sizeof(ClientLogHead) / 8;
  if (rest.size() < kHeadWords) return make_error(ErrorCode::corrupt, "not the log of a client: it is cut off");
  std::memcpy(&log.head, rest.data(), sizeof log.head);
  if (log.head.magic != kClientLogMagic) return make_error(ErrorCode::corrupt, "not the log of a client");
  rest = rest.subspan(kHeadWords);
  while (!rest.empty() && !log.closed) {
    ClientLogEntry entry{};
    std::memcpy(&entry, rest.data(), sizeof entry);
    rest = rest.subspan(1);
    if (entry.bytes % 8 != 0) return make_error(ErrorCode::corrupt, "an entry of an odd size");
    if (entry.bytes > rest.size_bytes()) return log;
    if (!take_entry(log, entry.kind, rest.first(entry.bytes / 8))) {
      return make_error(ErrorCode::corrupt, "an entry is not what it says");
    }
    rest = rest.subspan(entry.bytes / 8);
  }
  if (!rest.empty()) return make_error(ErrorCode::corrupt, "something follows behind the last entry");
  return log;
}

}  // namespace arenad::chaos
