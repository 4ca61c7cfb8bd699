#include "ipc/channel.h"

#include <array>
#include <bit>
#include <new>

namespace arenad {
namespace {

bool valid_ring_bytes(uint64_t bytes) {
  if (bytes == 0) return true;
  return std::has_single_bit(bytes) && bytes >= limits::kMinChannelBytes && bytes <= limits::kMaxChannelBytes;
}

}  // namespace

Result<ChannelWriter> ChannelWriter::create(uint64_t ring_bytes) {
  if (!valid_ring_bytes(ring_bytes)) {
    return make_error(ErrorCode::invalid,
                      "a channel of " + std::to_string(ring_bytes) + " bytes: its size must be a power of two from " +
                          std::to_string(limits::kMinChannelBytes) + " to " + std::to_string(limits::kMaxChannelBytes));
  }
  ChannelWriter writer;
  auto region = Region::create("arenad-channel", kChannelRingOffset + ring_bytes);
  if (!region) return region.error();
  writer.region_ = std::move(*region);
  if (ring_bytes != 0) {
    auto ring = writer.region_.map_ring(kChannelRingOffset, ring_bytes);
    if (!ring) return ring.error();
    writer.ring_ = *ring;
  }
  if (auto sealed = writer.region_.seal(); !sealed) return sealed.error();
  writer.capacity_ = ring_bytes;
  writer.mask_ = ring_bytes - 1;
  auto* header = new (writer.region_.data()) ChannelHeader{};
  header->layout_version = kChannelLayoutVersion;
  header->header_bytes = sizeof(ChannelHeader);
  header->region_bytes = writer.region_.bytes();
  header->ring_offset = kChannelRingOffset;
  header->ring_capacity = ring_bytes;
  header->magic = kChannelMagic;
  return writer;
}

Result<void> ChannelView::check_header() const {
  const auto found = load_shared<std::array<uint64_t, 8>>(region_.data());
  const bool known = found[0] == kChannelMagic && static_cast<uint32_t>(found[1]) == kChannelLayoutVersion &&
                     found[3] == kChannelRingOffset && found[4] == capacity_;
  if (!known) return make_error(ErrorCode::corrupt, "not a channel of a layout that this version knows");
  return {};
}

Result<ChannelView> ChannelView::map(Fd fd) {
  auto region = RegionView::map(std::move(fd), kChannelRingOffset);
  if (!region) return region.error();
  ChannelView view;
  view.region_ = std::move(*region);
  // By the size, which is sealed: a client that changes its header later must not keep a recovery from mapping its channel.
  const uint64_t capacity = view.region_.bytes() - kChannelRingOffset;
  if (!valid_ring_bytes(capacity)) return make_error(ErrorCode::corrupt, "the region's size is not a channel's");
  if (capacity != 0) {
    auto ring = view.region_.map_ring(kChannelRingOffset, capacity);
    if (!ring) return ring.error();
    view.ring_ = *ring;
  }
  view.capacity_ = capacity;
  view.mask_ = capacity - 1;
  return view;
}

Result<ChannelView> rebuild_channel(uint64_t begin, std::string_view bytes) {
  const uint64_t capacity = std::max(limits::kMinChannelBytes, std::bit_ceil(bytes.size()));
  if (capacity > limits::kMaxChannelBytes) return make_error(ErrorCode::invalid, "a recorded channel is too long");
  auto writer = ChannelWriter::create(capacity);
  if (!writer) return writer.error();
  writer->refill(begin, bytes);
  auto fd = writer->fd().duplicate();
  if (!fd) return fd.error();
  return ChannelView::map(std::move(*fd));
}

void ChannelWriter::refill(uint64_t begin, std::string_view bytes) {
  std::memcpy(ring_ + (begin & mask_), bytes.data(), bytes.size());
  written_ = begin + bytes.size();
  publish();
}

}  // namespace arenad
