#include "supervisor/log.h"

#include <chrono>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "ipc/clock.h"
#include "ipc/printable.h"
#include "supervisor/config.h"
#include "supervisor/journal_entry.h"
#include "supervisor/log_book.h"
#include "supervisor/log_writer.h"

namespace arenad {
namespace {

constexpr const char* kJournalSocket = "/run/systemd/journal/socket";
constexpr uint64_t kMomentMs = 200;

spdlog::level::level_enum level_of(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::debug:
      return spdlog::level::debug;
    case LogSeverity::info:
      return spdlog::level::info;
    case LogSeverity::warning:
      return spdlog::level::warn;
    case LogSeverity::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

LogSeverity severity_of(spdlog::level::level_enum level) {
  if (level <= spdlog::level::debug) return LogSeverity::debug;
  if (level == spdlog::level::info) return LogSeverity::info;
  return level == spdlog::level::warn ? LogSeverity::warning : LogSeverity::error;
}

uint64_t unix_ns_of(spdlog::log_clock::time_point time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

// systemd.exec(5): device and inode of what the service's standard error was connected to. Somebody may have redirected it since.
bool journal_reads_stderr() {
  const char* stream = ::getenv("JOURNAL_STREAM");
  struct stat facts {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &facts) != 0) return false;
  return stream == std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
}

enum class Destination { plain, logfmt, journal };

Destination destination_of(LogFormat format) {
  switch (format) {
    case LogFormat::automatic:
      return journal_reads_stderr() ? Destination::journal : Destination::plain;
    case LogFormat::plain:
      return Destination::plain;
    case LogFormat::logfmt:
      return Destination::logfmt;
  }
  return Destination::plain;
}

std::string lost_text(uint64_t lost) {
  return std::to_string(lost) + " lines of the log were lost: nobody took them, or the disk was full";
}

// Where every line goes: into memory, and to a writer's thread.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(LogBook& book) : book_(book), has_colours_(::isatty(STDERR_FILENO) == 1) {}

  void configure(const Config& config) {
    const std::lock_guard lock(mutex_);
    book_.keep_lines(config.logs.keep_lines);
    destination_ = destination_of(config.daemon.log_format);
    if (destination_ == Destination::journal && !journal_) begin_journal();
    if (destination_ == Destination::journal && !journal_) destination_ = Destination::logfmt;
    if (destination_ != Destination::journal && !lines_) {
      lines_ = std::make_unique<LogWriter>(LogWriter::lines_to(STDERR_FILENO),
                                           [](uint64_t lost) { return "level=warning msg=\"" + lost_text(lost) + "\"\n"; });
    }
    set_pattern_(destination_ == Destination::plain ? "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v"
                                                    : "%Y-%m-%dT%H:%M:%S.%eZ level=%l pid=%P %v");
  }

 protected:
  void set_pattern_(const std::string& pattern) override {
    formatter_ = std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc);
  }

  void sink_it_(const spdlog::details::log_msg& message) override {
    LogLine line = parse_log_line({message.payload.data(), message.payload.size()});
    line.unix_ns = unix_ns_of(message.time);
    line.severity = severity_of(message.level);
    if (destination_ == Destination::journal) {
      journal_->write(journal_entry(line));
    } else if (lines_) {
      lines_->write(text_of(message));
    }
    book_.add(line);
  }

  void flush_() override {
    if (lines_) lines_->flush(kMomentMs);
    if (journal_) journal_->flush(kMomentMs);
  }

 private:
  void begin_journal() {
    auto journal = LogWriter::datagrams_to(kJournalSocket);
    if (!journal) return;
    journal_ = std::make_unique<LogWriter>(std::move(journal), [](uint64_t lost) {
      return journal_entry({.unix_ns = unix_ns(), .severity = LogSeverity::warning, .text = lost_text(lost)});
    });
  }

  std::string text_of(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    std::string text(formatted.data(), formatted.size());
    if (!has_colours_ || message.color_range_end <= message.color_range_start) return text;
    const char* colour = message.level >= spdlog::level::err    ? "\x1b[31m"
                         : message.level == spdlog::level::warn ? "\x1b[33m"
                                                                : "\x1b[32m";
    text.insert(message.color_range_end, "\x1b[0m");
    return text.insert(message.color_range_start, colour);
  }

  LogBook& book_;
  const bool has_colours_;
  Destination destination_ = Destination::plain;
  // Once begun, each stays: ending one could take as long as its reader does.
  std::unique_ptr<LogWriter> journal_;
  std::unique_ptr<LogWriter> lines_;
};

}  // namespace

Log::Log(const Config& config) : book_(std::make_unique<LogBook>(unix_ns())) {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("arenad", std::make_shared<Sink>(*book_)));
  configure_log(config);
}

Log::~Log() {
  // Nobody is left who would log.
  spdlog::shutdown();
}

void configure_log(const Config& config) {
  spdlog::set_level(level_of(config.daemon.log_level));
  for (const auto& sink : spdlog::default_logger_raw()->sinks()) {
    if (auto* ours = dynamic_cast<Sink*>(sink.get())) ours->configure(config);
  }
}

void flush_log() {
  spdlog::default_logger_raw()->flush();
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : printable_lines(text)) {
    if (c == '\n') {
      line += "; ";
    } else {
      line += c;
    }
  }
  return line;
}

void log_written(LogSeverity severity, std::optional<uint64_t> unix_ns, std::string_view line) {
  const auto level = level_of(severity);
  if (!spdlog::should_log(level)) return;
  const spdlog::string_view_t text(line.data(), line.size());
  if (!unix_ns) return spdlog::default_logger_raw()->log(level, text);
  const spdlog::log_clock::time_point time(
      std::chrono::duration_cast<spdlog::log_clock::duration>(std::chrono::nanoseconds(*unix_ns)));
  spdlog::default_logger_raw()->log(time, spdlog::source_loc{}, level, text);
}

void log_formatted(LogSeverity severity, fmt::string_view format, fmt::format_args arguments) {
  if (!spdlog::should_log(level_of(severity))) return;
  log_written(severity, std::nullopt, fmt::vformat(format, arguments));
}

}  // namespace arenad
