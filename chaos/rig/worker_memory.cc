#include "chaos/rig/worker_memory.h"

#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace arenad::test {
namespace {

// Of the whole region, as its writer has it: not one of its rings, and not a predecessor's, which is mapped for reading.
uint64_t address_of_region(pid_t worker) {
  std::ifstream maps("/proc/" + std::to_string(worker) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string range;
    std::string rights;
    uint64_t offset = 0;
    words >> range >> rights >> std::hex >> offset;
    if (line.find("memfd:arenad-incarnation") == std::string::npos || rights != "rw-s" || offset != 0) continue;
    return std::stoull(range, nullptr, 16);
  }
  return 0;
}

void require(bool holds, const char* otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

}  // namespace

WorkerMemory::WorkerMemory(pid_t worker)
    : memory_(::open(("/proc/" + std::to_string(worker) + "/mem").c_str(), O_RDWR | O_CLOEXEC)),
      base_(address_of_region(worker)) {
  require(bool(memory_), "the worker's memory cannot be opened");
  require(base_ != 0, "the worker has no region of its own");
  identity_ = get<IncarnationIdentity>(0);
  require(identity_.magic == kIncarnationMagic, "the worker's region is not an incarnation's");
}

std::vector<std::byte> WorkerMemory::read(uint64_t offset, size_t bytes) const {
  std::vector<std::byte> content(bytes);
  const auto got = ::pread(memory_.get(), content.data(), bytes, static_cast<off_t>(base_ + offset));
  require(got == static_cast<ssize_t>(bytes), "the worker's memory cannot be read");
  return content;
}

void WorkerMemory::write(uint64_t offset, std::span<const std::byte> bytes) const {
  const auto written = ::pwrite(memory_.get(), bytes.data(), bytes.size(), static_cast<off_t>(base_ + offset));
  require(written == static_cast<ssize_t>(bytes.size()), "the worker's memory cannot be written");
}

std::optional<uint64_t> WorkerMemory::frame_of(int index) const {
  const auto plus_one = get<uint64_t>(slot(index));
  if (plus_one == 0) return std::nullopt;
  return plus_one - 1;
}

int WorkerMemory::newest() const {
  return frame_of(1) && (!frame_of(0) || *frame_of(1) > *frame_of(0)) ? 1 : 0;
}

std::optional<uint64_t> WorkerMemory::record_of(uint64_t frame) const {
  const auto end = get<uint64_t>(kStatusOffset + offsetof(WorkerStatus, log_published));
  auto at = get<uint64_t>(kStatusOffset + offsetof(WorkerStatus, log_begin));
  while (at < end) {
    const uint64_t offset = identity_.frame_log.offset + at % identity_.frame_log.bytes;
    const auto bytes = get<uint32_t>(offset + offsetof(FrameRecord, bytes));
    if (get<uint64_t>(offset + offsetof(FrameRecord, frame)) == frame) return offset;
    require(bytes >= sizeof(FrameRecord), "the worker's log holds a record that is none");
    at += bytes;
  }
  return std::nullopt;
}

}  // namespace arenad::test
