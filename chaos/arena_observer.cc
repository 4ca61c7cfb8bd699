#include "chaos/arena_observer.h"

#include <fcntl.h>

namespace arenad::chaos {
namespace {

constexpr uint64_t kAttachTimeoutMs = 60'000;

Phase phase_of(const WorkerStatus& status) {
  const uint32_t value = status.phase.load(std::memory_order_relaxed);
  return value <= static_cast<uint32_t>(Phase::snapshotting) ? static_cast<Phase>(value) : Phase::waiting;
}

}  // namespace

Result<std::unique_ptr<ArenaObserver>> ArenaObserver::attach(Client& client, StartedArena arena,
                                                             const std::filesystem::path& log) {
  auto attachment = client.attach({.arena = arena.id.text(), .player = "observer", .observer = true}, kAttachTimeoutMs);
  if (!attachment) return attachment.error();
  auto observer = std::unique_ptr<ArenaObserver>(new ArenaObserver(std::move(arena), std::move(*attachment), log));
  auto writer = ClientLogWriter::create(log, *observer->attachment_, ClientLogWriter::Role::observer);
  if (!writer) return writer.error();
  observer->log_ = std::move(*writer);
  observer->attachment_->on_incarnation([self = observer.get()](int fd, Epoch epoch) { self->begin_to_follow(fd, epoch); });
  return observer;
}

void ArenaObserver::note_trouble(std::string text) {
  if (trouble_.empty()) trouble_ = arena_.name + ": " + std::move(text);
}

void ArenaObserver::begin_to_follow(int region_fd, Epoch epoch) {
  Fd own(::fcntl(region_fd, F_DUPFD_CLOEXEC, 0));
  auto view = IncarnationView::map(std::move(own));
  if (!view) return note_trouble("its region cannot be mapped: " + view.error().text());
  if (!lives_.empty() && epoch <= lives_.back().epoch)
    note_trouble("an incarnation came that is not newer than the one before");
  lives_.push_back({.epoch = epoch, .pid = static_cast<pid_t>(view->pid())});
  followed_.push_back({std::move(*view), {}});
}

void ArenaObserver::look() {
  receive_outputs();
  follow_incarnations();
}

void ArenaObserver::receive_outputs() {
  while (!departure_) {
    switch (attachment_->receive()) {
      case Incoming::none:
        return;
      case Incoming::output:
        log_->received(attachment_->output());
        ++outputs_received_;
        break;
      case Incoming::lagged:
        log_->lagged(attachment_->lag());
        break;
      case Incoming::rejected:
        log_->rejected(attachment_->rejection().sequence);
        break;
      case Incoming::rolled_back:
        break;
      case Incoming::gone:
        departure_ = attachment_->departure();
        break;
      case Incoming::disconnected:
        departure_ = Departure{"disconnected", "arenad is not there any more"};
        break;
    }
  }
}

void ArenaObserver::follow_incarnations() {
  while (!followed_.empty()) {
    Followed& oldest = followed_.front();
    const bool final = followed_.size() > 1 || departure_;
    read_log(oldest, final);
    note_life(oldest);
    if (followed_.size() == 1) return;
    followed_.pop_front();
  }
}

// While its worker lives, a frame is read when it is done, so that what it left behind is known too.
void ArenaObserver::read_log(Followed& followed, bool final) {
  const WorkerStatus& status = followed.view.status();
  const FrameLogView log{followed.view.log_ring(), followed.view.log_capacity(), nothing_released_, status.log_published};
  for (;;) {
    const FrameLogReader before = followed.reader;
    switch (followed.reader.next(log)) {
      case FrameLogReader::Step::frame:
        if (!final && !followed.reader.frame().done()) {
          followed.reader = before;
          return;
        }
        history_.add(followed.reader.take());
        break;
      case FrameLogReader::Step::end:
        return;
      case FrameLogReader::Step::lagged:
        return note_trouble("its frame log was overwritten before it was read");
      case FrameLogReader::Step::corrupt:
        return note_trouble("its frame log holds something that is no frame");
    }
  }
}

void ArenaObserver::note_life(const Followed& followed) {
  const WorkerStatus& status = followed.view.status();
  Life& life = lives_[lives_.size() - followed_.size()];
  life.live_since_unix_ns = status.live_since_unix_ns.load(std::memory_order_relaxed);
  life.first_frame_published_ns = status.first_frame_published_ns.load(std::memory_order_acquire);
  life.version = followed.view.version();
  life.restored_frame = status.restored_frame.load(std::memory_order_relaxed);
  life.replayed_frames = status.replayed_frames.load(std::memory_order_relaxed);
  life.replayed_events = status.replayed_events.load(std::memory_order_relaxed);
  life.divergences = status.divergences.load(std::memory_order_relaxed);
  life.rung = static_cast<Rung>(status.rung.load(std::memory_order_relaxed));
  life.phase = phase_of(status);
}

}  // namespace arenad::chaos
