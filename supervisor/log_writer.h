// Writes the log, on a thread of its own: a disk that is full, a pipe that nobody reads and a journal that hangs hold up this thread, and never
// who has something to say. What waits is bounded: the oldest lines make room for new ones. What was lost is counted, and said as soon as
// something can be written again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace arenad {

class LogWriter {
 public:
  static constexpr size_t kMostWaitingBytes = size_t{4} * 1024 * 1024;

  // Where it goes. The thread's alone: a thread that hangs in it outlives the writer, and so does this.
  class Outlet {
   public:
    Outlet() = default;
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;
    virtual ~Outlet() = default;
    // As a whole. False if this cannot be written. Waits as long as it takes.
    virtual bool put(const std::string& line) = 0;
  };
  // Lines one after the other. descriptor: is the process's for good, and never closed.
  static std::unique_ptr<Outlet> lines_to(int descriptor);
  // Each as a datagram to whoever listens at this path then, also after another one has taken the place of the first. Nothing if nobody does now.
  static std::unique_ptr<Outlet> datagrams_to(const std::string& path);

  // lost_line: what is written to say that so many lines were lost.
  using LostLine = std::function<std::string(uint64_t lost)>;

  LogWriter(std::unique_ptr<Outlet> outlet, LostLine lost_line);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  // Waits for what is left, but not for long.
  ~LogWriter();

  // Never waits. A line with its end, or a datagram.
  void write(std::string line);
  // Until all is written, or this time is over.
  void flush(uint64_t timeout_ms);

 private:
  struct Shared;
  // The thread's too: a thread that hangs in a write outlives this object.
  std::shared_ptr<Shared> shared_;
};

}  // namespace arenad
