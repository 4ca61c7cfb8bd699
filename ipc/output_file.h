// What a process of arenad's own writes to its standard output and error: a file in memory, whose end the process writes to and whose
// beginning arenad reads and gives back.
//
// Why no pipe: a pipe that nobody reads, because arenad is slow, stopped or dead, holds up a frame or fails the game's write, and a game
// that sees a write fail goes on differently than its replay will. A file takes every write at once. What its process has written last is
// there also when it is dead, and when arenad was: the worker shows the file to the next one, and the file says how far it was read.
//
//   offset 0     header: magic, version, and how far it was read (arenad is its one writer)
//   offset 4096  the text, from its beginning on; what was read is given back to the machine, page by page
//
// It cannot shrink, so that reading the mapped header is always safe; and whatever its process does to it, the process spoils its own lines
// only. It can stop appending, and write where arenad does not look: that shows in the file's memory, is given back, and tells the process's
// intent. It does not grow for ever either: what is not read is trimmed, by arenad or by the worker itself, to the newest kMostUnread bytes.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

#include "arenad/result.h"
#include "ipc/fd.h"
#include "ipc/region.h"

namespace arenad {

class OutputFile {
 public:
  static constexpr uint64_t kMostUnread = 512 * 1024;

  static Result<OutputFile> create();
  // One that another process shows. Errors: it is no such file.
  static Result<OutputFile> map(Fd fd);

  // What was written and not read, oldest first, at most so many bytes. Empty: nothing.
  [[nodiscard]] std::string unread(size_t most) const;
  // So many bytes of that have been taken.
  void take(uint64_t bytes);
  // Gives up what is older than the newest kMostUnread bytes. Returns how many bytes that were.
  uint64_t skip_excess();
  // By one system call: all of it has been taken, and it is as hold_to_bounds() left it.
  [[nodiscard]] bool is_untouched() const;
  // From now on it is appended to again, and what is not unread takes no memory. Gives whether its process had kept memory there, which
  // nobody does who only prints.
  enum class Use { printing, keeping_memory };
  Use hold_to_bounds();

  [[nodiscard]] const Fd& fd() const { return fd_; }

 private:
  OutputFile(Fd fd, Mapping header) : fd_(std::move(fd)), header_(std::move(header)) {}
  static Result<OutputFile> map_header(Fd fd);
  struct Unread {
    uint64_t begin;  // offsets in the file
    uint64_t end;
  };
  [[nodiscard]] Unread unread_now() const;
  void set_read_to(uint64_t offset);

  Fd fd_;
  Mapping header_;
  uint64_t given_back_ = kPageBytes;  // up to here
  // When it was last held to its bounds; as it is, there is nothing to be looked at again.
  off_t held_size_ = -1;
  uint64_t held_memory_ = 0;
};

// Whether what is written to this descriptor of the process goes into such a file.
bool is_output_file(int fd);
// From now on the standard output and error of this process go there.
void write_output_to(const Fd& file);
// Of the process that writes: gives memory back that nobody has come to read. Never waits, and looks at the file's size only.
void trim_own_output(const Fd& file);

}  // namespace arenad
