// The file that a worker's output goes into (ipc/output_file.h): the worker can write anywhere in it, its header too.
#include "ipc/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  Source source(input);
  const auto most = source.number<uint16_t>();
  const std::string_view header = source.bytes(24);
  const std::string_view text = source.rest();
  auto made = OutputFile::create();
  ARENAD_ASSERT(made);
  ARENAD_ASSERT(::write(made->fd().get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  auto shared = made->fd().duplicate();
  ARENAD_ASSERT(shared && ::fcntl(shared->get(), F_SETFL, 0) == 0);
  ARENAD_ASSERT(::pwrite(shared->get(), header.data(), header.size(), 0) == static_cast<ssize_t>(header.size()));
  auto file = OutputFile::map(std::move(*shared));
  if (!file) return;
  size_t read_bytes = 0;
  for (;;) {
    const std::string unread = file->unread(most);
    ARENAD_ASSERT(unread.size() <= most && unread.size() <= text.size());
    if (unread.empty()) break;
    ARENAD_ASSERT(text.find(unread) != std::string_view::npos);
    read_bytes += unread.size();
    ARENAD_ASSERT(read_bytes <= text.size());
    file->take(unread.size());
  }
  (void)file->hold_to_bounds();
  ARENAD_ASSERT(file->skip_excess() == 0);
}

std::vector<std::string> seeds() {
  Input sound;
  sound.number(uint16_t{16})
      .number(uint64_t{0x5450'544f'4441'4e41})
      .number(uint32_t{1})
      .number(uint32_t{0})
      .number(uint64_t{4100});
  Input beyond;
  beyond.number(uint16_t{4096})
      .number(uint64_t{0x5450'544f'4441'4e41})
      .number(uint32_t{1})
      .number(uint32_t{0})
      .number(UINT64_MAX);
  return {sound.bytes("<6>@1 2 three\nfour\n").text(), beyond.bytes("text").text()};
}

}  // namespace

extern const Harness output_file_harness;
const Harness output_file_harness{run, seeds, {}, 256};

}  // namespace arenad::fuzz
